ALTER TABLE shop DROP COLUMN write_off_limit;
-- An older build knows these as damage.
UPDATE stock_move SET cause = 'damage' WHERE cause IN ('condition', 'write_off');
ALTER TABLE stock_move DROP CONSTRAINT stock_move_cause_check;
ALTER TABLE stock_move ADD CONSTRAINT stock_move_cause_check CHECK (cause IN ('receipt', 'sale', 'return', 'transfer', 'count', 'damage'));
