ALTER TABLE gift_card DROP COLUMN associate_id, DROP COLUMN reason;
ALTER TABLE customer DROP COLUMN company, DROP COLUMN vat_number;
