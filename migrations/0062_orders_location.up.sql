-- A store's orders, the newest first.
CREATE INDEX CONCURRENTLY orders_location ON orders (location_id, id);
