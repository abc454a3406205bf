-- What an application was told, sealed, in the row that says that its request was answered.
ALTER TABLE interactions ADD COLUMN
    answer bytea;
