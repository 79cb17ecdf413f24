ALTER TABLE fulfilment DROP COLUMN allowed_tax, DROP COLUMN allowed;
ALTER TABLE order_unit DROP COLUMN allowed_tax, DROP COLUMN allowed;
DROP TABLE allowance_share;
DROP TABLE allowance;
