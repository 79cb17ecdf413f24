ALTER TABLE cart_line DROP COLUMN in_hand; -- and with it the index cart_line_once
