-- What version 2 adds to version 1: scores of pairs by axes, and scores of anything by judged metrics.
CREATE TABLE axes (
  pair_id TEXT PRIMARY KEY, judge TEXT NOT NULL, model TEXT, axes TEXT, reason TEXT NOT NULL, attempts INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL, seconds REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE scores (
  metric TEXT NOT NULL, item TEXT NOT NULL, repeat INTEGER NOT NULL, judge TEXT NOT NULL, question TEXT NOT NULL, score INTEGER, reason TEXT NOT NULL, model TEXT,
  attempts INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, seconds REAL NOT NULL,
  PRIMARY KEY (metric, item, repeat, judge)) WITHOUT ROWID;
