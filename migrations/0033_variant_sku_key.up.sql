-- A SKU scanned or typed in any spelling.
CREATE INDEX CONCURRENTLY variant_sku_key ON variant (sku_key(sku));
