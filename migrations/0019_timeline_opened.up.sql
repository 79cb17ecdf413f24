-- The counter lists whom an associate served last.
CREATE INDEX CONCURRENTLY timeline_opened ON timeline (associate_id, id DESC) WHERE kind = 'opened';
