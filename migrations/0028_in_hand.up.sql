-- What somebody holds in their hand at a counter is sold there; the same thing in their online cart is another line.
ALTER TABLE cart_line ADD COLUMN in_hand boolean NOT NULL DEFAULT false;
