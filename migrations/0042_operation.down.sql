DROP TABLE schema_compatible;
DROP TABLE known_place;
