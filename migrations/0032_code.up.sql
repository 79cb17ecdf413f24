-- A SKU as it is looked up: case, spaces and dashes say nothing. Two SKUs can read alike; then a look-up offers both.
CREATE FUNCTION sku_key(sku text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT upper(regexp_replace(sku, '[[:space:]‐‑‒–—-]', '', 'g'))
$$;

-- The retailer's own codes: what is on a label and is no GTIN, and a GTIN as it was typed where it had lost its zeros.
CREATE TABLE own_code (
    code       text PRIMARY KEY CHECK (code <> '' AND code = sku_key(code)),
    variant_id bigint NOT NULL REFERENCES variant
);
-- A variant's own codes, on its page.
CREATE INDEX own_code_variant ON own_code (variant_id);

-- How a variant is sold when the shelf is empty.
ALTER TABLE variant
    ADD COLUMN tracked    boolean NOT NULL DEFAULT true,  -- false: no stock is kept of it, there is always one
    ADD COLUMN back_order boolean NOT NULL DEFAULT false; -- true: it is sold when there is none, and comes later

ALTER TABLE order_line ADD COLUMN without_stock boolean NOT NULL DEFAULT false; -- nothing was reserved for it: it is not tracked, or comes later
