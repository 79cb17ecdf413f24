-- What is valid stays so.
SELECT 1;
