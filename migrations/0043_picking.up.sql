-- A line of which some units are obtained another way than the rest is split. Its units keep their numbers, so that documents that speak of them stay true.
ALTER TABLE order_line ADD COLUMN split_from bigint; -- the line that was ordered
ALTER TABLE order_line ADD CONSTRAINT order_line_split_from_fkey FOREIGN KEY (split_from) REFERENCES order_line NOT VALID;
ALTER TABLE order_line VALIDATE CONSTRAINT order_line_split_from_fkey;

-- How many of a line lie in the picker's basket: every till of the store sees it.
ALTER TABLE order_line ADD COLUMN picked integer NOT NULL DEFAULT 0;
ALTER TABLE order_line ADD CONSTRAINT order_line_picked_check CHECK (picked BETWEEN 0 AND quantity) NOT VALID;
ALTER TABLE order_line VALIDATE CONSTRAINT order_line_picked_check;
