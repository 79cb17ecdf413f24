-- The channels there are, once for every table that says through which something came. A new one is added here, in internal/domain/origin, and in the names of channels.
CREATE FUNCTION is_channel(name text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN name IN ('web', 'counter', 'kiosk', 'scan', 'chat', 'phone', 'api');

ALTER TABLE customer      ADD CONSTRAINT customer_channel_check      CHECK (is_channel(channel)) NOT VALID;
ALTER TABLE timeline      ADD CONSTRAINT timeline_channel_check      CHECK (is_channel(channel)) NOT VALID;
ALTER TABLE stock_move    ADD CONSTRAINT stock_move_channel_check    CHECK (is_channel(channel)) NOT VALID;
ALTER TABLE cart          ADD CONSTRAINT cart_channel_check          CHECK (is_channel(channel)) NOT VALID;
ALTER TABLE cart_line     ADD CONSTRAINT cart_line_channel_check     CHECK (is_channel(channel)) NOT VALID;
ALTER TABLE orders        ADD CONSTRAINT orders_channel_check        CHECK (is_channel(channel)) NOT VALID;
ALTER TABLE wish          ADD CONSTRAINT wish_channel_check          CHECK (is_channel(channel)) NOT VALID;
ALTER TABLE return_ticket ADD CONSTRAINT return_ticket_channel_check CHECK (is_channel(channel)) NOT VALID;
ALTER TABLE customer      VALIDATE CONSTRAINT customer_channel_check;
ALTER TABLE timeline      VALIDATE CONSTRAINT timeline_channel_check;
ALTER TABLE stock_move    VALIDATE CONSTRAINT stock_move_channel_check;
ALTER TABLE cart          VALIDATE CONSTRAINT cart_channel_check;
ALTER TABLE cart_line     VALIDATE CONSTRAINT cart_line_channel_check;
ALTER TABLE orders        VALIDATE CONSTRAINT orders_channel_check;
ALTER TABLE wish          VALIDATE CONSTRAINT wish_channel_check;
ALTER TABLE return_ticket VALIDATE CONSTRAINT return_ticket_channel_check;
