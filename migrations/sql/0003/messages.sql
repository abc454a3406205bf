-- Messages that a person waits for, which go before those that come in hundreds.
CREATE INDEX messages_awaited ON messages (channel, next_attempt_at)
    WHERE done_at IS NULL AND kind NOT IN ('invitation', 'password_expires');
