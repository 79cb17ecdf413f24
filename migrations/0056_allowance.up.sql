-- An amount that goes back although nothing comes back: a price allowance. It reduces what single units and deliveries
-- cost, so that nothing is given back twice when they are returned later. Why stands in the audit trail.
CREATE TABLE allowance (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id     bigint NOT NULL REFERENCES orders,
    amount       bigint NOT NULL CHECK (amount > 0), -- minor units, with tax
    associate_id bigint NOT NULL REFERENCES associate,
    at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX allowance_order ON allowance (order_id);

CREATE TABLE allowance_share (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    allowance_id  bigint NOT NULL REFERENCES allowance,
    order_line_id bigint REFERENCES order_line, -- the line as it was ordered, before it was split
    n             integer,
    fulfilment_id bigint REFERENCES fulfilment, -- or a delivery
    amount        bigint NOT NULL CHECK (amount > 0),
    tax           bigint NOT NULL CHECK (tax BETWEEN 0 AND amount), -- of that
    CHECK ((order_line_id IS NULL) = (n IS NULL) AND (order_line_id IS NULL) <> (fulfilment_id IS NULL))
);
CREATE INDEX allowance_share_of ON allowance_share (allowance_id);
CREATE INDEX allowance_share_line ON allowance_share (order_line_id, n);

ALTER TABLE order_unit
    ADD COLUMN allowed     bigint NOT NULL DEFAULT 0,
    ADD COLUMN allowed_tax bigint NOT NULL DEFAULT 0;
ALTER TABLE order_unit ADD CONSTRAINT order_unit_allowed_check
    CHECK (allowed BETWEEN 0 AND paid - by_points AND allowed_tax BETWEEN 0 AND tax) NOT VALID;
ALTER TABLE order_unit VALIDATE CONSTRAINT order_unit_allowed_check;
ALTER TABLE fulfilment
    ADD COLUMN allowed     bigint NOT NULL DEFAULT 0,
    ADD COLUMN allowed_tax bigint NOT NULL DEFAULT 0;
ALTER TABLE fulfilment ADD CONSTRAINT fulfilment_allowed_check
    CHECK (allowed BETWEEN 0 AND paid AND allowed_tax BETWEEN 0 AND tax) NOT VALID;
ALTER TABLE fulfilment VALIDATE CONSTRAINT fulfilment_allowed_check;
