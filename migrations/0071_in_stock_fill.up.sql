-- What is there already, the levels of a thousand variants at a time: locked, so that none changes between being read and being written down.
DO $$
DECLARE
    done bigint := 0;
    upto bigint;
BEGIN
    LOOP
        SELECT max(id) INTO upto FROM (SELECT id FROM variant WHERE id > done ORDER BY id LIMIT 1000) batch;
        EXIT WHEN upto IS NULL;
        INSERT INTO in_stock
        SELECT v.product_id, s.location_id, s.variant_id
        FROM stock_level s
        JOIN variant v ON v.id = s.variant_id
        WHERE v.id > done AND v.id <= upto AND s.condition = 'sellable' AND s.on_hand - s.reserved - s.safety > 0
        ORDER BY s.variant_id, s.location_id
        FOR SHARE OF s
        ON CONFLICT DO NOTHING;
        done := upto;
        COMMIT;
    END LOOP;
END $$;
