DROP FUNCTION home_location(bigint, bigint);
