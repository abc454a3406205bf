-- Whether an initial access token was shown when the client registered. NULL in rows of release 0.1.0, which did not note it.
ALTER TABLE registered_clients ADD COLUMN
    with_initial_token boolean;
-- Read for each error of a registered client: whether any account has consented to it.
CREATE INDEX consents_client ON consents (client_id);
