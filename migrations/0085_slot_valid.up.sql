-- Apart from adding it, so that reading the table holds nobody up.
ALTER TABLE goes_with VALIDATE CONSTRAINT goes_with_why;
