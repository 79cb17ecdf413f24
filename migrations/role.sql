-- What the running server may do; said again after every migration. It reads and writes, but makes no tables, and what is in a ledger it cannot change or take away.
SELECT pg_advisory_xact_lock(hashtext('counterpart_server'));

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        CREATE ROLE counterpart_server LOGIN;
    END IF;
    EXECUTE format('GRANT counterpart_server TO %I', current_user);
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL; -- another process made it meanwhile
    WHEN insufficient_privilege THEN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
            RAISE WARNING 'the role counterpart_server cannot be made here: the server works as the owner of its tables';
            RETURN;
        END IF;
END $$;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA public TO counterpart_server;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO counterpart_server;
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO counterpart_server;
    REVOKE INSERT, UPDATE, DELETE ON schema_migrations, schema_compatible FROM counterpart_server;
    REVOKE UPDATE, DELETE ON allowance, allowance_share, stock_move, gift_card_entry, credit_entry, points_entry, points_debt_entry, document, document_tax, page_version, order_discount, order_share, returned_unit, merge_move, audit_entry
        FROM counterpart_server;
    -- What was agreed and asked for stays as it is; only how it stands changes.
    REVOKE UPDATE, DELETE ON order_unit, price, price_break, payment_event, refund, transfer, promotion_use FROM counterpart_server;
    REVOKE DELETE ON orders, order_line, fulfilment, tender, payment, return_ticket FROM counterpart_server;
    GRANT UPDATE (state, order_line_id, allowed, allowed_tax) ON order_unit TO counterpart_server;
    GRANT UPDATE (order_line_id) ON order_share TO counterpart_server;
    GRANT UPDATE (valid, withdrawn) ON price TO counterpart_server;
    GRANT UPDATE (valid) ON price_break TO counterpart_server;
    GRANT UPDATE (applied_at, outcome) ON payment_event TO counterpart_server;
    GRANT UPDATE (state, transfer_id, settled_at) ON refund TO counterpart_server;
    GRANT UPDATE (state, problem, settled_at) ON transfer TO counterpart_server;
    GRANT UPDATE (released_at) ON promotion_use TO counterpart_server;
    -- Only what people wrote about somebody who was forgotten.
    GRANT UPDATE (reason) ON audit_entry TO counterpart_server;
END $$;
