CREATE TABLE cart (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customer,
    code        text NOT NULL UNIQUE,  -- “go on at the counter”: eight characters, said aloud or scanned
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'ordered')),
    channel     text NOT NULL,
    location_id bigint REFERENCES location, -- the store it will be collected from; none: not chosen yet
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
-- One open cart per customer.
CREATE UNIQUE INDEX cart_open ON cart (customer_id) WHERE state = 'open';

CREATE TABLE cart_line (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cart_id    bigint NOT NULL REFERENCES cart ON DELETE CASCADE,
    variant_id bigint NOT NULL REFERENCES variant,
    quantity   integer NOT NULL CHECK (quantity BETWEEN 1 AND 99),
    channel    text NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (cart_id, variant_id)
);

CREATE SEQUENCE order_number START 10001;

CREATE TABLE orders (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number        bigint NOT NULL UNIQUE DEFAULT nextval('order_number'),
    public_id     text NOT NULL UNIQUE,
    client_id     uuid UNIQUE,
    cart_id       bigint UNIQUE REFERENCES cart,
    customer_id   bigint NOT NULL REFERENCES customer,
    channel       text NOT NULL,
    location_id   bigint NOT NULL REFERENCES location,
    associate_id  bigint REFERENCES associate,
    currency      char(3) NOT NULL,
    tax_included  boolean NOT NULL,
    language      text NOT NULL DEFAULT 'en',
    state         text NOT NULL CHECK (state IN ('placed', 'confirmed', 'cancelled')),
    payment_state text NOT NULL CHECK (payment_state IN ('due', 'paid')),
    lines         bigint NOT NULL,
    discount      bigint NOT NULL DEFAULT 0,
    shipping      bigint NOT NULL DEFAULT 0 CHECK (shipping >= 0),
    tax           bigint NOT NULL CHECK (tax >= 0), -- contained in the total when prices include it, else added
    total         bigint NOT NULL CHECK (total >= 0),
    name          text NOT NULL,
    email         text NOT NULL DEFAULT '',
    phone         text NOT NULL DEFAULT '',
    placed_at     timestamptz NOT NULL DEFAULT now(),
    cancelled_at  timestamptz,
    CHECK (discount BETWEEN 0 AND lines),
    CHECK (total = lines - discount + shipping + CASE WHEN tax_included THEN 0 ELSE tax END),
    CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL))
);
-- A customer's purchases, newest first.
CREATE INDEX orders_customer ON orders (customer_id, id DESC);
-- The admin's list of orders.
CREATE INDEX orders_placed ON orders (placed_at DESC);

CREATE TABLE fulfilment (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id      bigint NOT NULL REFERENCES orders,
    method        text NOT NULL CHECK (method IN ('pickup', 'carry_out')),
    location_id   bigint NOT NULL REFERENCES location,
    state         text NOT NULL CHECK (state IN ('to_pick', 'ready', 'collected', 'cancelled')),
    code          text CHECK (code ~ '^[0-9]{6}$'),
    token         text UNIQUE,  -- what the QR carries: unguessable, so a scan needs no second proof
    ready_by      timestamptz,  -- what the shopper was promised
    ready_at      timestamptz,
    ready_associate_id bigint REFERENCES associate,
    place         text NOT NULL DEFAULT '', -- where it is staged
    hold_until    timestamptz,
    collected_at  timestamptz,
    collected_associate_id bigint REFERENCES associate,
    proof         text CHECK (proof IN ('code', 'scan')),
    cancelled_at  timestamptz,
    CHECK (state NOT IN ('ready', 'collected') OR ready_at IS NOT NULL OR method = 'carry_out'),
    CHECK ((state = 'collected') = (collected_at IS NOT NULL)),
    CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL)),
    CHECK (method <> 'pickup' OR (code IS NOT NULL AND token IS NOT NULL AND ready_by IS NOT NULL))
);
CREATE INDEX fulfilment_order ON fulfilment (order_id);
-- The pickup queue of one store. The code is unique while it can still be used there.
CREATE UNIQUE INDEX fulfilment_open_code ON fulfilment (location_id, code) WHERE state IN ('to_pick', 'ready');

CREATE TABLE order_line (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id      bigint NOT NULL REFERENCES orders,
    fulfilment_id bigint NOT NULL REFERENCES fulfilment,
    position      integer NOT NULL,
    variant_id    bigint NOT NULL REFERENCES variant,
    sku           text NOT NULL,
    title         text NOT NULL,
    options       text NOT NULL DEFAULT '',
    quantity      integer NOT NULL CHECK (quantity > 0),
    unit_price    bigint NOT NULL CHECK (unit_price >= 0),
    amount        bigint NOT NULL,
    discount      bigint NOT NULL DEFAULT 0,
    tax_name      text NOT NULL,
    tax_ppm       integer NOT NULL,
    tax           bigint NOT NULL CHECK (tax >= 0),
    UNIQUE (order_id, position),
    CHECK (amount = quantity * unit_price),
    CHECK (discount BETWEEN 0 AND amount)
);
-- “Popular”, and what of a variant is promised to whom.
CREATE INDEX order_line_variant ON order_line (variant_id);
CREATE INDEX order_line_fulfilment ON order_line (fulfilment_id);

-- One row a piece: what was paid for it is frozen here, so a return never computes a price again.
CREATE TABLE order_unit (
    order_line_id bigint NOT NULL REFERENCES order_line,
    n             integer NOT NULL CHECK (n > 0),
    paid          bigint NOT NULL CHECK (paid >= 0), -- with tax, after discounts
    tax           bigint NOT NULL CHECK (tax >= 0 AND tax <= paid),
    discount      bigint NOT NULL DEFAULT 0 CHECK (discount >= 0),
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'collected', 'carried_out', 'cancelled')),
    PRIMARY KEY (order_line_id, n)
);

CREATE TABLE tender (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id     bigint NOT NULL REFERENCES orders,
    kind         text NOT NULL CHECK (kind IN ('pay_at_pickup', 'cash', 'terminal')),
    authorised   bigint NOT NULL CHECK (authorised >= 0),
    captured     bigint NOT NULL DEFAULT 0,
    refunded     bigint NOT NULL DEFAULT 0,
    given        bigint CHECK (given >= captured), -- the cash that was laid down: what is more is change
    settled_at   timestamptz, -- a promise to pay ends when other tenders kept it or the order was cancelled
    associate_id bigint REFERENCES associate,
    at           timestamptz NOT NULL DEFAULT now(),
    CHECK (captured BETWEEN 0 AND authorised),
    CHECK (refunded BETWEEN 0 AND captured)
);
CREATE INDEX tender_order ON tender (order_id);

ALTER TABLE timeline ADD FOREIGN KEY (order_id) REFERENCES orders;
ALTER TABLE timeline ADD FOREIGN KEY (variant_id) REFERENCES variant;
ALTER TABLE stock_move ADD FOREIGN KEY (order_line_id) REFERENCES order_line;
ALTER TABLE reservation ADD FOREIGN KEY (order_line_id) REFERENCES order_line;

-- A message that was sent: one per order and kind, so that a job that runs twice sends once.
CREATE TABLE message (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id   bigint NOT NULL REFERENCES orders,
    kind       text NOT NULL,
    sent_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (order_id, kind)
);
