-- How points live: when they can be spent, when they end, and what becomes of points that were spent before what earned
-- them came back. One row.
CREATE TABLE programme (
    one           boolean  PRIMARY KEY DEFAULT true CHECK (one),
    vesting       text     NOT NULL DEFAULT 'returns' CHECK (vesting IN ('returns', 'at_once')), -- when the return window closes
    expiry        text     NOT NULL DEFAULT 'never' CHECK (expiry IN ('never', 'lot', 'inactivity')),
    expiry_months smallint NOT NULL DEFAULT 24 CHECK (expiry_months BETWEEN 1 AND 120),
    expiry_since  date,     -- when the rule began: nothing ends before a whole period of it
    warn_first    smallint NOT NULL DEFAULT 30 CHECK (warn_first BETWEEN 2 AND 90), -- days before the last one
    warn_last     smallint NOT NULL DEFAULT 7 CHECK (warn_last >= 1),
    grace_days    smallint NOT NULL DEFAULT 30 CHECK (grace_days BETWEEN 0 AND 365), -- in which a visit brings them back
    adjust_limit  integer  NOT NULL DEFAULT 500 CHECK (adjust_limit BETWEEN 0 AND 1000000), -- above it a manager gives or takes
    debt          text     NOT NULL DEFAULT 'refund' CHECK (debt IN ('refund', 'owe')),
    swept_on      date,     -- when expiry was looked after last
    version       integer  NOT NULL DEFAULT 1,
    CHECK (warn_last < warn_first),
    CHECK ((expiry = 'never') = (expiry_since IS NULL))
);
INSERT INTO programme DEFAULT VALUES;

-- Of a lot that ended: how many of it, when, and when a visit brought them back, as a lot of their own.
ALTER TABLE points_lot ADD COLUMN expired integer NOT NULL DEFAULT 0;
ALTER TABLE points_lot ADD COLUMN expired_at timestamptz;
ALTER TABLE points_lot ADD COLUMN revived_at timestamptz;
ALTER TABLE points_lot ADD CONSTRAINT points_lot_expired_check CHECK (expired BETWEEN 0 AND points - remaining
    AND (expired > 0) = (expired_at IS NOT NULL) AND (revived_at IS NULL OR expired > 0)) NOT VALID;
CREATE INDEX points_lot_expired ON points_lot (customer_id, expired_at) WHERE expired > 0 AND revived_at IS NULL;

ALTER TABLE points_entry ADD CONSTRAINT points_entry_cause CHECK (cause IN ('earned', 'spent', 'restored', 'taken_back', 'given',
    'adjusted', 'expired', 'revived', 'debt')) NOT VALID;
ALTER TABLE points_entry DROP CONSTRAINT points_entry_cause_check;
-- Of the page: sent twice, points are given once.
ALTER TABLE points_entry ADD COLUMN form text;
CREATE UNIQUE INDEX points_entry_form ON points_entry (form, lot_id) WHERE form IS NOT NULL;

-- Points that were spent before what earned them came back, where the shop lets them be owed: what is earned next pays it.
CREATE TABLE points_debt (
    customer_id bigint  PRIMARY KEY REFERENCES customer,
    points      integer NOT NULL CHECK (points >= 0)
);
CREATE TABLE points_debt_entry (
    id          bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint  NOT NULL REFERENCES points_debt,
    delta       integer NOT NULL CHECK (delta <> 0),
    order_id    bigint  REFERENCES orders, -- that came back, or that paid it; none: staff did, or a visit
    at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX points_debt_entry_customer ON points_debt_entry (customer_id, id);
CREATE INDEX points_debt_entry_order ON points_debt_entry (order_id);

-- Warnings of points that end, each once.
CREATE TABLE points_warning (
    customer_id bigint   NOT NULL REFERENCES customer,
    ends_on     date     NOT NULL,
    last        boolean  NOT NULL, -- the last one
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer_id, ends_on, last)
);
CREATE INDEX points_warning_at ON points_warning (at);

-- The last day on which a lot can be spent; NULL: it does not end. active is when its owner earned or spent last.
CREATE FUNCTION points_last_day(expiry text, since date, months integer, zone text, vests_at timestamptz, active timestamptz)
RETURNS date LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE expiry
        WHEN 'lot' THEN (greatest((vests_at AT TIME ZONE zone)::date, since) + make_interval(months => months))::date
        WHEN 'inactivity' THEN (greatest((greatest(vests_at, active) AT TIME ZONE zone)::date, since) + make_interval(months => months))::date
    END
$$;

-- What a person has, over all of their profiles: to spend, pending, and how many of them end first and on what day.
CREATE FUNCTION points_of(ids bigint[]) RETURNS TABLE (spendable bigint, pending bigint, ending bigint, ends_on date)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(remaining) FILTER (WHERE vests_at <= now()), 0)::bigint,
        coalesce(sum(remaining) FILTER (WHERE vests_at > now()), 0)::bigint,
        coalesce(sum(remaining) FILTER (WHERE last_day = first_day), 0)::bigint, min(last_day)
    FROM (
        SELECT remaining, vests_at, last_day, min(last_day) OVER () AS first_day
        FROM (
            SELECT l.remaining, l.vests_at, CASE WHEN p.expiry <> 'never' THEN points_last_day(p.expiry, p.expiry_since, p.expiry_months,
                (SELECT time_zone FROM home_location(NULL, NULL)), l.vests_at, CASE WHEN p.expiry = 'inactivity' THEN (
                    SELECT max(at)
                    FROM points_entry
                    WHERE customer_id = ANY (ids) AND cause IN ('earned', 'spent', 'revived')) END) END AS last_day
            FROM points_lot l
            CROSS JOIN programme p
            WHERE l.remaining > 0 AND l.customer_id = ANY (ids)) lot) lot
$$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON programme, points_debt, points_warning TO counterpart_server;
        GRANT SELECT, INSERT ON points_debt_entry TO counterpart_server;
        GRANT USAGE, SELECT ON SEQUENCE points_debt_entry_id_seq TO counterpart_server;
    END IF;
END $$;
