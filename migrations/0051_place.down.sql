DROP TABLE tax_plan, bin;
CREATE OR REPLACE FUNCTION home_location(chosen bigint, sold_at bigint) RETURNS SETOF location
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT *
        FROM location
        WHERE id = coalesce(nullif(sold_at, 0), chosen, (SELECT min(id) FROM location WHERE kind = 'store'))
    $$;
ALTER TABLE location DROP COLUMN closed_at;
