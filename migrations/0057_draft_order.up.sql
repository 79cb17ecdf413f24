-- A cart that staff fill for somebody, beside the customer's own: it becomes an order that is paid by a link.
ALTER TABLE cart DROP CONSTRAINT cart_state_check;
ALTER TABLE cart ADD CONSTRAINT cart_state_check CHECK (state IN ('open', 'ordered', 'joined', 'aside', 'draft')) NOT VALID;
ALTER TABLE cart VALIDATE CONSTRAINT cart_state_check;

CREATE TABLE draft_order (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id  bigint NOT NULL REFERENCES customer,
    cart_id      bigint NOT NULL UNIQUE REFERENCES cart,
    associate_id bigint NOT NULL REFERENCES associate,
    adds_to      bigint REFERENCES orders,        -- the order that its units are added to
    order_id     bigint UNIQUE REFERENCES orders, -- what it became
    name         text NOT NULL DEFAULT '',
    email        text NOT NULL DEFAULT '',
    phone        text NOT NULL DEFAULT '',
    lines        text NOT NULL DEFAULT '',
    town         text NOT NULL DEFAULT '',
    region       text NOT NULL DEFAULT '',
    postcode     text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX draft_order_open ON draft_order (id) WHERE order_id IS NULL;
CREATE INDEX draft_order_customer ON draft_order (customer_id);
CREATE INDEX draft_order_adds ON draft_order (adds_to) WHERE adds_to IS NOT NULL;
