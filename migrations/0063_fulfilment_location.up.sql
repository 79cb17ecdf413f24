-- Orders of which a place has a part, the newest first.
CREATE INDEX CONCURRENTLY fulfilment_location ON fulfilment (location_id, order_id);
