ALTER TABLE shop DROP COLUMN shortage_hours;
DROP TABLE shortage;
ALTER TABLE fulfilment DROP CONSTRAINT fulfilment_state_check, DROP CONSTRAINT fulfilment_pickup_check, DROP CONSTRAINT fulfilment_reminded_check, DROP CONSTRAINT fulfilment_expired_check;
UPDATE fulfilment SET state = 'waiting' WHERE state = 'undecided';
ALTER TABLE fulfilment
    ADD CONSTRAINT fulfilment_state_check CHECK (state IN ('waiting', 'to_pick', 'ready', 'collected', 'shipped', 'cancelled')),
    ADD CONSTRAINT fulfilment_pickup_check CHECK (method <> 'pickup' OR state IN ('waiting', 'cancelled') OR (code IS NOT NULL AND token IS NOT NULL AND ready_by IS NOT NULL)),
    DROP COLUMN reminded, DROP COLUMN extended_at, DROP COLUMN expired_at;
DROP TABLE task;
