CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;

-- One row: the chain itself. It appears when the set-up, or the demo, is done.
CREATE TABLE shop (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    name       text NOT NULL CHECK (name <> ''),
    languages  text[] NOT NULL CHECK (cardinality(languages) > 0),
    demo       boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE location (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code         text NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9]{2,12}$'),
    slug         text NOT NULL UNIQUE,
    kind         text NOT NULL CHECK (kind IN ('store', 'warehouse')),
    name         text NOT NULL CHECK (name <> ''),
    street       text NOT NULL DEFAULT '',
    town         text NOT NULL DEFAULT '',
    postcode     text NOT NULL DEFAULT '',
    country      char(2) NOT NULL,
    region       text NOT NULL DEFAULT '', -- a state where tax differs by state, else empty
    phone        text NOT NULL DEFAULT '',
    latitude     double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude    double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    time_zone    text NOT NULL,
    currency     char(3) NOT NULL,
    tax_included boolean NOT NULL,
    pickup       boolean NOT NULL,
    ship         boolean NOT NULL,
    takes_returns boolean NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

-- A weekday without a row is a day on which the location is closed. Monday is 1, as in ISO 8601.
CREATE TABLE opening (
    location_id bigint NOT NULL REFERENCES location,
    weekday     smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    opens       smallint NOT NULL CHECK (opens BETWEEN 0 AND 1439), -- minutes after midnight by the location's clock
    closes      smallint NOT NULL CHECK (closes BETWEEN opens + 1 AND 1440),
    preparation_minutes integer NOT NULL CHECK (preparation_minutes BETWEEN 0 AND 10080),
    PRIMARY KEY (location_id, weekday)
);

-- Tries of something that can be guessed: sign-ins, codes. In the database, so that every process counts the same.
CREATE TABLE try (
    scope      text PRIMARY KEY,
    tries      integer NOT NULL,
    expires_at timestamptz NOT NULL
);
