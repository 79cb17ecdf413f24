DROP FUNCTION points_of(bigint[]);
DROP FUNCTION points_last_day(text, date, integer, text, timestamptz, timestamptz);
DROP TABLE points_warning;
DROP TABLE points_debt_entry;
DROP TABLE points_debt;
DROP INDEX points_entry_form;
ALTER TABLE points_entry DROP COLUMN form;
-- What they cannot say any more they say as before: points that staff gave or took.
UPDATE points_entry SET cause = 'given' WHERE cause IN ('adjusted', 'expired', 'revived', 'debt');
ALTER TABLE points_entry ADD CONSTRAINT points_entry_cause_check CHECK (cause IN ('earned', 'spent', 'restored', 'taken_back', 'given'));
ALTER TABLE points_entry DROP CONSTRAINT points_entry_cause;
DROP INDEX points_lot_expired;
ALTER TABLE points_lot DROP CONSTRAINT points_lot_expired_check;
ALTER TABLE points_lot DROP COLUMN expired, DROP COLUMN expired_at, DROP COLUMN revived_at;
DROP TABLE programme;
