// The wallet's tables. Migrations are append-only; PRAGMA user_version counts them.

/** Each entry brings a file from its index to the next version. Never edit one that was released. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL CHECK (json_valid(value))
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE mint (
    account INTEGER PRIMARY KEY CHECK (account >= 0),
    url TEXT NOT NULL UNIQUE,
    name TEXT,
    version TEXT,
    offline_capable INTEGER NOT NULL CHECK (offline_capable IN (0, 1)),
    last_reached_at INTEGER,
    alarm TEXT
  ) STRICT;

  CREATE TABLE keyset (
    id TEXT PRIMARY KEY,
    id_v2 TEXT NOT NULL UNIQUE,
    account INTEGER NOT NULL REFERENCES mint (account),
    unit TEXT NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    fee_ppk INTEGER NOT NULL CHECK (fee_ppk >= 0),
    final_expiry INTEGER,
    keys TEXT NOT NULL CHECK (json_valid(keys))
  ) STRICT, WITHOUT ROWID;

  -- The history and the plan: one row per operation, never deleted.
  CREATE TABLE operation (
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    account INTEGER NOT NULL REFERENCES mint (account),
    unit TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    created_at INTEGER NOT NULL,
    next_attempt_at INTEGER,
    -- payee side of a payment only: what makes a repeated Hello the same payment
    payer_peer TEXT,
    payment_id TEXT,
    payer_address TEXT,
    terms_hash TEXT UNIQUE,
    request_id TEXT,
    -- when a handover was accepted as signed: what is counted per hour
    signed_at INTEGER,
    data TEXT NOT NULL CHECK (json_valid(data)),
    UNIQUE (payer_peer, payment_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX operation_due ON operation (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
  CREATE INDEX operation_request ON operation (request_id) WHERE request_id IS NOT NULL;
  CREATE INDEX operation_state ON operation (kind, state, created_at);

  CREATE TABLE purse (
    id INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL CHECK (generation >= 0),
    account INTEGER NOT NULL REFERENCES mint (account),
    purse INTEGER NOT NULL CHECK (purse >= 0),
    unit TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('withdraw', 'receive', 'change', 'refresh')),
    next_coin INTEGER NOT NULL CHECK (next_coin >= 0),
    used INTEGER NOT NULL CHECK (used IN (0, 1)),
    closed INTEGER NOT NULL CHECK (closed IN (0, 1)),
    UNIQUE (generation, account, purse)
  ) STRICT;

  -- Every blinded message we ever asked a signature for.
  CREATE TABLE output (
    B_ TEXT PRIMARY KEY,
    purse_id INTEGER NOT NULL REFERENCES purse (id),
    coin INTEGER NOT NULL CHECK (coin >= 0),
    operation_id TEXT NOT NULL REFERENCES operation (id),
    UNIQUE (purse_id, coin)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE coin (
    Y TEXT PRIMARY KEY,
    purse_id INTEGER NOT NULL REFERENCES purse (id),
    coin INTEGER NOT NULL CHECK (coin >= 0),
    keyset_id TEXT NOT NULL REFERENCES keyset (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    C TEXT NOT NULL,
    e TEXT NOT NULL,
    s TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('spendable', 'reserved', 'handed_over', 'spent', 'quarantined')),
    operation_id TEXT REFERENCES operation (id),
    UNIQUE (purse_id, coin),
    CHECK (state NOT IN ('reserved', 'handed_over') OR operation_id IS NOT NULL)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX coin_state ON coin (state, purse_id);
  CREATE INDEX coin_operation ON coin (operation_id) WHERE operation_id IS NOT NULL;

  -- Coins other people handed to us, by Y: none is accepted twice.
  CREATE TABLE seen (
    Y TEXT PRIMARY KEY,
    operation_id TEXT NOT NULL REFERENCES operation (id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What people look for in a payment: name and note in lower case, the amount.
  ALTER TABLE operation ADD COLUMN search TEXT NOT NULL DEFAULT '';
  UPDATE operation SET search = lower(
    COALESCE(json_extract(data, '$.payeeName'), '') || ' ' || COALESCE(json_extract(data, '$.memo'), '') || ' ' || amount
  ) WHERE kind IN ('pay', 'receive');
  -- A history of years must not slow what happens now.
  CREATE INDEX operation_kind ON operation (kind, seq);
  CREATE INDEX operation_account ON operation (account, state);
  CREATE INDEX operation_signed ON operation (signed_at) WHERE signed_at IS NOT NULL;
  CREATE INDEX operation_payment ON operation (seq, kind, state, search) WHERE kind IN ('pay', 'receive');

  -- When an operation came into which state: the story of a payment.
  CREATE TABLE operation_event (
    id INTEGER PRIMARY KEY,
    operation_id TEXT NOT NULL REFERENCES operation (id),
    at INTEGER NOT NULL,
    state TEXT NOT NULL
  ) STRICT;
  CREATE INDEX operation_event_operation ON operation_event (operation_id);
  INSERT INTO operation_event (operation_id, at, state)
    SELECT id, json_extract(data, '$.updatedAt'), state FROM operation ORDER BY seq;

  -- Taken off the list by a person; its account stays its own.
  ALTER TABLE mint ADD COLUMN removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1));
  `,
  `
  -- A purse found by a restore stands where the derivation put it, whatever account its mint has in this file.
  CREATE TABLE purse_new (
    id INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL CHECK (generation >= 0),
    path_account INTEGER NOT NULL CHECK (path_account >= 0),
    purse INTEGER NOT NULL CHECK (purse >= 0),
    account INTEGER NOT NULL REFERENCES mint (account),
    unit TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('withdraw', 'receive', 'change', 'refresh', 'restored')),
    next_coin INTEGER NOT NULL CHECK (next_coin >= 0),
    used INTEGER NOT NULL CHECK (used IN (0, 1)),
    closed INTEGER NOT NULL CHECK (closed IN (0, 1)),
    UNIQUE (generation, path_account, purse, account)
  ) STRICT;
  INSERT INTO purse_new (id, generation, path_account, purse, account, unit, purpose, next_coin, used, closed)
    SELECT id, generation, account, purse, account, unit, purpose, next_coin, used, closed FROM purse;
  DROP TABLE purse;
  ALTER TABLE purse_new RENAME TO purse;
  CREATE INDEX purse_account ON purse (account, unit);
  `,
  `
  -- A payment that signs another anew names it by its swap digest: a stranger's guess must not read the whole history.
  CREATE INDEX operation_swap ON operation (json_extract(data, '$.swap.digest')) WHERE kind = 'receive';
  `,
  `
  -- Y and B_ follow from the path alone, so that two mints can have signed the same: a coin is one of its purse, which has
  -- one mint. By Y alone, a mint that signs what it is asked about would take the place of another one's coin.
  CREATE TABLE coin_new (
    Y TEXT NOT NULL,
    purse_id INTEGER NOT NULL REFERENCES purse (id),
    coin INTEGER NOT NULL CHECK (coin >= 0),
    keyset_id TEXT NOT NULL REFERENCES keyset (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    C TEXT NOT NULL,
    e TEXT NOT NULL,
    s TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('spendable', 'reserved', 'handed_over', 'spent', 'quarantined')),
    operation_id TEXT REFERENCES operation (id),
    PRIMARY KEY (purse_id, coin),
    CHECK (state NOT IN ('reserved', 'handed_over') OR operation_id IS NOT NULL)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO coin_new (Y, purse_id, coin, keyset_id, amount, C, e, s, state, operation_id)
    SELECT Y, purse_id, coin, keyset_id, amount, C, e, s, state, operation_id FROM coin;
  DROP TABLE coin;
  ALTER TABLE coin_new RENAME TO coin;
  CREATE INDEX coin_y ON coin (Y);
  CREATE INDEX coin_state ON coin (state, purse_id);
  CREATE INDEX coin_operation ON coin (operation_id) WHERE operation_id IS NOT NULL;

  CREATE TABLE output_new (
    B_ TEXT NOT NULL,
    purse_id INTEGER NOT NULL REFERENCES purse (id),
    coin INTEGER NOT NULL CHECK (coin >= 0),
    operation_id TEXT NOT NULL REFERENCES operation (id),
    PRIMARY KEY (purse_id, coin)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO output_new (B_, purse_id, coin, operation_id) SELECT B_, purse_id, coin, operation_id FROM output;
  DROP TABLE output;
  ALTER TABLE output_new RENAME TO output;
  CREATE INDEX output_b ON output (B_);
  `,
]
