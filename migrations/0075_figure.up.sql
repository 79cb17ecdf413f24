-- What a person did, added up: kept by a job as facts arrive and counted anew at night. Amounts are minor units of
-- currency, the one in which they bought most often; what was cancelled or brought back does not count.
CREATE TABLE figure (
    customer_id    bigint   PRIMARY KEY REFERENCES customer,
    registered     boolean  NOT NULL,
    consents       text[]   NOT NULL, -- purpose:medium
    currency       text     NOT NULL DEFAULT '' CHECK (currency ~ '^([A-Z]{3})?$'),
    orders         integer  NOT NULL DEFAULT 0 CHECK (orders >= 0), -- in every currency and channel, past sales too
    web_orders     integer  NOT NULL DEFAULT 0 CHECK (web_orders >= 0),
    store_orders   integer  NOT NULL DEFAULT 0 CHECK (store_orders >= 0),
    units          integer  NOT NULL DEFAULT 0 CHECK (units >= 0),
    spent          bigint   NOT NULL DEFAULT 0,
    web_spent      bigint   NOT NULL DEFAULT 0,
    store_spent    bigint   NOT NULL DEFAULT 0,
    goods          bigint   NOT NULL DEFAULT 0, -- of spent, without delivery
    margin         bigint   NOT NULL DEFAULT 0, -- of goods: less tax and cost
    first_at       timestamptz,
    last_at        timestamptz,
    interval_days  integer  CHECK (interval_days > 0), -- median between days with an order; three such days at least
    departments    bigint[] NOT NULL DEFAULT '{}', -- at most three, by what was paid
    sizes          text[]   NOT NULL DEFAULT '{}', -- kept at least twice, or said
    promoted       integer  NOT NULL DEFAULT 0 CHECK (promoted >= 0), -- orders with a promotion
    discount       bigint   NOT NULL DEFAULT 0,
    returned_units integer  NOT NULL DEFAULT 0 CHECK (returned_units >= 0),
    returned       bigint   NOT NULL DEFAULT 0, -- paid for them
    visits         integer  NOT NULL DEFAULT 0 CHECK (visits >= 0), -- days with something looked at, as far as it is kept
    looks          integer  NOT NULL DEFAULT 0 CHECK (looks >= 0),
    looked_only    integer  NOT NULL DEFAULT 0 CHECK (looked_only >= 0), -- products that were looked at and not bought
    seen_at        timestamptz, -- looked at something last
    CHECK (promoted <= orders AND web_orders + store_orders <= orders),
    CHECK ((orders = 0) = (last_at IS NULL) AND (last_at IS NULL) = (first_at IS NULL))
);

-- What is expected of them: of nobody who objects to profiling.
CREATE TABLE prediction (
    customer_id bigint   PRIMARY KEY REFERENCES customer,
    orders_90   real     NOT NULL CHECK (orders_90 >= 0), -- in the next 90 days
    orders_365  real     NOT NULL CHECK (orders_365 >= 0),
    spend_365   bigint   NOT NULL CHECK (spend_365 >= 0), -- minor units of the figure's currency
    active      real     NOT NULL CHECK (active BETWEEN 0 AND 1), -- probability that they still buy here
    next_on     date,
    predicted_on date    NOT NULL
);

-- People of whom something changed that is on no timeline, once for each time; see basket_changed.
CREATE TABLE figure_changed (
    person bigint NOT NULL
);
-- When everything was counted anew, and how far the timeline and customers were read; who counts holds it.
CREATE TABLE figuring (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    counted_at  timestamptz,
    learned_at  timestamptz, -- when it was said what is to be expected
    timeline_to bigint NOT NULL DEFAULT 0,
    customer_to bigint NOT NULL DEFAULT 0
);
INSERT INTO figuring DEFAULT VALUES;

CREATE OR REPLACE FUNCTION note_cancelled_basket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO basket_changed (order_id)
    SELECT DISTINCT l.order_id
    FROM changed
    JOIN was ON was.order_line_id = changed.order_line_id AND was.n = changed.n
    JOIN order_line l ON l.id = changed.order_line_id
    WHERE (was.state = 'cancelled') <> (changed.state = 'cancelled');
    INSERT INTO figure_changed (person)
    SELECT DISTINCT o.customer_id
    FROM changed
    JOIN was ON was.order_line_id = changed.order_line_id AND was.n = changed.n
    JOIN order_line l ON l.id = changed.order_line_id
    JOIN orders o ON o.id = l.order_id
    WHERE (was.state = 'cancelled') <> (changed.state = 'cancelled') OR was.allowed <> changed.allowed;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION note_returned_basket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO basket_changed (order_id)
    SELECT DISTINCT l.order_id FROM changed JOIN order_line l ON l.id = changed.order_line_id;
    INSERT INTO figure_changed (person)
    SELECT DISTINCT o.customer_id
    FROM changed
    JOIN order_line l ON l.id = changed.order_line_id
    JOIN orders o ON o.id = l.order_id;
    RETURN NULL;
END $$;

-- What segments ask beside figures.
CREATE FUNCTION note_changed_figure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'customer' THEN
        INSERT INTO figure_changed (person) VALUES (NEW.id);
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO figure_changed (person) VALUES (OLD.customer_id);
    ELSE
        INSERT INTO figure_changed (person) VALUES (NEW.customer_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER figure_changed AFTER UPDATE OF tier, location_id ON customer
    FOR EACH ROW WHEN (OLD.tier <> NEW.tier OR OLD.location_id IS DISTINCT FROM NEW.location_id) EXECUTE FUNCTION note_changed_figure();
CREATE TRIGGER figure_changed AFTER INSERT OR DELETE ON customer_tag
    FOR EACH ROW EXECUTE FUNCTION note_changed_figure();
CREATE TRIGGER figure_changed AFTER INSERT OR UPDATE OR DELETE ON address
    FOR EACH ROW EXECUTE FUNCTION note_changed_figure();

ALTER TABLE consent DROP CONSTRAINT consent_purpose_check;
ALTER TABLE consent ADD CONSTRAINT consent_purpose_check
    CHECK (purpose IN ('marketing', 'personalisation', 'location', 'clienteling', 'objection')) NOT VALID;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON figure, prediction, figure_changed, figuring TO counterpart_server;
    END IF;
END $$;
