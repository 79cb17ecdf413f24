-- What a store has to do, whatever part of the software it comes from.
CREATE TABLE task (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    location_id bigint NOT NULL REFERENCES location,
    kind        text NOT NULL CHECK (kind IN ('restock', 'recount')), -- put back on the shelf; count a shelf that had less than it should
    cause       text NOT NULL, -- fulfilment:12, variant:7: one open task of a kind for each
    order_id    bigint REFERENCES orders,
    variant_id  bigint REFERENCES variant,
    due_at      timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    taken_by    bigint REFERENCES associate,
    taken_at    timestamptz,
    done_by     bigint REFERENCES associate,
    done_at     timestamptz,
    CHECK ((taken_by IS NULL) = (taken_at IS NULL)),
    CHECK ((done_by IS NULL) = (done_at IS NULL))
);
CREATE UNIQUE INDEX task_open ON task (location_id, kind, cause) WHERE done_at IS NULL;
-- The counter's list.
CREATE INDEX task_location ON task (location_id, due_at) WHERE done_at IS NULL;
-- What an order left to do, and whom a task is about when they are forgotten or merged: through the order.
CREATE INDEX task_order ON task (order_id);

-- A staged pickup ends: reminders, one extension, then it expires.
ALTER TABLE fulfilment
    ADD COLUMN reminded    smallint NOT NULL DEFAULT 0, -- 1: a day before the hold ends, 2: four hours before
    ADD COLUMN extended_at timestamptz,                 -- by the shopper, once
    ADD COLUMN expired_at  timestamptz;                 -- nobody came: a no-show
ALTER TABLE fulfilment
    ADD CONSTRAINT fulfilment_reminded_check CHECK (reminded BETWEEN 0 AND 2) NOT VALID,
    ADD CONSTRAINT fulfilment_expired_check CHECK (expired_at IS NULL OR state = 'cancelled') NOT VALID,
    DROP CONSTRAINT fulfilment_state_check,
    DROP CONSTRAINT fulfilment_pickup_check;
ALTER TABLE fulfilment
    ADD CONSTRAINT fulfilment_state_check CHECK (state IN ('waiting', 'undecided', 'to_pick', 'ready', 'collected', 'shipped', 'cancelled')) NOT VALID, -- undecided: the shelf had too few, and the shopper chooses
    ADD CONSTRAINT fulfilment_pickup_check CHECK (method <> 'pickup' OR state IN ('waiting', 'undecided', 'cancelled') OR (code IS NOT NULL AND token IS NOT NULL AND ready_by IS NOT NULL)) NOT VALID;
ALTER TABLE fulfilment VALIDATE CONSTRAINT fulfilment_reminded_check;
ALTER TABLE fulfilment VALIDATE CONSTRAINT fulfilment_expired_check;
ALTER TABLE fulfilment VALIDATE CONSTRAINT fulfilment_state_check;
ALTER TABLE fulfilment VALIDATE CONSTRAINT fulfilment_pickup_check;

-- What could not be found for an order, and what the shopper wants instead. It is decided once.
CREATE TABLE shortage (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id      bigint NOT NULL REFERENCES orders,
    order_line_id bigint NOT NULL REFERENCES order_line,
    fulfilment_id bigint NOT NULL REFERENCES fulfilment, -- the part in which it waits
    location_id   bigint NOT NULL REFERENCES location,   -- where it was not found
    quantity      integer NOT NULL CHECK (quantity > 0),
    decide_by     timestamptz NOT NULL,
    choice        text CHECK (choice IN ('store', 'ship', 'refund')),
    decided_by    text CHECK (decided_by IN ('shopper', 'staff', 'time', 'order')), -- order: it was called off before anyone chose
    decided_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nulls(choice, decided_by, decided_at) IN (0, 3))
);
CREATE INDEX shortage_order ON shortage (order_id);
-- Those that are decided for the shopper.
CREATE UNIQUE INDEX shortage_open ON shortage (order_line_id) WHERE decided_at IS NULL;
CREATE INDEX shortage_due ON shortage (decide_by) WHERE decided_at IS NULL;

ALTER TABLE shop ADD COLUMN shortage_hours integer NOT NULL DEFAULT 24; -- to choose what becomes of what was not found; then it is refunded
ALTER TABLE shop ADD CONSTRAINT shop_shortage_check CHECK (shortage_hours BETWEEN 1 AND 336) NOT VALID;
ALTER TABLE shop VALIDATE CONSTRAINT shop_shortage_check;
