-- The practice for which something was begun, granted or done. No release writes it yet: practices are rows in a later one, and
-- the columns are here before it so that a node of this release can run beside it.
ALTER TABLE sessions ADD COLUMN
    practice_id uuid;
ALTER TABLE grants ADD COLUMN
    practice_id uuid;
ALTER TABLE audit_entries ADD COLUMN
    practice_id uuid;
ALTER TABLE audit_waiting ADD COLUMN
    practice_id uuid;
