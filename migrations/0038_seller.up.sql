-- Who sells: what the law wants on an invoice. A store that is run by another company says so; what it leaves empty is the shop's.
ALTER TABLE shop
    ADD COLUMN legal_name     text NOT NULL DEFAULT '',
    ADD COLUMN seller_address text NOT NULL DEFAULT '', -- registered office, one line each
    ADD COLUMN company_number text NOT NULL DEFAULT '',
    ADD COLUMN vat_number     text NOT NULL DEFAULT '',
    ADD COLUMN phones_checked_at timestamptz; -- when stored phone numbers were read again; none: not yet
ALTER TABLE location
    ADD COLUMN legal_name     text NOT NULL DEFAULT '',
    ADD COLUMN seller_address text NOT NULL DEFAULT '',
    ADD COLUMN company_number text NOT NULL DEFAULT '',
    ADD COLUMN vat_number     text NOT NULL DEFAULT '';

ALTER TABLE orders ADD COLUMN vat_number text NOT NULL DEFAULT ''; -- the buyer's, where they buy for a business
