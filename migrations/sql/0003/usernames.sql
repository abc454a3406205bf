-- By which `preferred_username` an account is known, in the form in which names are compared: no two accounts have the same.
-- Names that release 0.1.0 wrote are entered by the first node of this release. Of two accounts with one name, only the older is
-- entered.
CREATE TABLE account_usernames (
    folded text NOT NULL PRIMARY KEY,
    account_id uuid NOT NULL UNIQUE REFERENCES accounts (id) ON DELETE CASCADE
) /* narrow */;
