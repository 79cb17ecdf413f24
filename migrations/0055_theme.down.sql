DROP TRIGGER reference_change_theme ON shop;
ALTER TABLE orders DROP COLUMN terms_id;
DROP TABLE page_version, page;
ALTER TABLE shop DROP COLUMN sender_name, DROP COLUMN reply_to, DROP COLUMN accent, DROP COLUMN ground, DROP COLUMN ink,
    DROP COLUMN text_font, DROP COLUMN display_font, DROP COLUMN logo, DROP COLUMN header_links, DROP COLUMN footer_links;
