-- What the associate in front of a person was told was worth saying, and what became of it.
CREATE TABLE hint (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id  bigint NOT NULL REFERENCES customer,
    reason       text   NOT NULL CHECK (reason <> ''),
    product_id   bigint NOT NULL DEFAULT 0, -- 0: it is about none
    order_id     bigint NOT NULL DEFAULT 0, -- 0: it is about none
    location_id  bigint NOT NULL REFERENCES location,
    associate_id bigint NOT NULL REFERENCES associate,
    day          date   NOT NULL,           -- of the store; shown again on the same day is shown once
    shown_at     timestamptz NOT NULL DEFAULT now(),
    mark         text CHECK (mark IN ('used', 'later', 'no')),
    marked_at    timestamptz,
    UNIQUE (customer_id, reason, product_id, order_id, location_id, day),
    CHECK ((mark IS NULL) = (marked_at IS NULL))
);
-- How often a reason was shown and used lately.
CREATE INDEX hint_of_reason ON hint (reason, shown_at);
-- Taking away what is old.
CREATE INDEX hint_shown ON hint (shown_at);

-- What the retailer says of a reason, and how often it was shown and used in the last quarter, which a job counts. One
-- without a row is on, and counts as it is.
CREATE TABLE hint_reason (
    reason text    PRIMARY KEY,
    active boolean NOT NULL DEFAULT true,
    weight integer NOT NULL DEFAULT 100 CHECK (weight BETWEEN 0 AND 1000), -- per cent
    shown  integer NOT NULL DEFAULT 0,
    used   integer NOT NULL DEFAULT 0 CHECK (used <= shown)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON hint, hint_reason TO counterpart_server;
        GRANT USAGE, SELECT ON SEQUENCE hint_id_seq TO counterpart_server;
    END IF;
END $$;
