-- When another account became the current one of the browser. NULL is the current one, and in sessions that release 0.1.0
-- wrote also any other.
ALTER TABLE sessions ADD COLUMN
    left_at bigint;

-- In whose `sub` the client that is told of the end of a session knew the person: the sector, empty for the public `sub`. NULL in
-- rows of release 0.1.0.
ALTER TABLE logout_deliveries ADD COLUMN
    subject_sector text;
-- Those of a client that registered itself are counted when a session ends: how many there are is up to strangers.
CREATE INDEX logout_deliveries_client ON logout_deliveries (client_id);
