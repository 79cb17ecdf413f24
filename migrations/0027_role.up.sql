-- The server is no owner: the months of what was looked at are made and dropped by functions that are.
ALTER FUNCTION browse_event_month(date) SECURITY DEFINER SET search_path = public, pg_temp;

CREATE FUNCTION browse_event_drop(before date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('browse_event_drop')); -- one process at a time
    FOR month IN
        SELECT c.relname
        FROM pg_inherits
        JOIN pg_class c ON c.oid = inhrelid
        WHERE inhparent = 'browse_event'::regclass AND c.relname < 'browse_event_' || to_char(before, 'YYYYMM')
    LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I', month);
    END LOOP;
END $$;
