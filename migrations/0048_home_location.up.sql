-- The store whose prices and taxes hold for a cart: the counter where it is sold, else the one that was chosen, else the chain's first. Postgres puts it into the statement that asks in FROM.
CREATE FUNCTION home_location(chosen bigint, sold_at bigint) RETURNS SETOF location
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT *
        FROM location
        WHERE id = coalesce(nullif(sold_at, 0), chosen, (SELECT min(id) FROM location WHERE kind = 'store'))
    $$;
