-- What one shop does with points, returns and refunds.
ALTER TABLE shop
    ADD COLUMN points_rate    integer NOT NULL DEFAULT 1,     -- points for each whole unit of a currency; 0: there are none
    ADD COLUMN points_worth   integer NOT NULL DEFAULT 100,   -- so many are worth one whole unit
    ADD COLUMN points_minimum integer NOT NULL DEFAULT 100,   -- fewer are not spent
    ADD COLUMN return_days    integer NOT NULL DEFAULT 30,    -- how long something can come back; points are pending until then
    ADD COLUMN refund_limit   bigint NOT NULL DEFAULT 10000,  -- minor units; above it a manager agrees
    ADD COLUMN keep_delivery  boolean NOT NULL DEFAULT false; -- true: the charge for delivery is not given back when everything returns
ALTER TABLE shop
    ADD CONSTRAINT shop_points_check CHECK (points_rate BETWEEN 0 AND 1000 AND points_worth BETWEEN 1 AND 100000 AND points_minimum >= 1),
    ADD CONSTRAINT shop_returns_check CHECK (return_days BETWEEN 0 AND 3650 AND refund_limit >= 0);

-- The code is kept as a hash: a dump buys nothing. It has 80 random bits, so the hash needs no salt.
CREATE TABLE gift_card (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code_hash     bytea UNIQUE,                   -- none until its mail is written
    ends          text NOT NULL DEFAULT '',       -- the last four letters, by which its owner knows it
    currency      char(3) NOT NULL,
    issued        bigint NOT NULL CHECK (issued > 0),
    balance       bigint NOT NULL CHECK (balance >= 0),
    order_line_id bigint REFERENCES order_line,   -- the piece that bought it; none: given by the shop
    n             integer,
    recipient     text NOT NULL DEFAULT '',       -- where it is mailed
    customer_id   bigint REFERENCES customer,     -- who bought it
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (order_line_id, n)
);

CREATE TABLE gift_card_entry (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gift_card_id bigint NOT NULL REFERENCES gift_card,
    delta        bigint NOT NULL CHECK (delta <> 0),
    cause        text NOT NULL CHECK (cause IN ('issued', 'spent', 'restored', 'voided')),
    order_id     bigint REFERENCES orders,
    at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX gift_card_entry_card ON gift_card_entry (gift_card_id, id);

-- What the shop owes a customer.
CREATE TABLE credit (
    customer_id bigint NOT NULL REFERENCES customer,
    currency    char(3) NOT NULL,
    balance     bigint NOT NULL DEFAULT 0 CHECK (balance >= 0),
    PRIMARY KEY (customer_id, currency)
);

CREATE TABLE credit_entry (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id  bigint NOT NULL,
    currency     char(3) NOT NULL,
    delta        bigint NOT NULL CHECK (delta <> 0),
    cause        text NOT NULL CHECK (cause IN ('given', 'spent', 'restored', 'refunded')),
    order_id     bigint REFERENCES orders,
    associate_id bigint REFERENCES associate,
    at           timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (customer_id, currency) REFERENCES credit
);
CREATE INDEX credit_entry_customer ON credit_entry (customer_id, currency, id);

-- Points lie in lots: what one purchase earned, or what was given back at once.
CREATE TABLE points_lot (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customer,
    order_id    bigint REFERENCES orders,
    points      integer NOT NULL CHECK (points > 0),
    remaining   integer NOT NULL,
    vests_at    timestamptz NOT NULL, -- until then they can be seen, not spent
    at          timestamptz NOT NULL DEFAULT now(),
    CHECK (remaining BETWEEN 0 AND points)
);
-- Spending, oldest first.
CREATE INDEX points_lot_customer ON points_lot (customer_id, id) WHERE remaining > 0;
CREATE INDEX points_lot_order ON points_lot (order_id);

CREATE TABLE points_entry (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lot_id       bigint NOT NULL REFERENCES points_lot,
    customer_id  bigint NOT NULL REFERENCES customer,
    delta        integer NOT NULL CHECK (delta <> 0),
    cause        text NOT NULL CHECK (cause IN ('earned', 'spent', 'restored', 'taken_back', 'given')),
    order_id     bigint REFERENCES orders,
    associate_id bigint REFERENCES associate,
    reason       text NOT NULL DEFAULT '',
    at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX points_entry_customer ON points_entry (customer_id, id DESC);
CREATE INDEX points_entry_lot ON points_entry (lot_id);
CREATE INDEX points_entry_order ON points_entry (order_id);
