-- Places in which products are suggested, each with its rules. A place that is off shows none.
CREATE TABLE slot (
    place      text     PRIMARY KEY CHECK (place IN ('product', 'cart', 'order', 'search', 'customer', 'sale')),
    active     boolean  NOT NULL DEFAULT true,
    fewest     integer  NOT NULL DEFAULT 3 CHECK (fewest BETWEEN 1 AND 12), -- where there are fewer, none is shown
    most       integer  NOT NULL DEFAULT 4,
    owned_days integer  NOT NULL DEFAULT 365 CHECK (owned_days BETWEEN 0 AND 365), -- what somebody bought in so many days is left out
    in_store   boolean  NOT NULL DEFAULT false, -- only what is in stock in the store
    only_in    bigint[] NOT NULL DEFAULT '{}',  -- categories, with those below them; empty: all
    never_in   bigint[] NOT NULL DEFAULT '{}',
    sources    text[]   NOT NULL CHECK (sources <> '{}' AND sources <@ '{chosen,bought,viewed,alike}'),
    version    integer  NOT NULL DEFAULT 1,
    CHECK (most BETWEEN fewest AND 12)
);
INSERT INTO slot (place, fewest, most, in_store, sources) VALUES
    ('product', 3, 4, false, '{chosen,bought,viewed,alike}'),
    ('cart', 3, 4, false, '{chosen,bought}'),
    ('order', 3, 4, false, '{chosen,bought}'),
    ('search', 3, 4, false, '{chosen,bought,viewed}'),
    ('customer', 1, 3, true, '{bought}'),
    ('sale', 1, 3, true, '{chosen,bought}');

-- Categories with all those below them.
CREATE FUNCTION categories_below(roots bigint[]) RETURNS bigint[] LANGUAGE sql STABLE AS $$
    WITH RECURSIVE below (id) AS (
        SELECT unnest(roots)
        UNION
        SELECT c.id FROM category c JOIN below ON c.parent_id = below.id)
    SELECT coalesce(array_agg(id), '{}') FROM below
$$;

-- The rules of a place that is on, with categories as products name them. OFFSET 0: they are found once, not for each product.
CREATE FUNCTION slot_rules(at text) RETURNS TABLE (fewest integer, most integer, owned_days integer, in_store boolean,
    only_in bigint[], never_in bigint[], sources text[]) LANGUAGE sql STABLE AS $$
    SELECT fewest, most, owned_days, in_store, CASE WHEN only_in = '{}' THEN '{}' ELSE categories_below(only_in) END,
        CASE WHEN never_in = '{}' THEN '{}' ELSE categories_below(never_in) END, sources
    FROM slot
    WHERE place = at AND active
    OFFSET 0
$$;

ALTER TABLE goes_with ADD CONSTRAINT goes_with_why CHECK (why IN ('bought', 'viewed', 'alike')) NOT VALID;
ALTER TABLE goes_with DROP CONSTRAINT goes_with_why_check;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON slot TO counterpart_server;
    END IF;
END $$;
