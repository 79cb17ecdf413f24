-- A store that is closed down for good. Its orders, stock moves and documents stay; nothing new is made there.
ALTER TABLE location ADD COLUMN closed_at timestamptz;
ALTER TABLE location ADD CONSTRAINT location_closed_check CHECK (closed_at IS NULL OR NOT (pickup OR ship OR takes_returns)) NOT VALID;
ALTER TABLE location VALIDATE CONSTRAINT location_closed_check;

CREATE OR REPLACE FUNCTION home_location(chosen bigint, sold_at bigint) RETURNS SETOF location
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT *
        FROM location
        WHERE id = coalesce(nullif(sold_at, 0), chosen, (SELECT min(id) FROM location WHERE kind = 'store' AND closed_at IS NULL))
    $$;

-- Where a variant lies in a place, for whoever picks it.
CREATE TABLE bin (
    variant_id  bigint NOT NULL REFERENCES variant,
    location_id bigint NOT NULL REFERENCES location,
    name        text NOT NULL CHECK (name <> ''), -- aisle and bin, as they are written on the shelf: A3-12
    PRIMARY KEY (variant_id, location_id)
);
CREATE INDEX bin_location ON bin (location_id, name);

-- A tax rate that holds from a time on; a job writes it then.
CREATE TABLE tax_plan (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    country   char(2) NOT NULL,
    region    text NOT NULL DEFAULT '',
    tax_class text NOT NULL REFERENCES tax_class,
    name      text NOT NULL,
    ppm       integer NOT NULL CHECK (ppm BETWEEN 0 AND 1000000),
    starts_at timestamptz NOT NULL,
    UNIQUE (country, region, tax_class, starts_at)
);
CREATE INDEX tax_plan_due ON tax_plan (starts_at);
