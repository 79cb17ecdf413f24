-- What of the orders is not paid.
CREATE INDEX CONCURRENTLY orders_payment ON orders (payment_state, id) WHERE payment_state <> 'paid';
