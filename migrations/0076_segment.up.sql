-- People by conditions. A living segment is asked anew as figures change; a static one keeps whom it had.
CREATE TABLE segment (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title      text    NOT NULL CHECK (title <> ''),
    tree       jsonb   NOT NULL,
    living     boolean NOT NULL DEFAULT true,
    version    integer NOT NULL DEFAULT 1,
    counted_at timestamptz, -- when it was asked last; NULL: not yet
    created_by bigint  REFERENCES associate,
    created_at timestamptz NOT NULL DEFAULT now(),
    archived_at timestamptz
);
CREATE UNIQUE INDEX segment_title ON segment (lower(title)) WHERE archived_at IS NULL;

CREATE TABLE segment_member (
    segment_id  bigint NOT NULL REFERENCES segment,
    customer_id bigint NOT NULL REFERENCES customer,
    since       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (segment_id, customer_id)
);
CREATE INDEX segment_member_customer ON segment_member (customer_id);

-- Where postcodes and towns are, as the retailer's gazetteer has it. Key is in capitals, a postcode without blanks.
CREATE TABLE place (
    country   char(2) NOT NULL,
    kind      text    NOT NULL CHECK (kind IN ('postcode', 'town')),
    key       text    NOT NULL CHECK (key <> ''),
    name      text    NOT NULL,
    latitude  double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    PRIMARY KEY (country, kind, key)
);

-- Kilometres between two points on a sphere of 6,371 km: the haversine formula.
CREATE FUNCTION kilometres(lat1 double precision, lon1 double precision, lat2 double precision, lon2 double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 12742 * asin(sqrt(least(1, power(sin(radians(lat2 - lat1) / 2), 2)
        + cos(radians(lat1)) * cos(radians(lat2)) * power(sin(radians(lon2 - lon1) / 2), 2))))
$$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON segment, segment_member, place TO counterpart_server;
        GRANT USAGE, SELECT ON SEQUENCE segment_id_seq TO counterpart_server;
    END IF;
END $$;
