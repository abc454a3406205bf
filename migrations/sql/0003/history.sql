-- A node that has found the database behind what it had seen of it says so here, and no node serves until an operator accepts
-- the database: when that was, and the highest number of the audit chain that was seen.
ALTER TABLE instance ADD COLUMN
    went_back_at bigint;
ALTER TABLE instance ADD COLUMN
    went_back_seq bigint;
