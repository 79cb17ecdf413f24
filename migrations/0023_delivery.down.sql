ALTER TABLE cart DROP CONSTRAINT cart_state_check;
ALTER TABLE cart ADD CONSTRAINT cart_state_check CHECK (state IN ('open', 'ordered', 'joined'));
DROP TABLE cart_gift_card;
ALTER TABLE cart_line DROP COLUMN method, DROP COLUMN location_id, DROP COLUMN note;
ALTER TABLE cart DROP COLUMN delivery_id, DROP COLUMN country, DROP COLUMN region, DROP COLUMN points, DROP COLUMN credit, DROP COLUMN carry_out, DROP COLUMN opens_for;
DROP TABLE delivery_rate, delivery;
ALTER TABLE variant DROP COLUMN min_quantity, DROP COLUMN max_quantity, DROP COLUMN gift_card;
