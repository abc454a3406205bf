-- Running it: messages on their way, the audit trail, counters of rate limits, the instance and its nodes.

-- To people. The sealed payload is erased once the message is delivered or has expired. A node that takes a message
-- moves `next_attempt_at` to the end of its lease: a crash needs no clearing up. `reference` is that of the request that
-- queued it.
CREATE TABLE messages (
    id uuid NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    channel text NOT NULL,
    recipient text NOT NULL,
    sealed_payload bytea,
    locale text,
    account_id uuid,
    state text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    done_at bigint,
    last_error text,
    reference text
);
CREATE INDEX messages_due ON messages (next_attempt_at) WHERE done_at IS NULL;
CREATE INDEX messages_expires ON messages (expires_at);
CREATE INDEX messages_created ON messages (created_at, id);

-- To applications: the end of a session (OpenID Connect Back-Channel Logout 1.0). Gone once delivered or given up;
-- outlives session and account.
CREATE TABLE logout_deliveries (
    id uuid NOT NULL PRIMARY KEY,
    client_id text NOT NULL,
    session_id uuid NOT NULL,
    account_id uuid NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
) /* narrow */;
CREATE INDEX logout_deliveries_due ON logout_deliveries (next_attempt_at);
CREATE INDEX logout_deliveries_expires ON logout_deliveries (expires_at);

-- Written in the transaction of the act; linked into the chain afterwards. Names accounts without referring to them,
-- so that the trail outlives what it speaks of.
CREATE TABLE audit_entries (
    id uuid NOT NULL PRIMARY KEY,
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
    chain_seq bigint,
    chain_digest bytea
);
CREATE INDEX audit_entries_at ON audit_entries (at);
CREATE INDEX audit_entries_subject ON audit_entries (subject_account, at) WHERE subject_account IS NOT NULL;
CREATE INDEX audit_entries_reference ON audit_entries (reference) WHERE reference IS NOT NULL;
CREATE UNIQUE INDEX audit_entries_chain ON audit_entries (chain_seq) WHERE chain_seq IS NOT NULL;
CREATE INDEX audit_entries_unchained ON audit_entries (at, id) WHERE chain_seq IS NULL;

CREATE TABLE audit_checkpoints (
    seq bigint NOT NULL PRIMARY KEY,
    digest bytea NOT NULL,
    signature bytea NOT NULL,
    at bigint NOT NULL
);

-- One row: the end of the chain, with a MAC, written in the transaction that links.
CREATE TABLE audit_head (
    id integer NOT NULL PRIMARY KEY CHECK (id = 1),
    seq bigint NOT NULL,
    digest bytea NOT NULL,
    mac bytea NOT NULL
);

-- At most one row: how far the beginning of the trail was pruned, signed. `older_than` is the time before which an entry
-- had to be for that.
CREATE TABLE audit_pruned (
    seq bigint NOT NULL PRIMARY KEY,
    digest bytea NOT NULL,
    signature bytea NOT NULL,
    at bigint NOT NULL,
    older_than bigint NOT NULL
);

CREATE TABLE rate_counters (
    scope text NOT NULL,
    subject text NOT NULL,
    window_start bigint NOT NULL,
    count integer NOT NULL,
    PRIMARY KEY (scope, subject, window_start)
) /* narrow */;
CREATE INDEX rate_counters_window ON rate_counters (window_start);

-- One row. The epoch is raised by a restore; `keys_version` tells other nodes to read the keys again, and
-- `clients_revision` numbers the changes of registered clients.
CREATE TABLE instance (
    id integer NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch bigint NOT NULL,
    kind text NOT NULL,
    created_at bigint NOT NULL,
    keys_version bigint NOT NULL,
    clients_revision bigint NOT NULL
);

CREATE TABLE nodes (
    id uuid NOT NULL PRIMARY KEY,
    config_digest text NOT NULL,
    started_at bigint NOT NULL,
    seen_at bigint NOT NULL
) /* narrow */;
