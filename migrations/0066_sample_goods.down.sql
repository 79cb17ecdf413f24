DROP INDEX product_sample;
ALTER TABLE product DROP COLUMN sample;
