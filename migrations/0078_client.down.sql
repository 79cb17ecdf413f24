DROP TABLE follow_up;
DROP TABLE client;
