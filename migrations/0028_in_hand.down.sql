ALTER TABLE cart_line DROP COLUMN in_hand;
