DROP INDEX fulfilment_open;
DROP TABLE carrier, parcel, order_tag, order_note;
ALTER TABLE orders DROP COLUMN held_at, DROP COLUMN hold_reason;
