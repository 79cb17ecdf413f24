DELETE FROM in_stock;
