-- Languages of the texts below; Postgres stems English, others fall back to plain words and trigrams.
CREATE FUNCTION search_words(title text, rest text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector('english'::regconfig, title), 'A') || setweight(to_tsvector('english'::regconfig, rest), 'C')
$$;

CREATE TABLE category (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent_id bigint REFERENCES category, -- none: a department
    slug      text NOT NULL UNIQUE,
    position  integer NOT NULL DEFAULT 0
);
CREATE INDEX category_parent ON category (parent_id);

CREATE TABLE category_text (
    category_id bigint NOT NULL REFERENCES category,
    language    text NOT NULL,
    name        text NOT NULL CHECK (name <> ''),
    PRIMARY KEY (category_id, language)
);

CREATE TABLE product (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug         text NOT NULL UNIQUE,
    brand        text NOT NULL DEFAULT '',
    status       text NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
    options      text[] NOT NULL DEFAULT '{}', -- names, in the order of variant.options
    tags         text[] NOT NULL DEFAULT '{}',
    popularity   integer NOT NULL DEFAULT 0,   -- units ordered in the last 90 days, refreshed by a job
    created_at   timestamptz NOT NULL DEFAULT now()
);
-- Home page: what is new, what is popular.
CREATE INDEX product_new ON product (created_at DESC, id DESC) WHERE status = 'active';
CREATE INDEX product_popular ON product (popularity DESC, id DESC) WHERE status = 'active';

CREATE TABLE product_text (
    product_id  bigint NOT NULL REFERENCES product,
    language    text NOT NULL,
    title       text NOT NULL CHECK (title <> ''),
    description text NOT NULL DEFAULT '', -- plain text, paragraphs parted by an empty line
    keywords    text NOT NULL DEFAULT '', -- brand, categories, tags, options: what people also type
    words       tsvector GENERATED ALWAYS AS (search_words(title, keywords || ' ' || description)) STORED,
    PRIMARY KEY (product_id, language)
);
-- The shop's search, and its second try for what was misspelt.
CREATE INDEX product_text_words ON product_text USING gin (words);
CREATE INDEX product_text_trgm ON product_text USING gin (lower(title) gin_trgm_ops);

-- Every word of the catalogue once: what a misspelt one was meant to be.
CREATE TABLE search_word (
    word text PRIMARY KEY
);

CREATE TABLE product_category (
    product_id  bigint NOT NULL REFERENCES product,
    category_id bigint NOT NULL REFERENCES category,
    PRIMARY KEY (category_id, product_id)
);
-- A product's own page asks for its categories.
CREATE INDEX product_category_product ON product_category (product_id);

CREATE TABLE picture (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id bigint NOT NULL REFERENCES product,
    position   integer NOT NULL,
    alt        text NOT NULL DEFAULT '',
    source     text NOT NULL,             -- where the original came from, so that a second import finds it again
    original   text NOT NULL,             -- its key in the file store
    tint       text NOT NULL DEFAULT '' CHECK (tint ~ '^([0-9a-f]{6})?$'), -- the colour in which a cut-out is drawn for its variant
    key        text,                      -- of the drawn sizes in the file store; none while the job has not run
    failed     text,                      -- why it could not be drawn
    UNIQUE (product_id, source)
);

CREATE TABLE variant (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id bigint NOT NULL REFERENCES product,
    position   integer NOT NULL,
    sku        text NOT NULL CHECK (sku <> ''),
    options    text[] NOT NULL DEFAULT '{}',
    tax_class  text NOT NULL REFERENCES tax_class DEFAULT 'standard',
    unit_cost  bigint CHECK (unit_cost >= 0), -- minor units of the shop's first currency
    grams      integer NOT NULL DEFAULT 0 CHECK (grams >= 0),
    picture_id bigint REFERENCES picture,
    active     boolean NOT NULL DEFAULT true
);
-- A SKU is one variant whatever the case it was typed in.
CREATE UNIQUE INDEX variant_sku ON variant (upper(sku));
CREATE INDEX variant_product ON variant (product_id, position);

CREATE TABLE barcode (
    gtin       char(14) PRIMARY KEY CHECK (gtin ~ '^[0-9]{14}$'),
    variant_id bigint NOT NULL REFERENCES variant
);
CREATE INDEX barcode_variant ON barcode (variant_id);

CREATE TABLE price_list (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    currency     char(3) NOT NULL,
    tax_included boolean NOT NULL,
    UNIQUE (currency, tax_included)
);

-- Append-only: a new price closes the one before it, no amount is ever changed.
CREATE TABLE price (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    variant_id    bigint NOT NULL REFERENCES variant,
    price_list_id bigint NOT NULL REFERENCES price_list,
    amount        bigint NOT NULL CHECK (amount BETWEEN 0 AND 10000000000), -- money.MaxUnit
    compare_at    bigint CHECK (compare_at > amount), -- the maker's recommended price, never called a reduction
    valid         tstzrange NOT NULL DEFAULT tstzrange(now(), NULL) CHECK (NOT isempty(valid)),
    associate_id  bigint REFERENCES associate,
    EXCLUDE USING gist (price_list_id WITH =, variant_id WITH =, valid WITH &&)
);
-- The price that holds now, on every page: the open one is the only row most variants have.
CREATE INDEX price_variant ON price (variant_id, price_list_id, lower(valid) DESC);
