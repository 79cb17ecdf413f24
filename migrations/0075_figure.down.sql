DELETE FROM consent WHERE purpose = 'objection';
ALTER TABLE consent DROP CONSTRAINT consent_purpose_check;
ALTER TABLE consent ADD CONSTRAINT consent_purpose_check
    CHECK (purpose IN ('marketing', 'personalisation', 'location', 'clienteling'));
CREATE OR REPLACE FUNCTION note_cancelled_basket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO basket_changed (order_id)
    SELECT DISTINCT l.order_id
    FROM changed
    JOIN was ON was.order_line_id = changed.order_line_id AND was.n = changed.n
    JOIN order_line l ON l.id = changed.order_line_id
    WHERE (was.state = 'cancelled') <> (changed.state = 'cancelled');
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION note_returned_basket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO basket_changed (order_id)
    SELECT DISTINCT l.order_id FROM changed JOIN order_line l ON l.id = changed.order_line_id;
    RETURN NULL;
END $$;
DROP TRIGGER figure_changed ON customer;
DROP TRIGGER figure_changed ON customer_tag;
DROP TRIGGER figure_changed ON address;
DROP FUNCTION note_changed_figure;
DROP TABLE figuring;
DROP TABLE figure_changed;
DROP TABLE prediction;
DROP TABLE figure;
