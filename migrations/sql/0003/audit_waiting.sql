-- Entries of the audit trail until they are linked into the chain: then they are inserted into `audit_entries` with their place in
-- it. So a row there is written once: to put the place into it afterwards wrote it, and its entry in each index, a second time.
-- A node of release 0.1.0 writes to `audit_entries` at once, and links what waits there.
CREATE TABLE audit_waiting (
    id uuid NOT NULL,
    at bigint NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    actor text NOT NULL,
    actor_account uuid,
    subject_account uuid,
    client_id text,
    session_id uuid,
    address text,
    reference text,
    detail text NOT NULL,
    mac bytea NOT NULL,
    PRIMARY KEY (at, id)
) /* narrow */;
