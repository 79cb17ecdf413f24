DROP TABLE standing;
DROP TABLE tier_grant;
DROP TABLE tier;
