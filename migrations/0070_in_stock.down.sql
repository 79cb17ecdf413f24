DROP TRIGGER in_stock_delete ON stock_level;
DROP TRIGGER in_stock_update ON stock_level;
DROP TRIGGER in_stock_insert ON stock_level;
DROP FUNCTION keep_in_stock();
DROP TABLE in_stock;
