-- Above how much a refund needs a manager's approval, in each currency: hundredths of any currency were fifty pounds in one store and fifty crowns in the next.
CREATE TABLE refund_limit (
    currency char(3) PRIMARY KEY CHECK (currency ~ '^[A-Z]{3}$'),
    amount   bigint NOT NULL CHECK (amount >= 0)  -- minor units
);

INSERT INTO refund_limit (currency, amount)
SELECT DISTINCT l.currency, CASE
        WHEN l.currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN shop.refund_limit / 100
        WHEN l.currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN shop.refund_limit * 10
        ELSE shop.refund_limit
    END
FROM location l
CROSS JOIN shop;

-- shop.refund_limit stays until no server that reads it runs any more.
