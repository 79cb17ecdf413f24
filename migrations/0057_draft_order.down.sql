DROP TABLE draft_order;
DELETE FROM cart WHERE state = 'draft';
ALTER TABLE cart DROP CONSTRAINT cart_state_check;
ALTER TABLE cart ADD CONSTRAINT cart_state_check CHECK (state IN ('open', 'ordered', 'joined', 'aside')) NOT VALID;
ALTER TABLE cart VALIDATE CONSTRAINT cart_state_check;
