DROP TABLE special_day;
ALTER TABLE opening DROP CONSTRAINT opening_apart;
DELETE FROM opening o USING opening earlier WHERE o.location_id = earlier.location_id AND o.weekday = earlier.weekday AND earlier.opens < o.opens;
ALTER TABLE opening DROP CONSTRAINT opening_pkey;
ALTER TABLE opening ADD PRIMARY KEY (location_id, weekday);
