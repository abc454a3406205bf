-- What a person proves who they are with besides the password: phones whose number was verified, authenticator apps that were
-- confirmed, and other kinds later. A row has the identifier of its phone or app; what is particular to a kind stays in a table of
-- that kind. This release writes both, a node of release 0.1.0 the tables of the kinds alone, and the release after this one
-- reads this table.
CREATE TABLE authenticators (
    id uuid NOT NULL PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind text NOT NULL,
    name text,
    added_at bigint NOT NULL,
    usable_from bigint NOT NULL,
    last_used_at bigint,
    removed_at bigint
) /* narrow */;
CREATE INDEX authenticators_account ON authenticators (account_id);
CREATE INDEX authenticators_removed ON authenticators (removed_at) WHERE removed_at IS NOT NULL;
