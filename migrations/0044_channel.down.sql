ALTER TABLE customer      DROP CONSTRAINT customer_channel_check;
ALTER TABLE timeline      DROP CONSTRAINT timeline_channel_check;
ALTER TABLE stock_move    DROP CONSTRAINT stock_move_channel_check;
ALTER TABLE cart          DROP CONSTRAINT cart_channel_check;
ALTER TABLE cart_line     DROP CONSTRAINT cart_line_channel_check;
ALTER TABLE orders        DROP CONSTRAINT orders_channel_check;
ALTER TABLE wish          DROP CONSTRAINT wish_channel_check;
ALTER TABLE return_ticket DROP CONSTRAINT return_ticket_channel_check;
DROP FUNCTION is_channel(text);
