-- Apart from adding them, so that reading the table holds nobody up.
ALTER TABLE price_break VALIDATE CONSTRAINT price_break_segment_id_fkey;
ALTER TABLE price_break VALIDATE CONSTRAINT price_break_for_check;
