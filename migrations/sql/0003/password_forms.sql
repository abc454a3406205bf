-- What a hash is of: none is the text as it was typed, 1 the text as RFC 8265 has it (`OpaqueString`).
ALTER TABLE password_credentials ADD COLUMN
    form integer;
ALTER TABLE password_history ADD COLUMN
    form integer;
