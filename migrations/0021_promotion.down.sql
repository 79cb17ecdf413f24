ALTER TABLE customer DROP COLUMN tier;
DROP TABLE price_break, cart_code, promotion_counter, promotion_use, coupon, promotion;
