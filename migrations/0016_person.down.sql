DROP TABLE export;
DROP TABLE browse_event;
DROP FUNCTION browse_event_month(date);
DROP TABLE customer_tag;
DROP TABLE note;
DROP TABLE preference;
DROP FUNCTION consented(bigint, text, text);
DROP TABLE consent;
DROP TABLE address;
DROP TABLE wish;
DELETE FROM cart WHERE state = 'joined';
ALTER TABLE cart DROP CONSTRAINT cart_state_check;
ALTER TABLE cart ADD CONSTRAINT cart_state_check CHECK (state IN ('open', 'ordered'));
DROP TABLE merge_move;
DROP TABLE merge;
DROP TABLE one_time;
DROP TABLE passkey;
DROP TABLE password;
DELETE FROM timeline WHERE kind NOT IN ('added', 'bought', 'collected', 'cancelled', 'contacted');
ALTER TABLE timeline
    DROP CONSTRAINT timeline_kind_check,
    DROP COLUMN associate_id,
    DROP COLUMN detail;
ALTER TABLE timeline ADD CONSTRAINT timeline_kind_check CHECK (kind IN ('added', 'bought', 'collected', 'cancelled', 'contacted'));
DELETE FROM identity WHERE kind IN ('passkey', 'external');
ALTER TABLE identity DROP CONSTRAINT identity_kind_check;
ALTER TABLE identity ADD CONSTRAINT identity_kind_check CHECK (kind IN ('email', 'phone', 'card', 'device'));
DROP FUNCTION plain_name(text);
ALTER TABLE customer
    DROP COLUMN merged_into,
    DROP COLUMN registered_at,
    DROP COLUMN disabled_at,
    DROP COLUMN erased_at,
    DROP COLUMN location_id;
