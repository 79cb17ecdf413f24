DELETE FROM goes_with WHERE why = 'viewed';
ALTER TABLE goes_with ADD CONSTRAINT goes_with_why_check CHECK (why IN ('bought', 'alike'));
ALTER TABLE goes_with DROP CONSTRAINT goes_with_why;
DROP FUNCTION slot_rules(text);
DROP FUNCTION categories_below(bigint[]);
DROP TABLE slot;
