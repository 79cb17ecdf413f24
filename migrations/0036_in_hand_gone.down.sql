ALTER TABLE cart_line ADD COLUMN in_hand boolean NOT NULL DEFAULT false;
UPDATE cart_line SET in_hand = true WHERE sold_at IS NOT NULL;
DELETE FROM cart_line l USING cart_line other WHERE l.cart_id = other.cart_id AND l.variant_id = other.variant_id AND l.in_hand AND other.in_hand AND l.id > other.id;
CREATE UNIQUE INDEX cart_line_once ON cart_line (cart_id, variant_id, in_hand);
