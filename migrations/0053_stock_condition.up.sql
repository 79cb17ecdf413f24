-- Units that change their condition, and what is written off.
ALTER TABLE stock_move DROP CONSTRAINT stock_move_cause_check;
ALTER TABLE stock_move ADD CONSTRAINT stock_move_cause_check CHECK (cause IN ('receipt', 'sale', 'return', 'transfer', 'count', 'damage', 'condition', 'write_off')) NOT VALID;
ALTER TABLE stock_move VALIDATE CONSTRAINT stock_move_cause_check;

-- How many units somebody other than an admin may write off at once.
ALTER TABLE shop ADD COLUMN write_off_limit integer NOT NULL DEFAULT 50;
ALTER TABLE shop ADD CONSTRAINT shop_write_off_limit_check CHECK (write_off_limit >= 0) NOT VALID;
ALTER TABLE shop VALIDATE CONSTRAINT shop_write_off_limit_check;
