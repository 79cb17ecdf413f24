-- The sweeper looks for holds that end soon or are over.
CREATE INDEX CONCURRENTLY fulfilment_hold ON fulfilment (hold_until) WHERE state = 'ready';
