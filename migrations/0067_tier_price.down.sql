DELETE FROM price_break WHERE tier <> '';
ALTER TABLE price_break ADD CONSTRAINT price_break_price_list_id_variant_id_from_quantity_members_excl
    EXCLUDE USING gist (price_list_id WITH =, variant_id WITH =, from_quantity WITH =, (members::integer) WITH =, valid WITH &&);
ALTER TABLE price_break DROP CONSTRAINT price_break_once;
ALTER TABLE price_break DROP COLUMN tier;
