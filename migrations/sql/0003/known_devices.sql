-- Devices that are forgotten, or were not seen for long, are deleted. `last_seen_at` has no index: it changes with each
-- sign-in, and `created_at` is no later.
CREATE INDEX known_devices_revoked ON known_devices (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX known_devices_created ON known_devices (created_at);

-- When a reset left this device known; empty again once it passes a second factor. What it passed before waives none. Release 0.1.0
-- forgets every other device at a reset, and leaves this as it is: a device that passes a second factor there is asked again.
ALTER TABLE known_devices ADD COLUMN
    reset_at bigint;

-- The account's epoch when its password was last right at this device. Where it is the account's own, the present password was right
-- there. NULL in rows of release 0.1.0, which leaves it as it is where it finds one: then it was not, until a node of this release
-- sees it right there.
ALTER TABLE known_devices ADD COLUMN
    password_epoch bigint;

-- Wrong passwords since the present password was set, at all devices that only an earlier one made known. Release 0.1.0 counts
-- each of them apart, and leaves it as it is.
ALTER TABLE accounts ADD COLUMN
    earlier_failures integer NOT NULL DEFAULT 0;
