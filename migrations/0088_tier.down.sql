DROP FUNCTION return_days_of(bigint);
DROP TABLE standing;
DROP TABLE tier_grant;
DROP TABLE tier;
