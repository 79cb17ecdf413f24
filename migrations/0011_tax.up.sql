CREATE TABLE tax_class (
    code text PRIMARY KEY,
    name text NOT NULL
);

INSERT INTO tax_class (code, name) VALUES ('standard', 'Standard rate'), ('zero', 'Zero rate');

-- The rate of a class in a place. Parts per million, because 8.875 % must be exact.
CREATE TABLE tax_rate (
    country   char(2) NOT NULL,
    region    text NOT NULL DEFAULT '',
    tax_class text NOT NULL REFERENCES tax_class,
    name      text NOT NULL,
    ppm       integer NOT NULL CHECK (ppm BETWEEN 0 AND 1000000),
    PRIMARY KEY (country, region, tax_class)
);
