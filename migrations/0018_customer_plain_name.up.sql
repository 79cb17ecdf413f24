-- The counter finds people by name, misspelt and without accents. On its own, because it is built while the shop is open.
CREATE INDEX CONCURRENTLY customer_plain_name ON customer USING gin (plain_name(name) gin_trgm_ops);
