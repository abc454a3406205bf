-- Browsers: their sessions, the requests that wait for a person, and the codes and links sent on the way.

-- `id` is the public `sid`; the cookie carries a secret of which only the digest is here.
CREATE TABLE sessions (
    id uuid NOT NULL PRIMARY KEY,
    token_digest bytea NOT NULL UNIQUE,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    epoch bigint NOT NULL,
    browser_id uuid NOT NULL,
    device_id uuid REFERENCES known_devices (id) ON DELETE SET NULL,
    auth_time bigint NOT NULL,
    acr text NOT NULL,
    amr text NOT NULL,
    created_at bigint NOT NULL,
    last_active_at bigint NOT NULL,
    ended_at bigint,
    end_reason text
) /* narrow */;
CREATE INDEX sessions_account ON sessions (account_id);
CREATE INDEX sessions_browser ON sessions (browser_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_device ON sessions (device_id) WHERE device_id IS NOT NULL;
CREATE INDEX sessions_running ON sessions (last_active_at) WHERE ended_at IS NULL;
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;

-- Where somebody is going, and what was proven on the way, as JSON.
CREATE TABLE interactions (
    id uuid NOT NULL PRIMARY KEY,
    handle_digest bytea NOT NULL UNIQUE,
    journey text NOT NULL,
    proof text,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    finished_at bigint
);
CREATE INDEX interactions_expires ON interactions (expires_at);

CREATE TABLE one_time_codes (
    id uuid NOT NULL PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    purpose text NOT NULL,
    phone_id uuid REFERENCES phones (id) ON DELETE CASCADE,
    method text NOT NULL,
    interaction_id uuid REFERENCES interactions (id) ON DELETE CASCADE,
    code_digest bytea NOT NULL,
    message_id uuid NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint,
    superseded_at bigint
) /* narrow */;
CREATE INDEX one_time_codes_account ON one_time_codes (account_id, purpose);
CREATE INDEX one_time_codes_phone ON one_time_codes (phone_id) WHERE phone_id IS NOT NULL;
CREATE INDEX one_time_codes_interaction ON one_time_codes (interaction_id) WHERE interaction_id IS NOT NULL;
CREATE INDEX one_time_codes_expires ON one_time_codes (expires_at);

-- Wrong entries. The budget of any 24 hours is counted over them, so no new code and no new recovery resets it.
CREATE TABLE code_attempts (
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    purpose text NOT NULL,
    at bigint NOT NULL,
    id uuid NOT NULL,
    PRIMARY KEY (account_id, purpose, at, id)
) /* narrow */;
CREATE INDEX code_attempts_at ON code_attempts (at);

-- Without an account the link was asked for an address that nobody has, and costs the same writes.
CREATE TABLE links (
    id uuid NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    account_id uuid REFERENCES accounts (id) ON DELETE CASCADE,
    token_digest bytea NOT NULL UNIQUE,
    typed_digest bytea,
    browser_id uuid,
    interaction_id uuid REFERENCES interactions (id) ON DELETE SET NULL,
    typed_tries integer NOT NULL DEFAULT 0,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint,
    pressed_in uuid,
    ended_at bigint,
    completed_at bigint
) /* narrow */;
CREATE INDEX links_account ON links (account_id, kind) WHERE account_id IS NOT NULL;
CREATE INDEX links_browser ON links (browser_id) WHERE browser_id IS NOT NULL;
CREATE INDEX links_interaction ON links (interaction_id) WHERE interaction_id IS NOT NULL;
CREATE INDEX links_expires ON links (expires_at);
