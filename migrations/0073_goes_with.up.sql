-- What is bought together, from which is counted what goes with what.

-- These are figures, counted anew each night. They refer to nothing: a count that takes minutes would hold every order
-- and product that it names.

-- What an order counts as: products of which somebody kept a unit. Kept to take it back when the order changes.
CREATE TABLE basket (
    order_id bigint   PRIMARY KEY,
    products bigint[] NOT NULL
);
-- A basket of n products weighs 1,000,000/ln(1 + n): in whole numbers, so that what is added can be taken away.
CREATE TABLE bought (
    product_id bigint  PRIMARY KEY,
    weight     bigint  NOT NULL CHECK (weight >= 0), -- of the baskets with it
    baskets    integer NOT NULL CHECK (baskets >= 0)
);
-- Both ways round.
CREATE TABLE bought_with (
    product_id bigint  NOT NULL,
    other_id   bigint  NOT NULL,
    weight     bigint  NOT NULL CHECK (weight >= 0),
    baskets    integer NOT NULL CHECK (baskets >= 0),
    PRIMARY KEY (product_id, other_id),
    CHECK (product_id <> other_id)
);
-- The best of them, as pages show them.
CREATE TABLE goes_with (
    product_id bigint   NOT NULL,
    other_id   bigint   NOT NULL,
    why        text     NOT NULL CHECK (why IN ('bought', 'alike')),
    score      real     NOT NULL CHECK (score > 0),
    baskets    integer  NOT NULL DEFAULT 0,
    position   smallint NOT NULL,
    PRIMARY KEY (product_id, other_id),
    CHECK (product_id <> other_id)
);
CREATE INDEX goes_with_position ON goes_with (product_id, position);
CREATE INDEX goes_with_other ON goes_with (other_id);

-- Orders of which a unit was cancelled or brought back since they were counted, once for each time: two who write here do
-- not meet, and whoever counts takes away only what it has seen.
CREATE TABLE basket_changed (
    order_id bigint NOT NULL
);
-- When everything was counted anew; who counts holds it.
CREATE TABLE recommending (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    counted_at timestamptz
);
INSERT INTO recommending DEFAULT VALUES;

CREATE FUNCTION note_cancelled_basket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO basket_changed (order_id)
    SELECT DISTINCT l.order_id
    FROM changed
    JOIN was ON was.order_line_id = changed.order_line_id AND was.n = changed.n
    JOIN order_line l ON l.id = changed.order_line_id
    WHERE (was.state = 'cancelled') <> (changed.state = 'cancelled');
    RETURN NULL;
END $$;
CREATE FUNCTION note_returned_basket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO basket_changed (order_id)
    SELECT DISTINCT l.order_id FROM changed JOIN order_line l ON l.id = changed.order_line_id;
    RETURN NULL;
END $$;
CREATE TRIGGER basket_changed AFTER UPDATE ON order_unit REFERENCING OLD TABLE AS was NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_cancelled_basket();
CREATE TRIGGER basket_returned AFTER INSERT ON returned_unit REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_returned_basket();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON basket, bought, bought_with, goes_with, basket_changed, recommending
            TO counterpart_server;
    END IF;
END $$;
