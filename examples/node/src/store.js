// wasi:keyvalue/store and atomics over one SQLite file. Every answered write is on the disk.
import { DatabaseSync } from "node:sqlite";

/** What a call returns to the guest as `error.other`. A guest must never trap because its store fails. */
class StoreError extends Error {
  constructor(payload) {
    super(payload.val ?? payload.tag);
    this.payload = payload;
  }
}

const failing = (work) => {
  try {
    return work();
  } catch (error) {
    throw new StoreError({ tag: "other", val: String(error.message) });
  }
};

/** Opens the file, and returns the two interfaces that the component imports, and `close`. */
export function openStore(path) {
  const db = new DatabaseSync(path);
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA busy_timeout = 5000;
    CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS counter (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  `);
  const get = db.prepare("SELECT value FROM entry WHERE key = ?");
  const set = db.prepare("INSERT INTO entry VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value");
  const remove = db.prepare("DELETE FROM entry WHERE key = ?");
  const removeCounter = db.prepare("DELETE FROM counter WHERE key = ?");
  const exists = db.prepare("SELECT 1 FROM entry WHERE key = ?1 UNION ALL SELECT 1 FROM counter WHERE key = ?1");
  const keys = db.prepare(
    "SELECT key FROM entry WHERE key > ?1 UNION SELECT key FROM counter WHERE key > ?1 ORDER BY key LIMIT 1000",
  );
  const increment = db.prepare(
    "INSERT INTO counter VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value RETURNING value",
  );
  increment.setReadBigInts(true);

  class Bucket {
    get(key) {
      return failing(() => get.get(key)?.value);
    }
    set(key, value) {
      failing(() => set.run(key, value));
    }
    delete(key) {
      failing(() => {
        remove.run(key);
        removeCounter.run(key);
      });
    }
    exists(key) {
      return failing(() => exists.get(key) !== undefined);
    }
    listKeys(cursor) {
      const page = failing(() => keys.all(cursor ?? "").map((row) => row.key));
      return { keys: page, cursor: page.length === 1000 ? page.at(-1) : undefined };
    }
  }

  const bucket = new Bucket();
  return {
    store: {
      Bucket,
      open(identifier) {
        if (identifier !== "default") throw new StoreError({ tag: "no-such-store" });
        return bucket;
      },
    },
    atomics: {
      increment: (_bucket, key, delta) => failing(() => increment.get(key, delta).value),
    },
    close: () => db.close(),
  };
}
