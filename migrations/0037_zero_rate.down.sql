DELETE FROM tax_rate WHERE tax_class = 'zero' AND ppm = 0 AND name = 'Zero rate';
