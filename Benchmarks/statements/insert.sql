-- A bare durable row.
INSERT INTO bench_rows (value) VALUES (1);
