-- What a list shows of a product on sale, by price list and by the time in which no price of it changes: a planned price has a row that waits, so nothing has to happen when it begins. Kept by the functions below, in the transaction of whoever changes a product, its texts, variants, pictures or prices.
CREATE TABLE product_card (
    product_id    bigint NOT NULL REFERENCES product ON DELETE CASCADE,
    price_list_id bigint NOT NULL REFERENCES price_list,
    since         timestamptz NOT NULL, -- '-infinity': it had begun when the row was written
    until         timestamptz NOT NULL, -- 'infinity': no change is planned
    slug          text NOT NULL,
    title         text NOT NULL,        -- in English, or else in some language
    titles        jsonb NOT NULL,       -- in the others, by language
    brand         text NOT NULL,
    picture       text NOT NULL,        -- key of the first one's drawn sizes; empty: none
    tags          text[] NOT NULL,
    categories    bigint[] NOT NULL,    -- those it was put in, without those above them
    popularity    integer NOT NULL,
    cheapest      bigint NOT NULL,
    dearest       bigint NOT NULL CHECK (dearest >= cheapest),
    lowest        bigint NOT NULL CHECK (lowest = 0 OR lowest > cheapest), -- of the 30 days before a reduction to the cheapest; 0: there was none in the last 60 days
    variant_id    bigint NOT NULL,      -- the cheapest
    breaks        jsonb NOT NULL,       -- prices of that one for one unit that not everybody pays
    gift_card     boolean NOT NULL,
    back_order    boolean NOT NULL,
    variants      bigint[] NOT NULL,    -- that are on sale, the cheapest first
    amounts       bigint[] NOT NULL,    -- their prices
    lowests       bigint[] NOT NULL,    -- of the 30 days before a reduction of each, as above
    recommended   bigint[] NOT NULL,    -- their makers' recommended prices; 0: none
    choices       text[] NOT NULL,      -- what lists narrow each of them by, options and the product's attributes: name, 0x1F, value; parted by 0x1E
    facets        text[] NOT NULL,      -- the same of all of them, each once
    always        bigint[] NOT NULL,    -- those of which no stock is kept
    PRIMARY KEY (product_id, price_list_id, until),
    CHECK (since < until),
    CHECK (cardinality(variants) > 0 AND cardinality(variants) = cardinality(amounts) AND cardinality(variants) = cardinality(lowests) AND cardinality(variants) = cardinality(recommended)
        AND cardinality(variants) = cardinality(choices))
);

-- The same by category, with what its lists are sorted and narrowed by.
CREATE TABLE category_card (
    category_id   bigint NOT NULL REFERENCES category ON DELETE CASCADE,
    price_list_id bigint NOT NULL,
    product_id    bigint NOT NULL REFERENCES product ON DELETE CASCADE,
    since         timestamptz NOT NULL,
    until         timestamptz NOT NULL,
    popularity    integer NOT NULL,
    cheapest      bigint NOT NULL,
    dearest       bigint NOT NULL,
    facets        text[] NOT NULL,
    always        boolean NOT NULL, -- there is one of which no stock is kept
    PRIMARY KEY (category_id, price_list_id, product_id, until)
);
-- A page of a department by popularity and by price; what is new is the primary key read backwards.
CREATE INDEX category_card_popular ON category_card (category_id, price_list_id, popularity DESC, product_id DESC) INCLUDE (since, until);
CREATE INDEX category_card_cheapest ON category_card (category_id, price_list_id, cheapest, popularity DESC, product_id DESC) INCLUDE (since, until);
CREATE INDEX category_card_product ON category_card (product_id);

-- The rows of products as they should be, at a time and after it.
CREATE FUNCTION product_cards(ids bigint[], at timestamptz) RETURNS SETOF product_card LANGUAGE sql STABLE
    SET timezone = 'UTC' -- thirty days are as long wherever whoever asks is
