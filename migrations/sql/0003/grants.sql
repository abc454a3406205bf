-- What a grant was issued under: the sector in whose `sub` the client knew the person, empty for the public `sub`. NULL in
-- rows of release 0.1.0, which did not keep it.
ALTER TABLE grants ADD COLUMN
    subject_sector text;

-- Whether pairwise clients know the session by a `sid` of their sector. NULL is no: sessions of release 0.1.0 are known to
-- all clients by the same one.
ALTER TABLE sessions ADD COLUMN
    sid_by_sector boolean;
ALTER TABLE grants ADD COLUMN
    sid_by_sector boolean;

-- The clients of the configuration, and when a node last ran with each. The grants of one that no node has had for a while
-- end, and its row goes. `subject_sector` is how it knew people then, NULL where that was never noted.
CREATE TABLE configured_clients (
    client_id text NOT NULL PRIMARY KEY,
    subject_sector text,
    seen_at bigint NOT NULL
) /* narrow */;
INSERT INTO configured_clients (client_id, seen_at)
    SELECT DISTINCT client_id, 0 FROM grants
    WHERE revoked_at IS NULL AND client_id NOT IN (SELECT client_id FROM registered_clients);

-- In which browsers a person has agreed that a client stays signed in for them. A device is one person's browser.
CREATE TABLE offline_consents (
    device_id uuid NOT NULL REFERENCES known_devices (id) ON DELETE CASCADE,
    client_id text NOT NULL,
    granted_at bigint NOT NULL,
    PRIMARY KEY (device_id, client_id)
) /* narrow */;
