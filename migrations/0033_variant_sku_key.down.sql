DROP INDEX variant_sku_key;
