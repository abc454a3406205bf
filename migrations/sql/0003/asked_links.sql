-- Links that were asked for by an address, on a page that anybody can open. The row of an address that no account has is the
-- same as any other: which account it is, if any, is looked up after the request, and only then is `account_id` set.
-- `asked_address` is a keyed digest of the folded address. `asked_until` is how long the row counts for that address.
-- `asked_sealed` holds what is still to be looked up, and is erased then.
ALTER TABLE links ADD COLUMN
    asked_address bytea;
ALTER TABLE links ADD COLUMN
    asked_until bigint;
ALTER TABLE links ADD COLUMN
    asked_sealed bytea;
CREATE INDEX links_asked_address ON links (asked_address, asked_until) WHERE asked_address IS NOT NULL;
CREATE INDEX links_asked_waiting ON links (created_at) WHERE asked_sealed IS NOT NULL;
CREATE INDEX links_newest_of_interaction ON links (interaction_id, created_at) WHERE interaction_id IS NOT NULL;
CREATE INDEX links_completed ON links (interaction_id, completed_at) WHERE completed_at IS NOT NULL;
CREATE INDEX links_without_account ON links (expires_at) WHERE account_id IS NULL;

-- Messages that go to nobody have no account, and are deleted as soon as their time is over.
CREATE INDEX messages_without_account ON messages (expires_at) WHERE account_id IS NULL;
