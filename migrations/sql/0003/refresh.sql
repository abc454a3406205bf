-- Of the generation `noted_generation`: the address that it was handed out to first, and how often it was handed out again.
-- A node of release 0.1.0 rotates without these; then they are of an older generation, and say nothing.
ALTER TABLE refresh_tokens ADD COLUMN
    noted_generation bigint;
ALTER TABLE refresh_tokens ADD COLUMN
    rotated_from text;
ALTER TABLE refresh_tokens ADD COLUMN
    repeats bigint NOT NULL DEFAULT 0;
-- The last refresh that has an entry in the audit trail: which generation it handed out, when, and to which address. Those of
-- release 0.1.0 all have one, and are not noted.
ALTER TABLE refresh_tokens ADD COLUMN
    entered_generation bigint;
ALTER TABLE refresh_tokens ADD COLUMN
    entered_at bigint;
ALTER TABLE refresh_tokens ADD COLUMN
    entered_from text;
