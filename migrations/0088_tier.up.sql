-- Tiers of the programme, the higher position the better. One is reached by what somebody earned, spent or how often they
-- came in 12 months, or given by staff only.
CREATE TABLE tier (
    id          bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title       text    NOT NULL CHECK (title <> ''),
    position    integer NOT NULL,
    counts      text    NOT NULL CHECK (counts IN ('points', 'spend', 'visits', 'grant')),
    threshold   bigint  CHECK (threshold > 0), -- points, minor units of currency, days with an order
    currency    char(3),
    benefit     text    NOT NULL DEFAULT '', -- in a few words, as progress says it
    return_days integer NOT NULL DEFAULT 0 CHECK (return_days BETWEEN 0 AND 365), -- more than others have
    contact     text    NOT NULL DEFAULT '', -- whom they can call
    version     integer NOT NULL DEFAULT 1,
    archived_at timestamptz,
    CHECK ((counts = 'grant') = (threshold IS NULL)),
    CHECK ((counts = 'spend') = (currency IS NOT NULL))
);
CREATE UNIQUE INDEX tier_title ON tier (lower(title)) WHERE archived_at IS NULL;

-- Tiers that staff gave, each with its end where it has one.
CREATE TABLE tier_grant (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id  bigint NOT NULL REFERENCES customer,
    tier_id      bigint NOT NULL REFERENCES tier,
    until        date,
    associate_id bigint REFERENCES associate,
    at           timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz
);
CREATE INDEX tier_grant_customer ON tier_grant (customer_id);

-- Where somebody stands: counted anew from orders, points and grants, whenever they change and every night. Their customer
-- row has the tier's title, by which prices and promotions go.
CREATE TABLE standing (
    customer_id bigint PRIMARY KEY REFERENCES customer,
    tier_id     bigint REFERENCES tier,       -- none yet
    since       timestamptz NOT NULL DEFAULT now(),
    kept_until  date,                          -- of a grant without an end: NULL
    ends_on     date,                          -- after the month of grace
    granted     boolean NOT NULL DEFAULT false,
    next_id     bigint REFERENCES tier,
    gap         bigint,                        -- to the next
    gap_by      date,                          -- before what counts now begins to count no more
    warned_for  date,                          -- of which end they were told
    CHECK ((next_id IS NULL) = (gap IS NULL))
);
CREATE INDEX standing_kept_until ON standing (kept_until) WHERE tier_id IS NOT NULL;

-- For how many days a customer can bring something back: a tier gives what those below it give, at least.
CREATE FUNCTION return_days_of(customer bigint) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT shop.return_days + coalesce((
        SELECT max(given.return_days)
        FROM customer c
        JOIN standing s ON s.customer_id = coalesce(c.merged_into, c.id)
        JOIN tier holds ON holds.id = s.tier_id
        JOIN tier given ON given.position <= holds.position AND given.archived_at IS NULL
        WHERE c.id = customer), 0)
    FROM shop
$$;

-- Tiers that staff wrote on customers until now are tiers that staff give.
INSERT INTO tier (title, position, counts)
SELECT min(tier), row_number() OVER (ORDER BY lower(tier)), 'grant' FROM customer WHERE tier <> '' GROUP BY lower(tier);
INSERT INTO tier_grant (customer_id, tier_id)
SELECT c.id, t.id FROM customer c JOIN tier t ON lower(t.title) = lower(c.tier) WHERE c.merged_into IS NULL;
INSERT INTO standing (customer_id, tier_id, granted)
SELECT customer_id, tier_id, true FROM tier_grant;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON tier, tier_grant, standing TO counterpart_server;
        GRANT USAGE, SELECT ON SEQUENCE tier_id_seq, tier_grant_id_seq TO counterpart_server;
    END IF;
END $$;
