DROP TABLE tax_rate;
DROP TABLE tax_class;
