-- OpenID Connect: what was consented to and granted, spent token identifiers, registered clients, keys.

CREATE TABLE consents (
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    client_id text NOT NULL,
    scopes text NOT NULL,
    granted_at bigint NOT NULL,
    PRIMARY KEY (account_id, client_id)
) /* narrow */;

-- An authorization code is self-contained, carries the id of the grant it will become and is written only when it is
-- redeemed: the primary key makes the second use lose. A revoked grant is marked, never deleted while a code for it
-- could be alive, and outlives its session.
CREATE TABLE grants (
    id uuid NOT NULL PRIMARY KEY,
    client_id text NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    epoch bigint NOT NULL,
    scopes text NOT NULL,
    claims text,
    resources text,
    nonce text,
    auth_time bigint NOT NULL,
    acr text NOT NULL,
    amr text NOT NULL,
    offline boolean NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    revoked_at bigint,
    revoke_reason text
);
CREATE INDEX grants_account ON grants (account_id, client_id);
CREATE INDEX grants_session ON grants (session_id);
CREATE INDEX grants_expires ON grants (expires_at);
CREATE INDEX grants_revoked ON grants (revoked_at) WHERE revoked_at IS NOT NULL;

-- One row for a whole family: each token is derived from grant and generation.
CREATE TABLE refresh_tokens (
    grant_id uuid NOT NULL PRIMARY KEY REFERENCES grants (id) ON DELETE CASCADE,
    generation bigint NOT NULL,
    rotated_at bigint NOT NULL,
    idle_expires_at bigint NOT NULL,
    expires_at bigint NOT NULL
) /* narrow */;

CREATE TABLE revoked_jti (
    jti text NOT NULL PRIMARY KEY,
    expires_at bigint NOT NULL
) /* narrow */;
CREATE INDEX revoked_jti_expires ON revoked_jti (expires_at);

CREATE TABLE assertion_jti (
    client_id text NOT NULL,
    jti text NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (client_id, jti)
) /* narrow */;
CREATE INDEX assertion_jti_expires ON assertion_jti (expires_at);

-- Authorization requests that clients pushed. The first browser that comes for one has it.
CREATE TABLE pushed_requests (
    digest bytea NOT NULL PRIMARY KEY,
    client_id text NOT NULL,
    parameters text NOT NULL,
    browser_id uuid,
    expires_at bigint NOT NULL
);
CREATE INDEX pushed_requests_expires ON pushed_requests (expires_at);

-- Every change takes the next number of `instance.clients_revision`, so that a node learns what is new by asking for what
-- lies beyond the last number it has seen. A deleted client stays for a while, emptied, so that all nodes see it go.
CREATE TABLE registered_clients (
    client_id text NOT NULL PRIMARY KEY,
    revision bigint NOT NULL,
    metadata text NOT NULL,
    secret_digest bytea,
    registration_token_digest bytea,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    deleted_at bigint
);
CREATE UNIQUE INDEX registered_clients_revision ON registered_clients (revision);
CREATE INDEX registered_clients_deleted ON registered_clients (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE signing_keys (
    kid text NOT NULL PRIMARY KEY,
    algorithm text NOT NULL,
    public_jwk text NOT NULL,
    private_sealed bytea NOT NULL,
    created_at bigint NOT NULL,
    signs_from bigint NOT NULL,
    signs_until bigint,
    published_until bigint
);

-- The keys under the master key, each for one purpose.
CREATE TABLE sealed_keys (
    purpose text NOT NULL,
    version integer NOT NULL,
    sealed bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (purpose, version)
) /* narrow */;
