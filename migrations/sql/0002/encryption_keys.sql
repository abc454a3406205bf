-- What clients encrypt to (RFC 7516). Of each kind one is published at a time, and those before it still decrypt.
CREATE TABLE encryption_keys (
    kid text NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    private_sealed bytea NOT NULL,
    created_at bigint NOT NULL,
    published_from bigint NOT NULL,
    published_until bigint,
    decrypts_until bigint
);
