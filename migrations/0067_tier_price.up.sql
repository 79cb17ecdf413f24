-- A price for members of one tier. Members of none pay what all members pay.
ALTER TABLE price_break ADD COLUMN tier text NOT NULL DEFAULT '';
ALTER TABLE price_break ADD CONSTRAINT price_break_tier_check CHECK (tier = '' OR members) NOT VALID;
ALTER TABLE price_break VALIDATE CONSTRAINT price_break_tier_check;
ALTER TABLE price_break ADD CONSTRAINT price_break_once
    EXCLUDE USING gist (price_list_id WITH =, variant_id WITH =, from_quantity WITH =, (members::integer) WITH =, (lower(tier)) WITH =, valid WITH &&);
ALTER TABLE price_break DROP CONSTRAINT price_break_price_list_id_variant_id_from_quantity_members_excl;
