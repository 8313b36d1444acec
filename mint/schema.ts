// The mint's tables, as migrations: append only, never edit one that was released.
// Points and hashes are BLOBs, so that one point has one key whatever the case of the hex it came in.

const version1 = `
CREATE TABLE keysets (
  id               TEXT PRIMARY KEY,
  derivation_index INTEGER NOT NULL UNIQUE CHECK (derivation_index >= 0),
  unit             TEXT NOT NULL,
  fee_ppk          INTEGER NOT NULL CHECK (fee_ppk >= 0),
  final_expiry     INTEGER CHECK (final_expiry > 0),
  active           INTEGER NOT NULL CHECK (active IN (0, 1)),
  created_at       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX keysets_one_active ON keysets (unit) WHERE active = 1;

CREATE TABLE mint_quotes (
  id            TEXT PRIMARY KEY,
  unit          TEXT NOT NULL,
  amount        INTEGER NOT NULL CHECK (amount > 0),
  request       TEXT NOT NULL,
  payment_hash  BLOB NOT NULL UNIQUE CHECK (length(payment_hash) = 32),
  state         TEXT NOT NULL CHECK (state IN ('UNPAID', 'PAID', 'ISSUED')),
  created_at_ms INTEGER NOT NULL,
  expiry        INTEGER NOT NULL,
  request_hash  BLOB UNIQUE CHECK (length(request_hash) = 32),
  CHECK ((state = 'ISSUED') = (request_hash IS NOT NULL))
) STRICT;

CREATE TABLE melt_quotes (
  id           TEXT PRIMARY KEY,
  unit         TEXT NOT NULL,
  amount       INTEGER NOT NULL CHECK (amount > 0),
  fee_reserve  INTEGER NOT NULL CHECK (fee_reserve >= 0),
  request      TEXT NOT NULL,
  payment_hash BLOB NOT NULL CHECK (length(payment_hash) = 32),
  state        TEXT NOT NULL CHECK (state IN ('UNPAID', 'PENDING', 'PAID')),
  expiry       INTEGER NOT NULL,
  request_hash BLOB UNIQUE CHECK (length(request_hash) = 32),
  preimage     TEXT,
  CHECK ((state = 'UNPAID') = (request_hash IS NULL))
) STRICT;
CREATE UNIQUE INDEX melt_quotes_one_payment ON melt_quotes (payment_hash) WHERE state <> 'UNPAID';

CREATE TABLE coins (
  Y            BLOB PRIMARY KEY CHECK (length(Y) = 33),
  keyset_id    TEXT NOT NULL REFERENCES keysets,
  amount       INTEGER NOT NULL CHECK (amount > 0),
  secret       TEXT NOT NULL,
  C            BLOB NOT NULL CHECK (length(C) = 33),
  witness      TEXT,
  request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
  state        TEXT NOT NULL CHECK (state IN ('PENDING', 'SPENT')),
  melt_quote   TEXT REFERENCES melt_quotes,
  CHECK (state = 'SPENT' OR melt_quote IS NOT NULL)
) STRICT;
CREATE INDEX coins_of_melt ON coins (melt_quote) WHERE melt_quote IS NOT NULL;
CREATE TRIGGER coins_spent_stays BEFORE UPDATE ON coins WHEN OLD.state = 'SPENT'
BEGIN SELECT RAISE(ABORT, 'a spent coin stays spent'); END;
CREATE TRIGGER coins_spent_is_kept BEFORE DELETE ON coins WHEN OLD.state = 'SPENT'
BEGIN SELECT RAISE(ABORT, 'a spent coin stays spent'); END;

CREATE TABLE signatures (
  B_           BLOB PRIMARY KEY CHECK (length(B_) = 33),
  keyset_id    TEXT NOT NULL REFERENCES keysets,
  amount       INTEGER NOT NULL CHECK (amount > 0),
  C_           BLOB NOT NULL CHECK (length(C_) = 33),
  e            BLOB NOT NULL CHECK (length(e) = 32),
  s            BLOB NOT NULL CHECK (length(s) = 32),
  request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
  position     INTEGER NOT NULL CHECK (position >= 0),
  UNIQUE (request_hash, position)
) STRICT;
CREATE TRIGGER signatures_stay BEFORE UPDATE ON signatures
BEGIN SELECT RAISE(ABORT, 'a signature stays as given'); END;
CREATE TRIGGER signatures_are_kept BEFORE DELETE ON signatures
BEGIN SELECT RAISE(ABORT, 'a signature stays as given'); END;
`

/** NUT-08: blank outputs of melts on their way, and what was given back of the fee reserve. */
const version2 = `
ALTER TABLE melt_quotes ADD COLUMN change INTEGER NOT NULL DEFAULT 0 CHECK (change BETWEEN 0 AND fee_reserve);
CREATE TABLE melt_blanks (
  B_         BLOB PRIMARY KEY CHECK (length(B_) = 33),
  keyset_id  TEXT NOT NULL REFERENCES keysets,
  melt_quote TEXT NOT NULL REFERENCES melt_quotes,
  position   INTEGER NOT NULL CHECK (position >= 0),
  UNIQUE (melt_quote, position)
) STRICT;
`

/** Quotes that nobody paid are found when they have ended. */
const version3 = `
CREATE INDEX melt_quotes_unpaid ON melt_quotes (expiry) WHERE state = 'UNPAID';
`

export const migrations: readonly string[] = [version1, version2, version3]
