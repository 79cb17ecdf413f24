-- The counter finds short names by how they begin.
CREATE INDEX CONCURRENTLY customer_plain_name_begins ON customer (plain_name(name) text_pattern_ops);
