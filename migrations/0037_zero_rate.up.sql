-- A place without a rate for a class is a place where it cannot be sold. What is zero-rated was sold everywhere until now: where a country has its standard
-- rate, that is written down.
INSERT INTO tax_rate (country, region, tax_class, name, ppm)
SELECT country, region, 'zero', 'Zero rate', 0
FROM tax_rate
WHERE tax_class = 'standard'
ON CONFLICT DO NOTHING;
