ALTER TABLE orders DROP COLUMN vat_number;
ALTER TABLE location DROP COLUMN legal_name, DROP COLUMN seller_address, DROP COLUMN company_number, DROP COLUMN vat_number;
ALTER TABLE shop DROP COLUMN legal_name, DROP COLUMN seller_address, DROP COLUMN company_number, DROP COLUMN vat_number, DROP COLUMN phones_checked_at;
