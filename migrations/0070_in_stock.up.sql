-- Which variants can be had where: a row for each level with units that can be sold, written by the update that makes or takes the last of them, whose lock on the level is the only one.
CREATE TABLE in_stock (
    product_id  bigint NOT NULL REFERENCES product ON DELETE CASCADE,
    location_id bigint NOT NULL REFERENCES location,
    variant_id  bigint NOT NULL REFERENCES variant ON DELETE CASCADE,
    PRIMARY KEY (product_id, location_id, variant_id)
);

CREATE FUNCTION keep_in_stock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' AND NEW.on_hand - NEW.reserved - NEW.safety > 0 THEN
        INSERT INTO in_stock
        SELECT product_id, NEW.location_id, id FROM variant WHERE id = NEW.variant_id
        ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM in_stock
        WHERE product_id = (SELECT product_id FROM variant WHERE id = OLD.variant_id) AND location_id = OLD.location_id
            AND variant_id = OLD.variant_id;
    END IF;
    RETURN NULL;
END $$;
-- A server that runs while this migration does needs its rights at once; role.sql says them again.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON in_stock TO counterpart_server;
    END IF;
END $$;

CREATE TRIGGER in_stock_insert AFTER INSERT ON stock_level FOR EACH ROW
    WHEN (NEW.condition = 'sellable' AND NEW.on_hand - NEW.reserved - NEW.safety > 0) EXECUTE FUNCTION keep_in_stock();
CREATE TRIGGER in_stock_update AFTER UPDATE ON stock_level FOR EACH ROW
    WHEN (NEW.condition = 'sellable'
        AND (OLD.on_hand - OLD.reserved - OLD.safety > 0) <> (NEW.on_hand - NEW.reserved - NEW.safety > 0))
    EXECUTE FUNCTION keep_in_stock();
CREATE TRIGGER in_stock_delete AFTER DELETE ON stock_level FOR EACH ROW
    WHEN (OLD.condition = 'sellable') EXECUTE FUNCTION keep_in_stock();
