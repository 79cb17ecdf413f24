-- Products that are not on sale.
CREATE INDEX CONCURRENTLY product_status ON product (status, id) WHERE status <> 'active';
