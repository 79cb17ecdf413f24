CREATE UNIQUE INDEX CONCURRENTLY cart_line_once ON cart_line (cart_id, variant_id, in_hand);
