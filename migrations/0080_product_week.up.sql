-- What became of a product in a week (Monday, in UTC), by place; 0 is the web shop's pages. Figures, which refer to nothing:
-- see 0073.
CREATE TABLE product_week (
    product_id  bigint  NOT NULL,
    location_id bigint  NOT NULL,
    week        date    NOT NULL CHECK (extract(isodow FROM week) = 1),
    sold        integer NOT NULL DEFAULT 0 CHECK (sold >= 0),
    revenue     bigint  NOT NULL DEFAULT 0, -- of what was sold, minor units of the place's currency
    returned    integer NOT NULL DEFAULT 0 CHECK (returned >= 0),
    looks       integer NOT NULL DEFAULT 0 CHECK (looks >= 0), -- of those who agreed to be remembered
    PRIMARY KEY (product_id, location_id, week)
);
CREATE INDEX product_week_week ON product_week (week);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON product_week TO counterpart_server;
    END IF;
END $$;
