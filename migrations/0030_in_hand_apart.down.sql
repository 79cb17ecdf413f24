DELETE FROM cart_line WHERE in_hand;
ALTER TABLE cart_line ADD CONSTRAINT cart_line_cart_id_variant_id_key UNIQUE (cart_id, variant_id);
