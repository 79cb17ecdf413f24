-- A line of a sale belongs to the counter where it is sold: what somebody holds in their hand in Leeds is not sold in Riga. It takes the place of the flag.
-- Its method and store say how they get it: as a line of a shop's cart, or with neither, carried out.
ALTER TABLE cart_line ADD COLUMN sold_at bigint;
ALTER TABLE cart_line ADD CONSTRAINT cart_line_sold_at_fkey FOREIGN KEY (sold_at) REFERENCES location NOT VALID;
UPDATE cart_line l
SET sold_at = coalesce(c.location_id, (SELECT id FROM location ORDER BY kind = 'store' DESC, id LIMIT 1)), location_id = NULL, method = 'pickup'
FROM cart c
WHERE c.id = l.cart_id AND l.in_hand;
ALTER TABLE cart_line VALIDATE CONSTRAINT cart_line_sold_at_fkey;