AS $$
    WITH priced AS MATERIALIZED (
        SELECT v.product_id, v.id AS variant_id, r.price_list_id, r.amount, coalesce(r.compare_at, 0) AS recommended, lower(r.valid) AS begins,
            coalesce(upper(r.valid), 'infinity') AS ends, coalesce((
                SELECT min(before.amount)
                FROM price before
                WHERE before.variant_id = v.id AND before.price_list_id = r.price_list_id
                    AND before.valid && tstzrange(lower(r.valid) - interval '30 days', lower(r.valid))
                HAVING min(before.amount) > r.amount), 0) AS lowest
        FROM product p
        JOIN variant v ON v.product_id = p.id AND v.active
        JOIN price r ON r.variant_id = v.id
        WHERE p.id = ANY (ids) AND p.status = 'active' AND NOT isempty(r.valid)
            AND (upper_inf(r.valid) OR upper(r.valid) > at)),
    broken AS MATERIALIZED (
        SELECT v.product_id, b.variant_id, b.price_list_id, b.id, b.members, b.tier, b.amount, lower(b.valid) AS begins,
            coalesce(upper(b.valid), 'infinity') AS ends
        FROM variant v
        JOIN price_break b ON b.variant_id = v.id
        WHERE v.product_id = ANY (ids) AND v.active AND b.from_quantity = 1 AND NOT isempty(b.valid)
            AND (upper_inf(b.valid) OR upper(b.valid) > at)),
    edge AS (
        SELECT product_id, price_list_id, since
        FROM priced
        CROSS JOIN LATERAL (VALUES (CASE WHEN begins <= at THEN '-infinity' ELSE begins END), (ends),
            (CASE WHEN lowest > 0 THEN begins + interval '60 days' END)) AS change (since)
        UNION
        SELECT product_id, price_list_id, since
        FROM broken
        CROSS JOIN LATERAL (VALUES (begins), (ends)) AS change (since)),
    period AS (
        SELECT product_id, price_list_id, since,
            lead(since, 1, 'infinity') OVER one_after_the_other AS until, row_number() OVER one_after_the_other AS n
        FROM edge
        WHERE since = '-infinity' OR since > at AND since < 'infinity'
        WINDOW one_after_the_other AS (PARTITION BY product_id, price_list_id ORDER BY since)),
    offered AS (
        SELECT period.product_id, period.price_list_id, period.since, period.until, period.n, v.id, priced.amount, priced.recommended, priced.begins,
            CASE WHEN greatest(period.since, at) < priced.begins + interval '60 days' THEN priced.lowest ELSE 0 END AS lowest,
            v.options, v.gift_card, v.back_order, v.tracked, p.options AS names, p.facet_names, p.facet_values
        FROM period
        JOIN priced ON priced.product_id = period.product_id AND priced.price_list_id = period.price_list_id
            AND priced.begins <= greatest(period.since, at) AND priced.ends > greatest(period.since, at)
        JOIN variant v ON v.id = priced.variant_id
        JOIN product p ON p.id = period.product_id),
    grouped AS (
        SELECT product_id, price_list_id, since, until, n, min(amount) AS cheapest, max(amount) AS dearest,
            array_agg(id ORDER BY amount, id) AS variants, array_agg(amount ORDER BY amount, id) AS amounts,
            array_agg(lowest ORDER BY amount, id) AS lowests, array_agg(recommended ORDER BY amount, id) AS recommended,
            array_agg((
                SELECT coalesce(string_agg(DISTINCT name || chr(31) || value, chr(30)), '')
                FROM (
                    SELECT * FROM unnest(names, options)
                    UNION ALL
                    SELECT * FROM unnest(facet_names, facet_values)) AS o (name, value)) ORDER BY amount, id) AS choices,
            coalesce(array_agg(id ORDER BY id) FILTER (WHERE NOT tracked), '{}') AS always,
            bool_or(gift_card) AS gift_card, bool_or(back_order) AS back_order
        FROM offered
        GROUP BY product_id, price_list_id, since, until, n),
    made AS (
        SELECT g.product_id, g.price_list_id, g.since, g.until, g.n, p.slug, t.title, t.titles, p.brand, coalesce((
                SELECT coalesce(key, '')
                FROM picture
                WHERE product_id = p.id
                ORDER BY position, id
                LIMIT 1), '') AS picture, p.tags, ARRAY(
                SELECT category_id
                FROM product_category
                WHERE product_id = p.id
                ORDER BY category_id) AS categories, p.popularity, g.cheapest, g.dearest, coalesce((
                SELECT min(lowest)
                FROM unnest(g.amounts, g.lowests) AS o (amount, lowest)
                WHERE amount = g.cheapest AND lowest > 0), 0) AS lowest, g.variants[1] AS variant_id, coalesce((
                SELECT jsonb_agg(jsonb_build_object('From', 1, 'Members', b.members, 'Tier', b.tier, 'Amount', b.amount)
                    ORDER BY b.id)
                FROM broken b
                WHERE b.variant_id = g.variants[1] AND b.price_list_id = g.price_list_id
                    AND b.begins <= greatest(g.since, at) AND b.ends > greatest(g.since, at)), '[]') AS breaks,
            g.gift_card, g.back_order, g.variants, g.amounts, g.lowests, g.recommended, g.choices, ARRAY(
                SELECT DISTINCT facet
                FROM unnest(g.choices) AS choice
                CROSS JOIN LATERAL unnest(string_to_array(choice, chr(30))) AS facet
                ORDER BY facet) AS facets, g.always
        FROM grouped g
        JOIN product p ON p.id = g.product_id
        CROSS JOIN LATERAL (
            SELECT (array_agg(title ORDER BY language <> 'en', language))[1] AS title,
                coalesce(jsonb_object_agg(language, title) FILTER (WHERE language <> 'en'), '{}') AS titles
            FROM product_text
            WHERE product_id = p.id) t
        WHERE t.title IS NOT NULL),
    -- A change that nobody sees parts nothing: so the rows are the same whenever they are computed.
    run AS (
        SELECT *, n - row_number() OVER (PARTITION BY product_id, price_list_id, slug, title, titles, brand, picture,
            tags, categories, popularity, cheapest, dearest, lowest, variant_id, breaks, gift_card, back_order, variants,
            amounts, lowests, recommended, choices, facets, always ORDER BY n) AS same
        FROM made)
    SELECT product_id, price_list_id, min(since), max(until), slug, title, titles, brand, picture, tags, categories,
        popularity, cheapest, dearest, lowest, variant_id, breaks, gift_card, back_order, variants, amounts, lowests,
        recommended, choices, facets, always
    FROM run
    GROUP BY product_id, price_list_id, same, slug, title, titles, brand, picture, tags, categories, popularity, cheapest,
        dearest, lowest, variant_id, breaks, gift_card, back_order, variants, amounts, lowests, recommended, choices, facets, always
