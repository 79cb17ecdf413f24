-- A price for the people in a segment, members or not.
ALTER TABLE price_break ADD COLUMN segment_id bigint;
ALTER TABLE price_break ADD CONSTRAINT price_break_segment_id_fkey FOREIGN KEY (segment_id) REFERENCES segment NOT VALID;
ALTER TABLE price_break ADD CONSTRAINT price_break_for_check CHECK (members OR segment_id IS NOT NULL OR from_quantity > 1) NOT VALID;
ALTER TABLE price_break DROP CONSTRAINT price_break_check;
ALTER TABLE price_break ADD CONSTRAINT price_break_one_at_a_time
    EXCLUDE USING gist (price_list_id WITH =, variant_id WITH =, from_quantity WITH =, (members::integer) WITH =,
        (lower(tier)) WITH =, (coalesce(segment_id, 0)) WITH =, valid WITH &&);
ALTER TABLE price_break DROP CONSTRAINT price_break_once;
-- A segment that prices name is not archived.
CREATE INDEX price_break_segment ON price_break (segment_id) WHERE segment_id IS NOT NULL;

-- As it was in 0068, with the segment of a price where it has one: the rows of products without stay as they are.
CREATE OR REPLACE FUNCTION product_cards(ids bigint[], at timestamptz) RETURNS SETOF product_card LANGUAGE sql STABLE
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
        SELECT v.product_id, b.variant_id, b.price_list_id, b.id, b.members, b.tier, b.segment_id, b.amount, lower(b.valid) AS begins,
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
                SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('From', 1, 'Members', b.members, 'Tier', b.tier,
                    'Segment', b.segment_id, 'Amount', b.amount)) ORDER BY b.id)
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
