-- Orders that are not confirmed, or not any more.
CREATE INDEX CONCURRENTLY orders_state ON orders (state, id) WHERE state <> 'confirmed';
