-- An order is pending while its money is under way, authorised when it is promised, paid when it is here, void when it never will be.
ALTER TABLE orders DROP CONSTRAINT orders_payment_state_check;
ALTER TABLE orders ADD CONSTRAINT orders_payment_state_check CHECK (payment_state IN ('pending', 'due', 'authorised', 'paid', 'void')) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_payment_state_check;
ALTER TABLE orders ADD COLUMN hold_until timestamptz; -- while it is placed and not confirmed: when its claims end
-- The sweeper looks for those whose time is over. None are placed yet, so this is quick.
CREATE INDEX orders_placed_until ON orders (hold_until) WHERE state = 'placed';

ALTER TABLE fulfilment DROP CONSTRAINT fulfilment_method_check;
ALTER TABLE fulfilment DROP CONSTRAINT fulfilment_state_check;
ALTER TABLE fulfilment DROP CONSTRAINT fulfilment_check3;
ALTER TABLE fulfilment
    ADD COLUMN delivery_id  bigint,
    ADD COLUMN name         text NOT NULL DEFAULT '',
    ADD COLUMN lines        text NOT NULL DEFAULT '', -- street, flat, whatever the country writes, one a line
    ADD COLUMN town         text NOT NULL DEFAULT '',
    ADD COLUMN region       text NOT NULL DEFAULT '',
    ADD COLUMN postcode     text NOT NULL DEFAULT '',
    ADD COLUMN country      char(2),
    ADD COLUMN charge       bigint NOT NULL DEFAULT 0, -- for the delivery, before what was taken off
    ADD COLUMN discount     bigint NOT NULL DEFAULT 0,
    ADD COLUMN paid         bigint NOT NULL DEFAULT 0, -- with tax
    ADD COLUMN tax          bigint NOT NULL DEFAULT 0,
    ADD COLUMN tax_name     text NOT NULL DEFAULT '',
    ADD COLUMN tax_ppm      integer NOT NULL DEFAULT 0,
    ADD COLUMN refunded     boolean NOT NULL DEFAULT false, -- the charge went back, because everything did
    ADD COLUMN arrives_from date,
    ADD COLUMN arrives_by   date,
    ADD COLUMN carrier      text NOT NULL DEFAULT '',
    ADD COLUMN tracking     text NOT NULL DEFAULT '',
    ADD COLUMN shipped_at   timestamptz,
    ADD COLUMN shipped_associate_id bigint;
ALTER TABLE fulfilment
    ADD CONSTRAINT fulfilment_method_check CHECK (method IN ('pickup', 'carry_out', 'ship', 'mail')) NOT VALID, -- mail: a gift card
    ADD CONSTRAINT fulfilment_state_check CHECK (state IN ('waiting', 'to_pick', 'ready', 'collected', 'shipped', 'cancelled')) NOT VALID, -- waiting: for the payment
    ADD CONSTRAINT fulfilment_pickup_check CHECK (method <> 'pickup' OR state IN ('waiting', 'cancelled') OR (code IS NOT NULL AND token IS NOT NULL AND ready_by IS NOT NULL)) NOT VALID,
    ADD CONSTRAINT fulfilment_ship_check CHECK (method <> 'ship' OR (country IS NOT NULL AND delivery_id IS NOT NULL)) NOT VALID,
    ADD CONSTRAINT fulfilment_shipped_check CHECK ((state = 'shipped') = (shipped_at IS NOT NULL)) NOT VALID,
    ADD CONSTRAINT fulfilment_charge_check CHECK (discount BETWEEN 0 AND charge AND tax BETWEEN 0 AND paid) NOT VALID,
    ADD CONSTRAINT fulfilment_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES delivery NOT VALID,
    ADD CONSTRAINT fulfilment_shipped_associate_id_fkey FOREIGN KEY (shipped_associate_id) REFERENCES associate NOT VALID;
ALTER TABLE fulfilment VALIDATE CONSTRAINT fulfilment_method_check;
ALTER TABLE fulfilment VALIDATE CONSTRAINT fulfilment_state_check;
ALTER TABLE fulfilment VALIDATE CONSTRAINT fulfilment_pickup_check;
ALTER TABLE fulfilment VALIDATE CONSTRAINT fulfilment_ship_check;
ALTER TABLE fulfilment VALIDATE CONSTRAINT fulfilment_shipped_check;
ALTER TABLE fulfilment VALIDATE CONSTRAINT fulfilment_charge_check;
ALTER TABLE fulfilment VALIDATE CONSTRAINT fulfilment_delivery_id_fkey;
ALTER TABLE fulfilment VALIDATE CONSTRAINT fulfilment_shipped_associate_id_fkey;

