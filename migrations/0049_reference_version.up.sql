-- How often the tables changed that every process keeps: the shop, locations and their hours, departments, promotions, deliveries. A page's own statement reads the count.
CREATE TABLE reference_version (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    n    bigint NOT NULL
);
INSERT INTO reference_version (n) VALUES (1);

CREATE FUNCTION count_reference_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reference_version SET n = n + 1;
    RETURN NULL;
END $$;

CREATE TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE OF name, languages, demo, second_factor ON shop
    FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON location FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON opening FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON special_day FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON price_list FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON category FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON category_text FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON delivery FOR EACH ROW EXECUTE FUNCTION count_reference_change();
CREATE TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE ON delivery_rate FOR EACH ROW EXECUTE FUNCTION count_reference_change();
-- Not of used and spent: those change with every order.
CREATE TRIGGER reference_change AFTER INSERT OR DELETE OR UPDATE OF title, state, priority, exclusion, combines, starts_at, ends_at, needs_code, rule, max_uses, max_per_customer, max_per_day, budget ON promotion
    FOR EACH ROW EXECUTE FUNCTION count_reference_change();
