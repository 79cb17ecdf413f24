ALTER TABLE variant
    ADD COLUMN min_quantity integer NOT NULL DEFAULT 1,
    ADD COLUMN max_quantity integer NOT NULL DEFAULT 99,
    ADD COLUMN gift_card    boolean NOT NULL DEFAULT false; -- money in another form: no stock, no discount, no points
ALTER TABLE variant ADD CONSTRAINT variant_quantities_check CHECK (min_quantity BETWEEN 1 AND max_quantity AND max_quantity <= 99) NOT VALID;
ALTER TABLE variant VALIDATE CONSTRAINT variant_quantities_check;

-- Where goods are sent, how long it takes and what it costs.
CREATE TABLE delivery (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL CHECK (name <> ''),
    countries  char(2)[] NOT NULL CHECK (cardinality(countries) > 0),
    currency   char(3) NOT NULL,
    carrier    text NOT NULL DEFAULT '',
    min_days   smallint NOT NULL CHECK (min_days >= 0),
    max_days   smallint NOT NULL CHECK (max_days >= min_days),
    cutoff     smallint NOT NULL DEFAULT 840 CHECK (cutoff BETWEEN 0 AND 1440), -- ordered before this minute of the day it leaves that day
    position   integer NOT NULL DEFAULT 0,
    active     boolean NOT NULL DEFAULT true
);

-- The charge of the first row that fits: the weight at most, the goods at least. No row fits: not this way.
CREATE TABLE delivery_rate (
    delivery_id   bigint NOT NULL REFERENCES delivery ON DELETE CASCADE,
    max_grams     integer NOT NULL CHECK (max_grams > 0),
    from_subtotal bigint NOT NULL DEFAULT 0 CHECK (from_subtotal >= 0),
    charge        bigint NOT NULL CHECK (charge >= 0),
    PRIMARY KEY (delivery_id, max_grams, from_subtotal)
);

ALTER TABLE cart
    ADD COLUMN delivery_id bigint,
    ADD COLUMN country     char(2),
    ADD COLUMN region      text NOT NULL DEFAULT '',
    ADD COLUMN points      integer NOT NULL DEFAULT 0, -- that the shopper means to spend
    ADD COLUMN credit      boolean NOT NULL DEFAULT false,
    ADD COLUMN carry_out   boolean NOT NULL DEFAULT false, -- a sale in progress at a counter: it leaves with the customer
    ADD COLUMN opens_for   text;                       -- the word in a link that gives this cart to whoever opens it
ALTER TABLE cart
    ADD CONSTRAINT cart_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES delivery NOT VALID,
    ADD CONSTRAINT cart_points_check CHECK (points >= 0) NOT VALID;
ALTER TABLE cart VALIDATE CONSTRAINT cart_delivery_id_fkey;
ALTER TABLE cart VALIDATE CONSTRAINT cart_points_check;
-- The link that was sent or scanned. No row has a value yet, so this is quick.
CREATE UNIQUE INDEX cart_opens_for ON cart (opens_for) WHERE opens_for IS NOT NULL;

ALTER TABLE cart_line
    ADD COLUMN method      text NOT NULL DEFAULT 'pickup',
    ADD COLUMN location_id bigint, -- the store of this line; none: the cart's
    ADD COLUMN note        text NOT NULL DEFAULT ''; -- for the shop; of a gift card: whom it is mailed to
ALTER TABLE cart_line
    ADD CONSTRAINT cart_line_method_check CHECK (method IN ('pickup', 'ship')) NOT VALID,
    ADD CONSTRAINT cart_line_location_id_fkey FOREIGN KEY (location_id) REFERENCES location NOT VALID,
    ADD CONSTRAINT cart_line_note_check CHECK (char_length(note) <= 300) NOT VALID;
ALTER TABLE cart_line VALIDATE CONSTRAINT cart_line_method_check;
ALTER TABLE cart_line VALIDATE CONSTRAINT cart_line_location_id_fkey;
ALTER TABLE cart_line VALIDATE CONSTRAINT cart_line_note_check;

-- Gift cards that the shopper means to pay with. The code itself is nowhere.
CREATE TABLE cart_gift_card (
    cart_id      bigint NOT NULL REFERENCES cart ON DELETE CASCADE,
    gift_card_id bigint NOT NULL REFERENCES gift_card,
    added_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cart_id, gift_card_id)
);

-- A sale that has to come first puts the customer's cart aside, within one transaction.
ALTER TABLE cart DROP CONSTRAINT cart_state_check;
ALTER TABLE cart ADD CONSTRAINT cart_state_check CHECK (state IN ('open', 'ordered', 'joined', 'aside')) NOT VALID;
ALTER TABLE cart VALIDATE CONSTRAINT cart_state_check;
