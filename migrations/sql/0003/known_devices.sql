-- Devices that are forgotten, or were not seen for long, are deleted. `last_seen_at` has no index: it changes with each
-- sign-in, and `created_at` is no later.
CREATE INDEX known_devices_revoked ON known_devices (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX known_devices_created ON known_devices (created_at);

-- When a reset left this device known. What it passed before that waives no second factor. Release 0.1.0 forgets
-- every other device at a reset, and leaves it empty.
ALTER TABLE known_devices ADD COLUMN
    reset_at bigint;

-- Wrong passwords since the present password was set, at all devices that only an earlier one made known. Release 0.1.0 counts
-- each of them apart, and leaves it as it is.
ALTER TABLE accounts ADD COLUMN
    earlier_failures integer NOT NULL DEFAULT 0;
