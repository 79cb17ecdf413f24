-- Apart from adding them, so that reading the tables holds nobody up.
ALTER TABLE points_lot VALIDATE CONSTRAINT points_lot_expired_check;
ALTER TABLE points_entry VALIDATE CONSTRAINT points_entry_cause;
