-- Who buys for a business: what its invoices name.
ALTER TABLE customer
    ADD COLUMN company    text NOT NULL DEFAULT '',
    ADD COLUMN vat_number text NOT NULL DEFAULT '';

-- Gift cards that staff give say by whom and why.
ALTER TABLE gift_card
    ADD COLUMN associate_id bigint,
    ADD COLUMN reason       text NOT NULL DEFAULT '';
ALTER TABLE gift_card ADD CONSTRAINT gift_card_associate_id_fkey FOREIGN KEY (associate_id) REFERENCES associate NOT VALID;
ALTER TABLE gift_card VALIDATE CONSTRAINT gift_card_associate_id_fkey;
