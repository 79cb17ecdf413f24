CREATE UNIQUE INDEX CONCURRENTLY cart_line_variant ON cart_line (cart_id, variant_id, (coalesce(sold_at, 0)));
