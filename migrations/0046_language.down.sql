ALTER TABLE associate DROP COLUMN language;