ALTER TABLE order_line
    ADD COLUMN list_price bigint NOT NULL DEFAULT 0, -- of one, before a break; 0 on lines from before there were breaks
    ADD COLUMN gift       boolean NOT NULL DEFAULT false,
    ADD COLUMN note       text NOT NULL DEFAULT '';

ALTER TABLE order_unit DROP CONSTRAINT order_unit_state_check;
ALTER TABLE order_unit
    ADD COLUMN by_points bigint NOT NULL DEFAULT 0, -- what of paid is paid by points
    ADD COLUMN points    integer NOT NULL DEFAULT 0, -- that it earns when it is handed over
    ADD CONSTRAINT order_unit_state_check CHECK (state IN ('open', 'collected', 'carried_out', 'shipped', 'cancelled')) NOT VALID,
    ADD CONSTRAINT order_unit_points_check CHECK (by_points BETWEEN 0 AND paid AND points >= 0) NOT VALID;
ALTER TABLE order_unit VALIDATE CONSTRAINT order_unit_state_check;
ALTER TABLE order_unit VALIDATE CONSTRAINT order_unit_points_check;

-- A promotion's part in an order, and each piece's share of it. Returns read these; a promotion is never computed again.
CREATE TABLE order_discount (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id     bigint NOT NULL REFERENCES orders,
    promotion_id bigint NOT NULL REFERENCES promotion,
    level        text NOT NULL CHECK (level IN ('line', 'order', 'shipping')),
    title        text NOT NULL,
    code         text NOT NULL DEFAULT '',
    amount       bigint NOT NULL CHECK (amount >= 0),
    UNIQUE (order_id, promotion_id)
);

CREATE TABLE order_share (
    order_discount_id bigint NOT NULL REFERENCES order_discount,
    order_line_id     bigint NOT NULL REFERENCES order_line,
    n                 integer NOT NULL,
    amount            bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (order_discount_id, order_line_id, n)
);

-- An attempt to be paid by somebody else's means. Its id is the key under which the gateway knows it, so the row is there before the call.
CREATE TABLE payment (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id    bigint NOT NULL REFERENCES orders,
    gateway     text NOT NULL CHECK (gateway IN ('sandbox', 'stripe')),
    method      text NOT NULL CHECK (method IN ('card', 'pay_later')),
    currency    char(3) NOT NULL,
    amount      bigint NOT NULL CHECK (amount > 0),
    state       text NOT NULL DEFAULT 'started' CHECK (state IN ('started', 'authorised', 'captured', 'declined', 'void')),
    reference   text,                    -- the gateway's name for it
    page        text NOT NULL DEFAULT '', -- where the shopper pays
    declined    text NOT NULL DEFAULT '', -- why, as the gateway says it
    lapses_at   timestamptz,             -- an authorisation that is not captured by then is gone
    warned_at   timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    settled_at  timestamptz,
    UNIQUE (gateway, reference)
);
CREATE INDEX payment_order ON payment (order_id);
-- One attempt is open or holds at a time.
CREATE UNIQUE INDEX payment_live ON payment (order_id) WHERE state IN ('started', 'authorised', 'captured');
-- Those that lapse, and those that the hourly look asks about.
CREATE INDEX payment_open ON payment (created_at) WHERE state IN ('started', 'authorised');

ALTER TABLE tender DROP CONSTRAINT tender_kind_check;
ALTER TABLE tender
    ADD COLUMN payment_id   bigint,
    ADD COLUMN gift_card_id bigint,
    ADD COLUMN points       integer, -- of a tender in points: how many
    ADD COLUMN points_back  integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT tender_kind_check CHECK (kind IN ('pay_at_pickup', 'cash', 'terminal', 'card', 'pay_later', 'gift_card', 'credit', 'points', 'exchange')) NOT VALID,
    ADD CONSTRAINT tender_means_check CHECK ((kind IN ('card', 'pay_later')) = (payment_id IS NOT NULL) AND (kind = 'gift_card') = (gift_card_id IS NOT NULL) AND (kind = 'points') = (points IS NOT NULL)) NOT VALID,
    ADD CONSTRAINT tender_points_check CHECK (points_back BETWEEN 0 AND coalesce(points, 0)) NOT VALID,
    ADD CONSTRAINT tender_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payment NOT VALID,
    ADD CONSTRAINT tender_gift_card_id_fkey FOREIGN KEY (gift_card_id) REFERENCES gift_card NOT VALID;
