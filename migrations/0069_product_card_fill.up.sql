-- What is there already, a thousand products at a time: whoever changes one of them waits for no more than that.
DO $$
DECLARE
    done bigint := 0;
BEGIN
    LOOP
        INSERT INTO product_changed SELECT id FROM product WHERE id > done ORDER BY id LIMIT 1000 ON CONFLICT DO NOTHING;
        SELECT max(id) INTO done FROM (SELECT id FROM product WHERE id > done ORDER BY id LIMIT 1000) batch;
        EXIT WHEN done IS NULL;
        COMMIT;
    END LOOP;
END $$;
