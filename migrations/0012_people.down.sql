DROP TABLE session;
DROP TABLE associate_location;
DROP TABLE associate;
DROP TABLE timeline;
DROP TABLE identity;
DROP TABLE customer;
