-- When another account became the current one of the browser. NULL is the current one, and in sessions that release 0.1.0
-- wrote also any other.
ALTER TABLE sessions ADD COLUMN
    left_at bigint;
