DROP INDEX cart_line_variant;
