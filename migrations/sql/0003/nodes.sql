-- Nodes of two releases can serve one database at once, and a release may have to write what the other reads. So each node says
-- which release it is of. Null: 0.1.0.
ALTER TABLE nodes ADD COLUMN
    release text;
