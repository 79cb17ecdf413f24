DROP FUNCTION kilometres;
DROP TABLE place;
DROP TABLE segment_member;
DROP TABLE segment;
