-- Read where a person goes on with what was proven at a browser: who has been at work there since. Those that run have an index.
CREATE INDEX sessions_ended_browser ON sessions (browser_id) WHERE ended_at IS NOT NULL;
