-- People: who they are, how they prove it, and the devices they are known on.
-- Times are Unix milliseconds. Short texts stand for enumerations; the domain parses them.

CREATE TABLE accounts (
    id uuid NOT NULL PRIMARY KEY,
    status text NOT NULL,
    epoch bigint NOT NULL DEFAULT 0,
    profile text NOT NULL,
    locale text,
    unknown_failures integer NOT NULL DEFAULT 0,
    unknown_locked_at bigint,
    locked_at bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    disabled_at bigint
);

-- `folded` is what sign-in looks up; `address` is the spelling that mail goes to.
CREATE TABLE account_addresses (
    id uuid NOT NULL PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    address text NOT NULL,
    folded text NOT NULL UNIQUE,
    is_primary boolean NOT NULL,
    verified_at bigint,
    usable_from bigint NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX account_addresses_account ON account_addresses (account_id);
CREATE UNIQUE INDEX account_addresses_one_primary ON account_addresses (account_id) WHERE is_primary;

CREATE TABLE password_credentials (
    account_id uuid NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    hash text NOT NULL,
    set_at bigint NOT NULL,
    expiry_jitter_days integer NOT NULL DEFAULT 0,
    must_change boolean NOT NULL DEFAULT false,
    warned_days integer
) /* narrow */;

CREATE TABLE password_history (
    id uuid NOT NULL PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    hash text NOT NULL,
    retired_at bigint NOT NULL
) /* narrow */;
CREATE INDEX password_history_account ON password_history (account_id, retired_at);

CREATE TABLE phones (
    id uuid NOT NULL PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    e164 text NOT NULL,
    kind text NOT NULL,
    position integer NOT NULL,
    verified_at bigint,
    usable_from bigint NOT NULL,
    created_at bigint NOT NULL,
    UNIQUE (account_id, e164)
) /* narrow */;

-- Groups themselves are defined in the configuration.
CREATE TABLE account_groups (
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    group_name text NOT NULL,
    PRIMARY KEY (account_id, group_name)
) /* narrow */;
CREATE INDEX account_groups_name ON account_groups (group_name);

CREATE TABLE known_devices (
    id uuid NOT NULL PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    failures integer NOT NULL DEFAULT 0,
    stepped_up_at bigint,
    label text NOT NULL,
    created_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    revoked_at bigint
) /* narrow */;
CREATE INDEX known_devices_account ON known_devices (account_id);

CREATE TABLE totp_factors (
    id uuid NOT NULL PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    secret_sealed bytea NOT NULL,
    confirmed_at bigint,
    usable_from bigint NOT NULL,
    last_step bigint,
    created_at bigint NOT NULL
) /* narrow */;
CREATE INDEX totp_factors_account ON totp_factors (account_id);
