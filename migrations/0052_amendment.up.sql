-- An order that is on hold is neither staged nor sent nor handed over until somebody releases it.
ALTER TABLE orders
    ADD COLUMN held_at     timestamptz,
    ADD COLUMN hold_reason text NOT NULL DEFAULT '';
CREATE INDEX orders_held ON orders (id) WHERE held_at IS NOT NULL;

CREATE TABLE order_note (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id     bigint NOT NULL REFERENCES orders,
    body         text NOT NULL CHECK (body <> ''),
    associate_id bigint NOT NULL REFERENCES associate,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX order_note_order ON order_note (order_id);

CREATE TABLE order_tag (
    order_id bigint NOT NULL REFERENCES orders,
    tag      text NOT NULL CHECK (tag <> ''),
    PRIMARY KEY (tag, order_id)
);
CREATE INDEX order_tag_order ON order_tag (order_id);

-- Parcels of a fulfilment beyond its first, which stands on the fulfilment itself.
CREATE TABLE parcel (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fulfilment_id bigint NOT NULL REFERENCES fulfilment,
    carrier       text NOT NULL,
    tracking      text NOT NULL CHECK (tracking <> ''),
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (fulfilment_id, tracking)
);

-- Where a parcel of a carrier is followed: an address with {number} in it.
CREATE TABLE carrier (
    name     text PRIMARY KEY CHECK (name <> ''),
    tracking text NOT NULL CHECK (tracking ~ '^https://' AND tracking LIKE '%{number}%')
);

-- What is still to be done, in the admin's start page and its lists of orders: few rows of many.
CREATE INDEX fulfilment_open ON fulfilment (location_id, state, ready_by) INCLUDE (order_id) WHERE state IN ('waiting', 'undecided', 'to_pick', 'ready');
