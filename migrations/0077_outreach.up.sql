-- What somebody asked to be told once: a thing is back, or costs less than then.
CREATE TABLE watch (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint  NOT NULL REFERENCES customer,
    variant_id  bigint  NOT NULL REFERENCES variant,
    kind        text    NOT NULL CHECK (kind IN ('back', 'price')),
    medium      text    NOT NULL CHECK (medium IN ('mail', 'sms')),
    target      text    NOT NULL CHECK (target <> ''), -- the address or number
    location_id bigint  NOT NULL REFERENCES location,  -- whose stock and prices they saw
    price       bigint  NOT NULL CHECK (price >= 0),   -- when they asked, minor units
    currency    char(3) NOT NULL,
    proven_at   timestamptz, -- NULL: nobody opened the link to the address yet
    asked_at    timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    ended       text CHECK (ended IN ('told', 'withdrawn', 'lapsed')),
    CHECK ((ended IS NULL) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX watch_open ON watch (customer_id, variant_id, kind) WHERE ended_at IS NULL;
CREATE INDEX watch_variant ON watch (variant_id) WHERE ended_at IS NULL AND proven_at IS NOT NULL;
CREATE INDEX watch_asked ON watch (asked_at);
CREATE INDEX watch_target ON watch (target);

-- Messages that are not owed, each with why it went or did not.
CREATE TABLE outreach (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id  bigint NOT NULL REFERENCES customer,
    kind         text   NOT NULL CHECK (kind IN ('back', 'price', 'personal')),
    medium       text   NOT NULL CHECK (medium IN ('mail', 'sms')),
    target       text   NOT NULL CHECK (target <> ''),
    watch_id     bigint REFERENCES watch UNIQUE, -- told once
    associate_id bigint REFERENCES associate,    -- who wrote it at a counter
    location_id  bigint REFERENCES location,
    products     bigint[] NOT NULL DEFAULT '{}', -- what it is about
    body         text   NOT NULL DEFAULT '',     -- what an associate wrote
    form         text   UNIQUE,                  -- of the page: sent twice, it is written once
    link         text   NOT NULL DEFAULT '',     -- word of a shared cart
    state        text   NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'refused')),
    reason       text   NOT NULL DEFAULT '',     -- why it waits or was refused
    made_at      timestamptz NOT NULL DEFAULT now(),
    due_at       timestamptz NOT NULL DEFAULT now(),
    sent_at      timestamptz,
    tries        smallint NOT NULL DEFAULT 0, -- that failed
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK (state <> 'refused' OR reason <> ''),
    CHECK ((kind = 'personal') = (watch_id IS NULL))
);
CREATE INDEX outreach_due ON outreach (due_at) WHERE state = 'waiting';
CREATE INDEX outreach_customer ON outreach (customer_id, id DESC);
CREATE INDEX outreach_made ON outreach (made_at);

-- When, and how often, people are written to unasked. One row.
CREATE TABLE outreach_rule (
    one         boolean  PRIMARY KEY DEFAULT true CHECK (one),
    quiet_from  smallint NOT NULL DEFAULT 1200 CHECK (quiet_from BETWEEN 0 AND 1439), -- minutes after midnight, theirs
    quiet_until smallint NOT NULL DEFAULT 480 CHECK (quiet_until BETWEEN 0 AND 1439),
    most        smallint NOT NULL DEFAULT 1 CHECK (most BETWEEN 1 AND 50),
    days        smallint NOT NULL DEFAULT 3 CHECK (days BETWEEN 1 AND 90)
);
INSERT INTO outreach_rule DEFAULT VALUES;

ALTER TABLE one_time DROP CONSTRAINT one_time_purpose_check;
ALTER TABLE one_time ADD CONSTRAINT one_time_purpose_check CHECK (purpose IN ('register', 'sign_in', 'reset', 'email_old',
    'email_new', 'claim', 'phone', 'merge', 'export', 'known', 'watch')) NOT VALID;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON watch, outreach, outreach_rule TO counterpart_server;
        GRANT USAGE, SELECT ON SEQUENCE watch_id_seq, outreach_id_seq TO counterpart_server;
    END IF;
END $$;
