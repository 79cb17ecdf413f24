DROP TABLE product_week;
