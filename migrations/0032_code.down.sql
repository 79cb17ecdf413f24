ALTER TABLE order_line DROP COLUMN without_stock;
ALTER TABLE variant DROP COLUMN tracked, DROP COLUMN back_order;
DROP TABLE own_code;
DROP FUNCTION sku_key(text);
