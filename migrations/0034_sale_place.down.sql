ALTER TABLE cart_line DROP COLUMN sold_at;