ALTER TABLE tender VALIDATE CONSTRAINT tender_kind_check;
ALTER TABLE tender VALIDATE CONSTRAINT tender_means_check;
ALTER TABLE tender VALIDATE CONSTRAINT tender_points_check;
ALTER TABLE tender VALIDATE CONSTRAINT tender_payment_id_fkey;
ALTER TABLE tender VALIDATE CONSTRAINT tender_gift_card_id_fkey;
CREATE INDEX tender_payment ON tender (payment_id) WHERE payment_id IS NOT NULL;

-- Money that is asked of a gateway, or given back: the row first, then the call under its id, then what came of it.
CREATE TABLE transfer (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id bigint NOT NULL REFERENCES payment,
    tender_id  bigint REFERENCES tender,
    kind       text NOT NULL CHECK (kind IN ('capture', 'void', 'refund')),
    amount     bigint NOT NULL CHECK (amount >= 0),
    state      text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'done', 'failed')),
    problem    text NOT NULL DEFAULT '',
    at         timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    CHECK ((state = 'asked') = (settled_at IS NULL))
);
CREATE INDEX transfer_payment ON transfer (payment_id);
-- A payment is captured once, and given up once.
CREATE UNIQUE INDEX transfer_once ON transfer (payment_id, kind) WHERE kind <> 'refund' AND state <> 'failed';
CREATE INDEX transfer_asked ON transfer (at) WHERE state = 'asked';

-- What a gateway told us, once each, before anything is done about it.
CREATE TABLE payment_event (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway     text NOT NULL,
    event       text NOT NULL, -- its id there
    kind        text NOT NULL,
    reference   text NOT NULL DEFAULT '',
    received_at timestamptz NOT NULL DEFAULT now(),
    applied_at  timestamptz,
    outcome     text NOT NULL DEFAULT '',
    UNIQUE (gateway, event)
);
CREATE INDEX payment_event_waiting ON payment_event (received_at) WHERE applied_at IS NULL;

-- Where the gateway's book and ours do not agree: a row that somebody closes.
CREATE TABLE difference (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('amount', 'captured', 'refunded', 'unknown', 'event', 'lapsed', 'late', 'lapses')),
    payment_id bigint REFERENCES payment,
    reference  text NOT NULL DEFAULT '',
    ours       bigint NOT NULL DEFAULT 0,
    theirs     bigint NOT NULL DEFAULT 0,
    detail     text NOT NULL DEFAULT '',
    found_at   timestamptz NOT NULL DEFAULT now(),
    closed_at  timestamptz,
    closed_by  bigint REFERENCES associate,
    note       text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX difference_open ON difference (kind, reference) WHERE closed_at IS NULL;

-- A claim may come before its order line: then it has an end.
ALTER TABLE reservation ALTER COLUMN order_line_id DROP NOT NULL;
ALTER TABLE reservation ADD CONSTRAINT reservation_owner_check CHECK (order_line_id IS NOT NULL OR expires_at IS NOT NULL) NOT VALID;
ALTER TABLE reservation VALIDATE CONSTRAINT reservation_owner_check;

ALTER TABLE timeline DROP CONSTRAINT timeline_kind_check;
ALTER TABLE timeline ADD CONSTRAINT timeline_kind_check CHECK (kind IN (
    'added', 'bought', 'collected', 'cancelled', 'contacted', 'joined', 'registered', 'signed_in', 'signed_out', 'verified', 'removed', 'consented', 'withdrew',
    'wished', 'noted', 'opened', 'merged', 'unmerged', 'exported', 'disabled', 'enabled', 'secured',
    'shipped', 'returned', 'refunded', 'redeemed', 'earned')) NOT VALID;
ALTER TABLE timeline VALIDATE CONSTRAINT timeline_kind_check;
