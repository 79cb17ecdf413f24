-- What is edited of a product in the admin beside its texts, variants and pictures.
ALTER TABLE product
    ADD COLUMN publish_at     timestamptz,                    -- when a draft goes on sale by itself
    ADD COLUMN minimum_age    smallint NOT NULL DEFAULT 0,    -- in years, of whoever buys it; 0: none
    ADD COLUMN pickup         boolean NOT NULL DEFAULT true,  -- it can be collected in a store
    ADD COLUMN ship           boolean NOT NULL DEFAULT true,  -- it can be delivered
    ADD COLUMN origin_country text NOT NULL DEFAULT '',       -- ISO 3166-1 alpha-2, or empty
    ADD COLUMN customs_code   text NOT NULL DEFAULT '',       -- of the Harmonized System, 6 to 10 digits, or empty
    ADD COLUMN facet_names    text[] NOT NULL DEFAULT '{}',   -- of its attributes that lists are narrowed by, kept by whatever writes attributes
    ADD COLUMN facet_values   text[] NOT NULL DEFAULT '{}';   -- in the same order
ALTER TABLE product ADD CONSTRAINT product_publish_check CHECK (publish_at IS NULL OR status = 'draft') NOT VALID;
ALTER TABLE product ADD CONSTRAINT product_minimum_age_check CHECK (minimum_age BETWEEN 0 AND 99) NOT VALID;
ALTER TABLE product ADD CONSTRAINT product_origin_check CHECK (origin_country ~ '^([A-Z]{2})?$') NOT VALID;
ALTER TABLE product ADD CONSTRAINT product_customs_check CHECK (customs_code ~ '^([0-9]{6,10})?$') NOT VALID;
ALTER TABLE product ADD CONSTRAINT product_facets_check CHECK (cardinality(facet_names) = cardinality(facet_values)) NOT VALID;
ALTER TABLE product VALIDATE CONSTRAINT product_publish_check;
ALTER TABLE product VALIDATE CONSTRAINT product_minimum_age_check;
ALTER TABLE product VALIDATE CONSTRAINT product_origin_check;
ALTER TABLE product VALIDATE CONSTRAINT product_customs_check;
ALTER TABLE product VALIDATE CONSTRAINT product_facets_check;
-- The job that publishes.
CREATE INDEX product_publish ON product (publish_at) WHERE publish_at IS NOT NULL;

-- What search engines show in the place of title and description; empty: those.
ALTER TABLE product_text
    ADD COLUMN seo_title       text NOT NULL DEFAULT '',
    ADD COLUMN seo_description text NOT NULL DEFAULT '';

-- How much is in one, for the price per unit (directive 98/6/EC).
ALTER TABLE variant
    ADD COLUMN content      numeric(12, 4) NOT NULL DEFAULT 0, -- in the unit below; 0: no price per unit is shown
    ADD COLUMN content_unit text NOT NULL DEFAULT '';
ALTER TABLE variant ADD CONSTRAINT variant_content_check CHECK (content >= 0 AND content_unit IN ('', 'kg', 'l', 'm', 'm2', 'item')
    AND (content > 0) = (content_unit <> '')) NOT VALID;
ALTER TABLE variant VALIDATE CONSTRAINT variant_content_check;

-- The part of an original that is shown, in thousandths of its width and height, at 4:5; all zero: the whole.
ALTER TABLE picture
    ADD COLUMN crop_left   smallint NOT NULL DEFAULT 0,
    ADD COLUMN crop_top    smallint NOT NULL DEFAULT 0,
    ADD COLUMN crop_width  smallint NOT NULL DEFAULT 0;
ALTER TABLE picture ADD CONSTRAINT picture_crop_check CHECK (crop_left BETWEEN 0 AND 999 AND crop_top BETWEEN 0 AND 999
    AND crop_width BETWEEN 0 AND 1000 AND crop_left + crop_width <= 1000) NOT VALID;
ALTER TABLE picture VALIDATE CONSTRAINT picture_crop_check;

-- Departments that stand in no menu: collections, reached by a link.
ALTER TABLE category ADD COLUMN in_menu boolean NOT NULL DEFAULT true;

-- Addresses that products and departments had before: whoever comes by one is sent on.
CREATE TABLE former_slug (
    kind       text NOT NULL CHECK (kind IN ('product', 'category')),
    slug       text NOT NULL,
    subject_id bigint NOT NULL, -- a product or a category
    PRIMARY KEY (kind, slug)
);
CREATE INDEX former_slug_subject ON former_slug (kind, subject_id);

-- What a retailer says of products in the same words: material, care, capacity.
CREATE TABLE attribute (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name     text NOT NULL CHECK (name <> ''),
    kind     text NOT NULL CHECK (kind IN ('text', 'number', 'yes_no')),
    unit     text NOT NULL DEFAULT '', -- of a number, as it is written behind it
    facet    boolean NOT NULL DEFAULT false, -- lists are narrowed by it
    position integer NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX attribute_name ON attribute (lower(name));

CREATE TABLE product_attribute (
    product_id   bigint NOT NULL REFERENCES product,
    attribute_id bigint NOT NULL REFERENCES attribute,
    value        text NOT NULL CHECK (value <> ''), -- as it is shown, without its unit
    PRIMARY KEY (product_id, attribute_id)
);
CREATE INDEX product_attribute_attribute ON product_attribute (attribute_id);

-- Products that somebody chose to be shown beside another.
CREATE TABLE product_related (
    product_id bigint NOT NULL REFERENCES product,
    related_id bigint NOT NULL REFERENCES product CHECK (related_id <> product_id),
    position   integer NOT NULL,
    PRIMARY KEY (product_id, related_id)
);
CREATE INDEX product_related_related ON product_related (related_id);

-- Files beside a product: instructions, a size guide.
CREATE TABLE product_file (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id bigint NOT NULL REFERENCES product,
    title      text NOT NULL CHECK (title <> ''),
    key        text NOT NULL, -- in the file store
    bytes      integer NOT NULL CHECK (bytes > 0),
    UNIQUE (product_id, key)
);

-- A reduction for a time: the price that holds otherwise stands before and after it.
ALTER TABLE price ADD COLUMN sale boolean NOT NULL DEFAULT false;
ALTER TABLE price ADD CONSTRAINT price_sale_check CHECK (NOT sale OR NOT upper_inf(valid)) NOT VALID;
ALTER TABLE price VALIDATE CONSTRAINT price_sale_check;
-- A planned price that was called off before it began keeps when it would have held; it holds at no time.
ALTER TABLE price ADD COLUMN withdrawn tstzrange;
ALTER TABLE price ADD CONSTRAINT price_withdrawn_check CHECK ((withdrawn IS NOT NULL) = isempty(valid)) NOT VALID;
ALTER TABLE price VALIDATE CONSTRAINT price_withdrawn_check;
ALTER TABLE price DROP CONSTRAINT price_valid_check;

-- The list of products in the admin, by title, and its search.
CREATE INDEX product_text_title ON product_text (title, product_id) WHERE language = 'en';
CREATE INDEX product_brand_trgm ON product USING gin (lower(brand) gin_trgm_ops);
CREATE INDEX variant_sku_prefix ON variant (upper(sku) text_pattern_ops);

-- A list of the admin as somebody narrowed it, under a name of theirs.
CREATE TABLE saved_view (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    associate_id bigint NOT NULL REFERENCES associate,
    list         text NOT NULL CHECK (list ~ '^[a-z-]+$'),
    name         text NOT NULL CHECK (name <> ''),
    query        text NOT NULL, -- as it stands in the address
    UNIQUE (associate_id, list, name)
);