$$;

-- The rows by category that belong to rows of product_card.
CREATE FUNCTION category_cards(ids bigint[]) RETURNS SETOF category_card LANGUAGE sql STABLE AS $$
    SELECT pc.category_id, c.price_list_id, c.product_id, c.since, c.until, c.popularity, c.cheapest, c.dearest, c.facets, cardinality(c.always) > 0
    FROM product_card c
    JOIN product_category pc ON pc.product_id = c.product_id
    WHERE c.product_id = ANY (ids)
$$;

-- Writes what differs, and nothing else; five hundred products at a time, because nobody tells the planner how many there are.
CREATE FUNCTION write_cards(all_ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    FOR i IN 0..(cardinality(all_ids) - 1) / 500 LOOP
        ids := all_ids[i * 500 + 1:i * 500 + 500];
        WITH should AS MATERIALIZED (SELECT * FROM product_cards(ids, clock_timestamp())),
        gone AS (
            DELETE FROM product_card c
            WHERE c.product_id = ANY (ids) AND NOT EXISTS (
                SELECT
                FROM should s
                WHERE s.product_id = c.product_id AND s.price_list_id = c.price_list_id AND s.until = c.until))
        INSERT INTO product_card AS c
        SELECT * FROM should
        ON CONFLICT (product_id, price_list_id, until) DO UPDATE
        SET since = excluded.since, slug = excluded.slug, title = excluded.title, titles = excluded.titles,
            brand = excluded.brand, picture = excluded.picture, tags = excluded.tags, categories = excluded.categories,
            popularity = excluded.popularity,
            cheapest = excluded.cheapest, dearest = excluded.dearest, lowest = excluded.lowest,
            variant_id = excluded.variant_id, breaks = excluded.breaks, gift_card = excluded.gift_card,
            back_order = excluded.back_order, variants = excluded.variants, amounts = excluded.amounts, lowests = excluded.lowests, recommended = excluded.recommended,
            choices = excluded.choices, facets = excluded.facets, always = excluded.always
        WHERE c IS DISTINCT FROM excluded;
        WITH should AS MATERIALIZED (SELECT * FROM category_cards(ids)),
        gone AS (
            DELETE FROM category_card c
            WHERE c.product_id = ANY (ids) AND NOT EXISTS (
                SELECT
                FROM should s
                WHERE s.category_id = c.category_id AND s.price_list_id = c.price_list_id
                    AND s.product_id = c.product_id AND s.until = c.until))
        INSERT INTO category_card AS c
        SELECT * FROM should
        ON CONFLICT (category_id, price_list_id, product_id, until) DO UPDATE
        SET since = excluded.since, popularity = excluded.popularity, cheapest = excluded.cheapest,
            dearest = excluded.dearest, facets = excluded.facets, always = excluded.always
        WHERE c IS DISTINCT FROM excluded;
    END LOOP;
END $$;

-- Products that the running transaction has changed. A row stands here until it commits, so two transactions that change
-- one product do so one after the other, and the second writes cards that know of both.
CREATE TABLE product_changed (
    product_id bigint PRIMARY KEY
);

CREATE FUNCTION note_changed_product() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE TG_ARGV[0]
        WHEN 'id' THEN
            INSERT INTO product_changed SELECT DISTINCT id FROM changed ORDER BY id ON CONFLICT DO NOTHING;
        WHEN 'product_id' THEN
            INSERT INTO product_changed SELECT DISTINCT product_id FROM changed ORDER BY product_id ON CONFLICT DO NOTHING;
        ELSE
            INSERT INTO product_changed
            SELECT DISTINCT v.product_id
            FROM changed c
            JOIN variant v ON v.id = c.variant_id
            ORDER BY v.product_id
            ON CONFLICT DO NOTHING;
    END CASE;
    RETURN NULL;
END $$;

-- At the end of the transaction, once for all that it changed.
CREATE FUNCTION write_changed_cards() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    IF EXISTS (SELECT FROM product_changed WHERE product_id = NEW.product_id) THEN
        ids := ARRAY(SELECT product_id FROM product_changed ORDER BY product_id);
        PERFORM write_cards(ids);
        DELETE FROM product_changed WHERE product_id = ANY (ids);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER product_changed AFTER INSERT ON product_changed
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_changed_cards();

-- A server that runs while this migration does needs its rights at once; role.sql says them again.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON product_card, category_card, product_changed TO counterpart_server;
    END IF;
END $$;

CREATE TRIGGER product_card_insert AFTER INSERT ON product REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('id');
CREATE TRIGGER product_card_update AFTER UPDATE ON product REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('id');
CREATE TRIGGER product_text_card_insert AFTER INSERT ON product_text REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('product_id');
CREATE TRIGGER product_text_card_update AFTER UPDATE ON product_text REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('product_id');
CREATE TRIGGER product_text_card_delete AFTER DELETE ON product_text REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('product_id');
CREATE TRIGGER product_category_card_insert AFTER INSERT ON product_category REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('product_id');
CREATE TRIGGER product_category_card_delete AFTER DELETE ON product_category REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('product_id');
CREATE TRIGGER picture_card_insert AFTER INSERT ON picture REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('product_id');
CREATE TRIGGER picture_card_update AFTER UPDATE ON picture REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('product_id');
CREATE TRIGGER picture_card_delete AFTER DELETE ON picture REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('product_id');
CREATE TRIGGER variant_card_insert AFTER INSERT ON variant REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('product_id');
CREATE TRIGGER variant_card_update AFTER UPDATE ON variant REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('product_id');
CREATE TRIGGER variant_card_delete AFTER DELETE ON variant REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('product_id');
CREATE TRIGGER price_card_insert AFTER INSERT ON price REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('variant_id');
CREATE TRIGGER price_card_update AFTER UPDATE ON price REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('variant_id');
CREATE TRIGGER price_card_delete AFTER DELETE ON price REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('variant_id');
CREATE TRIGGER price_break_card_insert AFTER INSERT ON price_break REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('variant_id');
CREATE TRIGGER price_break_card_update AFTER UPDATE ON price_break REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('variant_id');
CREATE TRIGGER price_break_card_delete AFTER DELETE ON price_break REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_product('variant_id');

-- Those who plan a page of a department do not know which: it is one of the large ones, on the one list that most of them have.
ALTER TABLE category_card ALTER COLUMN category_id SET (n_distinct = 6);
ALTER TABLE category_card ALTER COLUMN price_list_id SET (n_distinct = 1);
