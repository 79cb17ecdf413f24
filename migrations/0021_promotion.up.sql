-- A rule of the shop that makes something cheaper. What it asks and does is the rule; who may use it how often is columns, because that is guarded.
CREATE TABLE promotion (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title            text NOT NULL CHECK (title <> ''),
    state            text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'live', 'paused', 'ended')), -- live before its first day: scheduled
    priority         integer NOT NULL DEFAULT 0,
    exclusion        text NOT NULL DEFAULT '', -- of those with the same one, the first that applies is the only one
    combines         text[] NOT NULL DEFAULT '{line,order,shipping}',
    starts_at        timestamptz,
    ends_at          timestamptz,
    needs_code       boolean NOT NULL DEFAULT false,
    rule             jsonb NOT NULL,
    max_uses         integer CHECK (max_uses > 0),
    max_per_customer integer CHECK (max_per_customer > 0),
    max_per_day      integer CHECK (max_per_day > 0),
    budget           bigint CHECK (budget > 0), -- minor units of the rule's currency
    used             integer NOT NULL DEFAULT 0,
    spent            bigint NOT NULL DEFAULT 0,
    -- Without a limit nothing is counted here, so that a promotion of the whole shop is not one row that every order waits for.
    counted          boolean NOT NULL GENERATED ALWAYS AS (max_uses IS NOT NULL OR budget IS NOT NULL) STORED,
    version          integer NOT NULL DEFAULT 1,
    created_by       bigint REFERENCES associate,
    created_at       timestamptz NOT NULL DEFAULT now(),
    CHECK (ends_at > starts_at),
    CHECK (used >= 0 AND (max_uses IS NULL OR used <= max_uses)),
    CHECK (spent >= 0 AND (budget IS NULL OR spent <= budget))
);
-- Every quote asks for those that are live.
CREATE INDEX promotion_live ON promotion (id) WHERE state = 'live';

CREATE TABLE coupon (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    promotion_id bigint NOT NULL REFERENCES promotion,
    code         text NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9-]{3,32}$'),
    batch        text NOT NULL DEFAULT '',         -- what it was made for, where many were made at once
    customer_id  bigint REFERENCES customer,       -- personal: nobody else's
    max_uses     integer CHECK (max_uses > 0),
    used         integer NOT NULL DEFAULT 0,
    disabled_at  timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (used >= 0 AND (max_uses IS NULL OR used <= max_uses))
);
CREATE INDEX coupon_promotion ON coupon (promotion_id, id);

-- An order's use of a promotion. Given back when the whole order is cancelled before any of it was handed over, and never otherwise.
CREATE TABLE promotion_use (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    promotion_id bigint NOT NULL REFERENCES promotion,
    coupon_id    bigint REFERENCES coupon,
    order_id     bigint NOT NULL REFERENCES orders,
    amount       bigint NOT NULL CHECK (amount >= 0),
    person_id    bigint NOT NULL REFERENCES customer,
    email_key    text NOT NULL DEFAULT '', -- a hash: one mailbox is one person, however it is spelt
    day          date NOT NULL,            -- where the order was placed
    at           timestamptz NOT NULL DEFAULT now(),
    released_at  timestamptz,
    UNIQUE (order_id, promotion_id)
);
-- What a promotion cost; and its counters, counted afresh when a limit is set.
CREATE INDEX promotion_use_promotion ON promotion_use (promotion_id);
CREATE INDEX promotion_use_coupon ON promotion_use (coupon_id) WHERE coupon_id IS NOT NULL;

-- Uses by one person, mailbox or day, where there is a limit to them.
CREATE TABLE promotion_counter (
    promotion_id bigint NOT NULL REFERENCES promotion,
    key          text NOT NULL, -- person:12, email:…, day:2026-11-22
    used         integer NOT NULL CHECK (used >= 0),
    PRIMARY KEY (promotion_id, key)
);

-- Codes that were typed into a cart.
CREATE TABLE cart_code (
    cart_id  bigint NOT NULL REFERENCES cart ON DELETE CASCADE,
    code     text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cart_id, code)
);

-- A better price from a quantity on, or for members. Append-only like the price itself.
CREATE TABLE price_break (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    variant_id    bigint NOT NULL REFERENCES variant,
    price_list_id bigint NOT NULL REFERENCES price_list,
    from_quantity integer NOT NULL CHECK (from_quantity > 0),
    members       boolean NOT NULL DEFAULT false,
    amount        bigint NOT NULL CHECK (amount BETWEEN 0 AND 10000000000),
    valid         tstzrange NOT NULL DEFAULT tstzrange(now(), NULL) CHECK (NOT isempty(valid)),
    associate_id  bigint REFERENCES associate,
    CHECK (members OR from_quantity > 1),
    EXCLUDE USING gist (price_list_id WITH =, variant_id WITH =, from_quantity WITH =, (members::integer) WITH =, valid WITH &&)
);
-- Every quote asks for those of its variants.
CREATE INDEX price_break_variant ON price_break (variant_id, price_list_id);

-- A tier is set by staff until points do it.
ALTER TABLE customer ADD COLUMN tier text NOT NULL DEFAULT '';
