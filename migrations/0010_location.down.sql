DROP TABLE try;
DROP TABLE opening;
DROP TABLE location;
DROP TABLE shop;
DROP EXTENSION fuzzystrmatch;
DROP EXTENSION unaccent;
DROP EXTENSION pg_trgm;
DROP EXTENSION btree_gist;
