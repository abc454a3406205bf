-- A browser sends a form twice where its button is pressed twice, the second time with the cookies of before. The form that a
-- session was begun or renewed by last, as a keyed digest, and when: for a moment that form gets the same answer again.
ALTER TABLE sessions ADD COLUMN
    answered_form bytea;
ALTER TABLE sessions ADD COLUMN
    answered_at bigint;
-- The typed code of a mail that was tried last: a keyed digest of the form with what was entered, and when.
ALTER TABLE links ADD COLUMN
    counted_form bytea;
ALTER TABLE links ADD COLUMN
    counted_at bigint;
-- What a form has caused, as a keyed digest of the form with what was entered and of what it caused: until `ends_at` the form causes
-- it no second time. `times`: how often the form was sent, where that is bounded.
CREATE TABLE form_effects (
    name bytea PRIMARY KEY,
    ends_at bigint NOT NULL,
    times integer NOT NULL
);
CREATE INDEX form_effects_ends_at ON form_effects (ends_at);
