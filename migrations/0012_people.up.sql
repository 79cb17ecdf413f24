CREATE TABLE customer (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL DEFAULT '',
    language   text NOT NULL DEFAULT 'en',
    channel    text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The counter finds people by name, misspelt too.
CREATE INDEX customer_name_trgm ON customer USING gin (lower(name) gin_trgm_ops);

CREATE TABLE identity (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customer,
    kind        text NOT NULL CHECK (kind IN ('email', 'phone', 'card', 'device')),
    value       text NOT NULL CHECK (value <> ''), -- email in lower case, phone as E.164, device as the hash of its cookie
    verified_at timestamptz,
    source      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (customer_id, kind, value)
);

-- A verified identity belongs to one customer only. It is also how a shop page finds the visitor.
CREATE UNIQUE INDEX identity_verified ON identity (kind, value) WHERE verified_at IS NOT NULL;
-- The counter's search box: exact email or phone.
CREATE INDEX identity_value ON identity (value, kind);
-- The counter's search box: a part of a phone number or an address.
CREATE INDEX identity_value_trgm ON identity USING gin (value gin_trgm_ops) WHERE kind IN ('email', 'phone', 'card');

CREATE TABLE timeline (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customer,
    at          timestamptz NOT NULL DEFAULT now(),
    kind        text NOT NULL CHECK (kind IN ('added', 'bought', 'collected', 'cancelled', 'contacted')),
    channel     text NOT NULL,
    location_id bigint REFERENCES location,
    order_id    bigint,
    variant_id  bigint,
    quantity    integer
);

-- The customer's page at the counter, newest first.
CREATE INDEX timeline_customer ON timeline (customer_id, id DESC);

CREATE TABLE associate (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL CHECK (name <> ''),
    email         text NOT NULL CHECK (email = lower(email)),
    role          text NOT NULL CHECK (role IN ('associate', 'manager', 'stock', 'marketing', 'admin')),
    password_hash text NOT NULL,
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX associate_email ON associate (email);

-- Where somebody works. An admin works everywhere and needs no row.
CREATE TABLE associate_location (
    associate_id bigint NOT NULL REFERENCES associate,
    location_id  bigint NOT NULL REFERENCES location,
    PRIMARY KEY (associate_id, location_id)
);

CREATE TABLE session (
    token_hash   bytea PRIMARY KEY,
    associate_id bigint NOT NULL REFERENCES associate,
    location_id  bigint REFERENCES location, -- the store whose counter this is
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL
);
-- Signing somebody out everywhere.
CREATE INDEX session_associate ON session (associate_id);
