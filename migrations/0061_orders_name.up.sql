-- Orders by a part of a name, with and without accents.
CREATE INDEX CONCURRENTLY orders_name ON orders USING gin (plain_name(name) gin_trgm_ops) WHERE name <> '';
