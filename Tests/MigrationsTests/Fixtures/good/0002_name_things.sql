-- Why: things have names. Lock: ACCESS EXCLUSIVE, catalogue only. Duration: milliseconds.
ALTER TABLE things ADD COLUMN name text NOT NULL DEFAULT 'thing';
