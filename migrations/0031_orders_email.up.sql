-- Whether whoever gives an address has ordered before.
CREATE INDEX CONCURRENTLY orders_email ON orders (lower(email)) WHERE email <> '';
