-- How often the tables changed that every process keeps: the shop, locations and their hours, departments, promotions, deliveries. A page's own statement reads the count.
CREATE TABLE reference_version (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    n    bigint NOT NULL
);
INSERT INTO reference_version (n) VALUES (1);

-- Counted once by a transaction, as it commits: the row is the last that it locks, and for a moment only.
CREATE FUNCTION count_reference_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('counterpart.reference_counted', true) IS NOT DISTINCT FROM pg_current_xact_id()::text THEN
        RETURN NULL;
    END IF;
    UPDATE reference_version SET n = n + 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'reference_version has no row';
    END IF;
    PERFORM set_config('counterpart.reference_counted', pg_current_xact_id()::text, true);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE OF name, languages, demo, second_factor ON shop
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE CONSTRAINT TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON location
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE CONSTRAINT TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON opening
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE CONSTRAINT TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON special_day
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE CONSTRAINT TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON price_list
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE CONSTRAINT TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON category
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE CONSTRAINT TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON category_text
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE CONSTRAINT TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON delivery
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE CONSTRAINT TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON delivery_rate
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_reference_change();
-- Not of used and spent: those change with every order.
CREATE CONSTRAINT TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE OF title, state, priority, exclusion, combines, starts_at, ends_at, needs_code, rule, max_uses, max_per_customer, max_per_day, budget ON promotion
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_reference_change();
