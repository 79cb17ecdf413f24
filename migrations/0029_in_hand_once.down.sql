DROP INDEX cart_line_once;
