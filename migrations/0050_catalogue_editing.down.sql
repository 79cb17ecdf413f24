-- A planned price that was called off never held: an older build knows no such row.
DELETE FROM price WHERE isempty(valid);
ALTER TABLE price ADD CONSTRAINT price_valid_check CHECK (NOT isempty(valid));
ALTER TABLE price DROP COLUMN withdrawn, DROP COLUMN sale;
DROP TABLE product_file, product_related, product_attribute, attribute, former_slug;
DROP TABLE saved_view;
DROP INDEX product_text_title, product_brand_trgm, variant_sku_prefix;
ALTER TABLE category DROP COLUMN in_menu;
ALTER TABLE picture DROP COLUMN crop_left, DROP COLUMN crop_top, DROP COLUMN crop_width;
ALTER TABLE variant DROP COLUMN content, DROP COLUMN content_unit;
ALTER TABLE product_text DROP COLUMN seo_title, DROP COLUMN seo_description;
ALTER TABLE product DROP COLUMN publish_at, DROP COLUMN minimum_age, DROP COLUMN pickup, DROP COLUMN ship,
    DROP COLUMN origin_country, DROP COLUMN customs_code, DROP COLUMN facet_names, DROP COLUMN facet_values;
