ALTER TABLE stock_move DROP COLUMN return_id;
DROP TABLE refund, returned_unit, return_ticket;
DROP SEQUENCE return_number;
