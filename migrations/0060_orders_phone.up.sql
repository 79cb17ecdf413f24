-- Orders by the phone number that was given for them.
CREATE INDEX CONCURRENTLY orders_phone ON orders (phone) WHERE phone <> '';
