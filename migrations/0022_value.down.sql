DROP TABLE points_entry, points_lot, credit_entry, credit, gift_card_entry, gift_card;
ALTER TABLE shop
    DROP COLUMN points_rate, DROP COLUMN points_worth, DROP COLUMN points_minimum, DROP COLUMN return_days, DROP COLUMN refund_limit, DROP COLUMN keep_delivery;
