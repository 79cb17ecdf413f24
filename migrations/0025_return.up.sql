CREATE SEQUENCE return_number START 50001;

-- Goods that came back, over any counter, of any order; with what went back to the customer for them.
CREATE TABLE return_ticket (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number       bigint NOT NULL UNIQUE DEFAULT nextval('return_number'),
    form         text NOT NULL UNIQUE, -- names the form, so that one sent twice returns once
    order_id     bigint NOT NULL REFERENCES orders,
    location_id  bigint NOT NULL REFERENCES location,
    channel      text NOT NULL,
    associate_id bigint REFERENCES associate,
    approved_by  bigint REFERENCES associate,
    exchange_id  bigint REFERENCES orders, -- what was taken instead
    goods        bigint NOT NULL CHECK (goods >= 0),
    delivery     bigint NOT NULL DEFAULT 0 CHECK (delivery >= 0),
    points_back  integer NOT NULL DEFAULT 0 CHECK (points_back >= 0),  -- spent, given back
    points_taken integer NOT NULL DEFAULT 0 CHECK (points_taken >= 0), -- earned, taken back
    shortfall    bigint NOT NULL DEFAULT 0 CHECK (shortfall >= 0),     -- the worth of earned points that were spent already: kept
    refund       bigint NOT NULL CHECK (refund >= 0),                  -- in money and what is like it
    at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX return_ticket_order ON return_ticket (order_id);

-- One row a piece: it comes back once.
CREATE TABLE returned_unit (
    order_line_id bigint NOT NULL,
    n             integer NOT NULL,
    return_id     bigint NOT NULL REFERENCES return_ticket,
    reason        text NOT NULL CHECK (reason IN ('changed_mind', 'too_small', 'too_large', 'not_as_described', 'damaged', 'faulty', 'late', 'other', 'unknown')),
    grade         text NOT NULL CHECK (grade IN ('sellable', 'on_hold', 'damaged')),
    restocked     boolean NOT NULL,
    PRIMARY KEY (order_line_id, n),
    FOREIGN KEY (order_line_id, n) REFERENCES order_unit
);
CREATE INDEX returned_unit_return ON returned_unit (return_id);

-- What of a tender goes back. It counts against the tender when it is asked for, so two never give back the same money.
CREATE TABLE refund (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tender_id   bigint NOT NULL REFERENCES tender,
    return_id   bigint REFERENCES return_ticket, -- none: pieces were cancelled
    transfer_id bigint UNIQUE REFERENCES transfer, -- through a gateway
    how         text NOT NULL CHECK (how IN ('card', 'pay_later', 'gift_card', 'credit', 'points', 'cash', 'terminal', 'exchange')),
    amount      bigint NOT NULL CHECK (amount > 0),
    state       text NOT NULL CHECK (state IN ('asked', 'done', 'failed')),
    associate_id bigint REFERENCES associate,
    at          timestamptz NOT NULL DEFAULT now(),
    settled_at  timestamptz,
    CHECK ((state = 'asked') = (settled_at IS NULL))
);
CREATE INDEX refund_tender ON refund (tender_id);
CREATE INDEX refund_return ON refund (return_id);

ALTER TABLE stock_move ADD COLUMN return_id bigint;
ALTER TABLE stock_move ADD CONSTRAINT stock_move_return_id_fkey FOREIGN KEY (return_id) REFERENCES return_ticket NOT VALID;
ALTER TABLE stock_move VALIDATE CONSTRAINT stock_move_return_id_fkey;
