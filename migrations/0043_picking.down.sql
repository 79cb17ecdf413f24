ALTER TABLE order_line
    DROP COLUMN picked,
    DROP COLUMN split_from;
