CREATE TABLE stock_level (
    variant_id  bigint NOT NULL REFERENCES variant,
    location_id bigint NOT NULL REFERENCES location,
    condition   text NOT NULL DEFAULT 'sellable' CHECK (condition IN ('sellable', 'on_hold', 'damaged')),
    on_hand     integer NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
    reserved    integer NOT NULL DEFAULT 0,
    safety      integer NOT NULL DEFAULT 0 CHECK (safety >= 0),
    PRIMARY KEY (variant_id, location_id, condition),
    CHECK (reserved BETWEEN 0 AND on_hand)
) WITH (fillfactor = 70); -- room for updates in place: the hot rows of the shop
-- “In stock at my store”, and the stock page of one location.
CREATE INDEX stock_level_location ON stock_level (location_id, variant_id);

CREATE TABLE stock_move (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    variant_id   bigint NOT NULL REFERENCES variant,
    location_id  bigint NOT NULL REFERENCES location,
    condition    text NOT NULL DEFAULT 'sellable' CHECK (condition IN ('sellable', 'on_hold', 'damaged')),
    delta        integer NOT NULL CHECK (delta <> 0),
    cause        text NOT NULL CHECK (cause IN ('receipt', 'sale', 'return', 'transfer', 'count', 'damage')),
    reason       text NOT NULL DEFAULT '',
    channel      text NOT NULL,
    order_line_id bigint,
    associate_id bigint REFERENCES associate,
    form         text UNIQUE, -- names the form that booked it, so that one sent twice books once
    at           timestamptz NOT NULL DEFAULT now()
);
-- The ledger behind a figure.
CREATE INDEX stock_move_level ON stock_move (variant_id, location_id, id DESC);

CREATE TABLE reservation (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_line_id bigint NOT NULL,
    variant_id    bigint NOT NULL REFERENCES variant,
    location_id   bigint NOT NULL REFERENCES location,
    quantity      integer NOT NULL CHECK (quantity > 0),
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz, -- only while the order is not confirmed
    released_at   timestamptz,
    release       text CHECK (release IN ('collected', 'cancelled', 'expired', 'short')),
    CHECK ((released_at IS NULL) = (release IS NULL))
);
-- What is claimed of a level; the audit adds it up, a failed claim looks for expired ones.
CREATE INDEX reservation_level ON reservation (variant_id, location_id) WHERE released_at IS NULL;
CREATE INDEX reservation_line ON reservation (order_line_id);
