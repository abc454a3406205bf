-- Whether an initial access token was shown when the client registered. NULL in rows of release 0.1.0, which did not note it.
ALTER TABLE registered_clients ADD COLUMN
    with_initial_token boolean;
-- Whether anybody has agreed to an application is asked for each of its errors.
CREATE INDEX consents_client ON consents (client_id);
