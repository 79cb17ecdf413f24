-- How the shop looks and speaks beyond its name.
ALTER TABLE shop
    ADD COLUMN sender_name  text NOT NULL DEFAULT '',  -- as emails name who wrote them; empty: the shop's name
    ADD COLUMN reply_to     text NOT NULL DEFAULT '',  -- where answers to emails go; empty: to the sender
    ADD COLUMN accent       text NOT NULL DEFAULT '',  -- of buttons, as rrggbb; empty: ours
    ADD COLUMN ground       text NOT NULL DEFAULT '',  -- behind pages
    ADD COLUMN ink          text NOT NULL DEFAULT '',  -- of text
    ADD COLUMN text_font    text NOT NULL DEFAULT 'sans',
    ADD COLUMN display_font text NOT NULL DEFAULT 'serif',
    ADD COLUMN logo         text NOT NULL DEFAULT '',  -- its key in the file store; empty: the name in letters
    ADD COLUMN header_links jsonb NOT NULL DEFAULT '[]', -- of name and address
    ADD COLUMN footer_links jsonb NOT NULL DEFAULT '[]';
ALTER TABLE shop ADD CONSTRAINT shop_colours_check CHECK (accent ~ '^([0-9a-f]{6})?$' AND ground ~ '^([0-9a-f]{6})?$' AND ink ~ '^([0-9a-f]{6})?$') NOT VALID;
ALTER TABLE shop ADD CONSTRAINT shop_fonts_check CHECK (text_font IN ('sans', 'serif') AND display_font IN ('sans', 'serif')) NOT VALID;
ALTER TABLE shop VALIDATE CONSTRAINT shop_colours_check;
ALTER TABLE shop VALIDATE CONSTRAINT shop_fonts_check;

-- Pages that the retailer writes: terms, privacy, delivery, and their own.
CREATE TABLE page (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind      text NOT NULL CHECK (kind IN ('terms', 'privacy', 'imprint', 'returns', 'delivery', 'about', 'faq', 'accessibility', 'other')),
    slug      text NOT NULL UNIQUE,
    in_footer boolean NOT NULL DEFAULT true,
    position  integer NOT NULL DEFAULT 0
);
-- One of each kind but the retailer's own.
CREATE UNIQUE INDEX page_kind ON page (kind) WHERE kind <> 'other';

-- What a page said, from when on: never changed, so that what somebody agreed to can be read.
CREATE TABLE page_version (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    page_id      bigint NOT NULL REFERENCES page,
    language     text NOT NULL,
    title        text NOT NULL CHECK (title <> ''),
    body         text NOT NULL, -- Markdown
    associate_id bigint REFERENCES associate,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX page_version_page ON page_version (page_id, language, id DESC);

-- The terms that an order was placed under.
ALTER TABLE orders ADD COLUMN terms_id bigint;
ALTER TABLE orders ADD CONSTRAINT orders_terms_id_fkey FOREIGN KEY (terms_id) REFERENCES page_version NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_terms_id_fkey;

CREATE CONSTRAINT TRIGGER reference_change_theme AFTER UPDATE OF accent, ground, ink, text_font, display_font, logo, header_links, footer_links ON shop
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE CONSTRAINT TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON page
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE CONSTRAINT TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON page_version
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_reference_change();
