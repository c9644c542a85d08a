-- Why: a table to test with. Lock: none on existing data. Duration: milliseconds.
CREATE TABLE things (id int8 PRIMARY KEY);
INSERT INTO things VALUES (1), (2);
