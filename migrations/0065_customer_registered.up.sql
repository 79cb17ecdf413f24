-- Customers with an account.
CREATE INDEX CONCURRENTLY customer_registered ON customer (id) WHERE registered_at IS NOT NULL;
