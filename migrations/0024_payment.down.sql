ALTER TABLE timeline DROP CONSTRAINT timeline_kind_check;
ALTER TABLE timeline ADD CONSTRAINT timeline_kind_check CHECK (kind IN (
    'added', 'bought', 'collected', 'cancelled', 'contacted', 'joined', 'registered', 'signed_in', 'signed_out', 'verified', 'removed', 'consented', 'withdrew',
    'wished', 'noted', 'opened', 'merged', 'unmerged', 'exported', 'disabled', 'enabled', 'secured'));
ALTER TABLE reservation DROP CONSTRAINT reservation_owner_check;
ALTER TABLE reservation ALTER COLUMN order_line_id SET NOT NULL;
DROP TABLE difference, payment_event, transfer;
ALTER TABLE tender
    DROP CONSTRAINT tender_kind_check, DROP CONSTRAINT tender_means_check, DROP CONSTRAINT tender_points_check,
    DROP COLUMN payment_id, DROP COLUMN gift_card_id, DROP COLUMN points, DROP COLUMN points_back,
    ADD CONSTRAINT tender_kind_check CHECK (kind IN ('pay_at_pickup', 'cash', 'terminal'));
DROP TABLE payment, order_share, order_discount;
ALTER TABLE order_unit
    DROP CONSTRAINT order_unit_state_check, DROP CONSTRAINT order_unit_points_check, DROP COLUMN by_points, DROP COLUMN points,
    ADD CONSTRAINT order_unit_state_check CHECK (state IN ('open', 'collected', 'carried_out', 'cancelled'));
ALTER TABLE order_line DROP COLUMN list_price, DROP COLUMN gift, DROP COLUMN note;
ALTER TABLE fulfilment
    DROP CONSTRAINT fulfilment_method_check, DROP CONSTRAINT fulfilment_state_check, DROP CONSTRAINT fulfilment_pickup_check, DROP CONSTRAINT fulfilment_ship_check,
    DROP CONSTRAINT fulfilment_shipped_check, DROP CONSTRAINT fulfilment_charge_check,
    DROP COLUMN delivery_id, DROP COLUMN name, DROP COLUMN lines, DROP COLUMN town, DROP COLUMN region, DROP COLUMN postcode, DROP COLUMN country,
    DROP COLUMN charge, DROP COLUMN discount, DROP COLUMN paid, DROP COLUMN tax, DROP COLUMN tax_name, DROP COLUMN tax_ppm, DROP COLUMN refunded,
    DROP COLUMN arrives_from, DROP COLUMN arrives_by, DROP COLUMN carrier, DROP COLUMN tracking, DROP COLUMN shipped_at, DROP COLUMN shipped_associate_id,
    ADD CONSTRAINT fulfilment_method_check CHECK (method IN ('pickup', 'carry_out')),
    ADD CONSTRAINT fulfilment_state_check CHECK (state IN ('to_pick', 'ready', 'collected', 'cancelled')),
    ADD CONSTRAINT fulfilment_check3 CHECK (method <> 'pickup' OR (code IS NOT NULL AND token IS NOT NULL AND ready_by IS NOT NULL));
DROP INDEX orders_placed_until;
ALTER TABLE orders DROP COLUMN hold_until, DROP CONSTRAINT orders_payment_state_check;
ALTER TABLE orders ADD CONSTRAINT orders_payment_state_check CHECK (payment_state IN ('due', 'paid'));
