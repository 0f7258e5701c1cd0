-- Every row has a key that follows from what it is about, never from when or where it was made: so work done twice is seen, and ledgers can be merged.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE captions (key TEXT PRIMARY KEY, caption TEXT NOT NULL, written INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE prompts (
  id TEXT PRIMARY KEY, caption_key TEXT NOT NULL, ordinal INTEGER NOT NULL, text TEXT NOT NULL, subject TEXT NOT NULL, layout TEXT NOT NULL, captions TEXT NOT NULL,
  seed INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX prompts_of_caption ON prompts (caption_key);
CREATE TABLE grids (prompt_id TEXT PRIMARY KEY, file TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, sha256 TEXT NOT NULL, drawer TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE panels (prompt_id TEXT NOT NULL, panel INTEGER NOT NULL, caption TEXT NOT NULL, PRIMARY KEY (prompt_id, panel)) WITHOUT ROWID;
CREATE TABLE pairs (
  id TEXT PRIMARY KEY, prompt_id TEXT NOT NULL, first INTEGER NOT NULL, second INTEGER NOT NULL, status TEXT NOT NULL, kept INTEGER NOT NULL, confidence REAL, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX pairs_of_prompt ON pairs (prompt_id);
CREATE TABLE votes (
  pair_id TEXT NOT NULL, ordinal INTEGER NOT NULL, judge TEXT NOT NULL, model TEXT, kept INTEGER NOT NULL, verdict TEXT, reason TEXT NOT NULL, attempts INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (pair_id, ordinal)) WITHOUT ROWID;
CREATE TABLE failures (id TEXT PRIMARY KEY, stage TEXT NOT NULL, message TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE reviews (pair_id TEXT PRIMARY KEY, kept INTEGER NOT NULL, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE spent (id TEXT PRIMARY KEY, calls INTEGER NOT NULL, tokens INTEGER NOT NULL) WITHOUT ROWID;
