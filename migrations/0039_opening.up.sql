-- Several intervals a day, as 12 to 15 and 17 to 21.
ALTER TABLE opening DROP CONSTRAINT opening_pkey;
ALTER TABLE opening ADD PRIMARY KEY (location_id, weekday, opens);
ALTER TABLE opening ADD CONSTRAINT opening_apart EXCLUDE USING gist (location_id WITH =, (weekday::integer) WITH =, int4range(opens, closes) WITH &&);

-- A day that is not like its weekday: closed, or open at other times; a row for each interval. What it says takes the place of the weekday's hours.
CREATE TABLE special_day (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    location_id bigint NOT NULL REFERENCES location,
    day         date NOT NULL,
    name        text NOT NULL DEFAULT '', -- as shoppers read it: Boxing Day
    opens       smallint CHECK (opens BETWEEN 0 AND 1439), -- none: closed
    closes      smallint CHECK (closes BETWEEN opens + 1 AND 1440),
    preparation_minutes integer NOT NULL DEFAULT 0 CHECK (preparation_minutes BETWEEN 0 AND 10080),
    CHECK ((opens IS NULL) = (closes IS NULL)),
    -- A closed day has no interval beside it, and intervals are apart. The index also serves every page that shows a store.
    CONSTRAINT special_day_apart EXCLUDE USING gist (location_id WITH =, day WITH =, int4range(coalesce(opens, 0), coalesce(closes, 1440)) WITH &&)
);
CREATE INDEX special_day_location ON special_day (location_id, day);
