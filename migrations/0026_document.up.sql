-- The last number of a series. One row each, so that numbers have no gaps: whoever issues holds it until they are done.
CREATE TABLE document_series (
    series text PRIMARY KEY CHECK (series IN ('invoice', 'credit_note')),
    last   bigint NOT NULL DEFAULT 0
);
INSERT INTO document_series (series) VALUES ('invoice'), ('credit_note');

-- An invoice or a credit note as it was issued. What it says is frozen in it.
CREATE TABLE document (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    series    text NOT NULL REFERENCES document_series,
    number    bigint NOT NULL CHECK (number > 0),
    order_id  bigint NOT NULL REFERENCES orders,
    cause     text NOT NULL, -- order:12, return:7: issued once
    currency  char(3) NOT NULL,
    total     bigint NOT NULL CHECK (total >= 0),
    day       date NOT NULL, -- where it was issued
    body      jsonb NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (series, number),
    UNIQUE (series, cause)
);
CREATE INDEX document_order ON document (order_id);
-- The VAT journal, by day.
CREATE INDEX document_day ON document (day);

CREATE TABLE document_tax (
    document_id bigint NOT NULL REFERENCES document,
    name        text NOT NULL,
    ppm         integer NOT NULL,
    net         bigint NOT NULL,
    tax         bigint NOT NULL,
    PRIMARY KEY (document_id, name, ppm)
);
