-- Sales from before this shop, by day: figures and recommendations learn from them as from its orders. They are not
-- orders: nothing of them can be collected or brought back.
CREATE TABLE past_sale (
    source    text    NOT NULL CHECK (source <> ''),  -- the file or system that they are from
    receipt   text    NOT NULL CHECK (receipt <> ''),
    code      text    NOT NULL CHECK (code <> ''),    -- joins the variant with this SKU, or none
    day       date    NOT NULL,
    person    text    NOT NULL DEFAULT '',            -- joins the profile that has it as an external identity, or none
    goods     boolean NOT NULL,                       -- false: carriage, a gift voucher, whatever is no product
    currency  char(3) NOT NULL,
    quantity  integer NOT NULL CHECK (quantity > 0),
    amount    bigint  NOT NULL CHECK (amount >= 0),   -- minor units, for all of the quantity
    cancelled integer NOT NULL DEFAULT 0 CHECK (cancelled >= 0), -- of the quantity, on the day it was sold
    returned  integer NOT NULL DEFAULT 0 CHECK (returned >= 0),  -- of the quantity, later
    PRIMARY KEY (source, receipt, day, code), -- numbers of receipts begin again in some systems
    CHECK (cancelled + returned <= quantity)
);
-- Somebody's own past.
CREATE INDEX past_sale_person ON past_sale (person, day) WHERE person <> '';
-- A variant's past.
CREATE INDEX past_sale_code ON past_sale (code);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON past_sale TO counterpart_server;
    END IF;
END $$;
