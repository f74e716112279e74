//! A store in one database file. Every answered write is on the disk: a commit is forced there
//! before its callers get an answer. So neither `kill -9` nor a power cut takes anything back.
//!
//! One thread writes. It takes all waiting writes, commits them as one transaction, then answers
//! them all: the more callers, the fewer flushes each of them waits for. Reads run beside it, on
//! the last commit.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use redb::{
    Builder, Database, DatabaseError, ReadOnlyTable, ReadableDatabase, ReadableTable,
    ReadableTableMetadata, Table, TableDefinition,
};
use tokio::sync::oneshot;

use super::{Backend, Cell, Reply, is_a_counter};

const VALUES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("values");
const COUNTERS: TableDefinition<'_, &str, i64> = TableDefinition::new("counters");

/// Memory for pages of the file, in bytes; redb's default is a gigabyte.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The most writes in one transaction; this bounds how long the first of them waits.
const GROUP: usize = 1024;

/// The embedded store. Only one process can open it at a time.
pub struct Embedded {
    committed: Arc<Committed>,
    writer: Mutex<Option<(mpsc::Sender<Write>, JoinHandle<()>)>>,
    path: PathBuf,
}

/// Another process has the store open.
#[derive(Debug)]
pub struct InUse(PathBuf);

impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the state directory {} is in use by another host; stop that one, or give this one its \
             own --state-dir",
            self.0.display()
        )
    }
}

impl std::error::Error for InUse {}

/// The last commit, for readers. Beginning a transaction and opening its tables would cost each
/// reader several times what a lookup costs. An error if it could not be opened.
struct Committed(RwLock<Result<Arc<Tables>, String>>);

struct Tables {
    values: ReadOnlyTable<&'static str, &'static [u8]>,
    counters: ReadOnlyTable<&'static str, i64>,
}

impl Committed {
    fn of(database: &Database) -> Self {
        Self(RwLock::new(Tables::open(database)))
    }

    /// Shows readers the newest commit.
    fn renew(&self, database: &Database) {
        let tables = Tables::open(database);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = tables;
    }

    /// Releases it, so that the database can be closed.
    fn close(&self) {
        let closed = Err("the store is closed".to_owned());
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = closed;
    }

    fn tables(&self) -> Result<Arc<Tables>, String> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Tables {
    fn open(database: &Database) -> Result<Arc<Self>, String> {
        let open = || {
            let transaction = database.begin_read()?;
            Ok(Arc::new(Self {
                values: transaction.open_table(VALUES)?,
                counters: transaction.open_table(COUNTERS)?,
            }))
        };
        open().map_err(words)
    }

    fn cell(&self, key: &str) -> Result<Option<Cell>, redb::Error> {
        if let Some(value) = self.values.get(key)? {
            return Ok(Some(Cell::Value(value.value().to_vec())));
        }
        let counter = self.counters.get(key)?;
        Ok(counter.map(|number| Cell::Counter(number.value())))
    }

    /// The keys that begin so.
    fn keys_below(&self, prefix: &str) -> Result<BTreeSet<String>, redb::Error> {
        let mut keys = BTreeSet::new();
        for entry in self.values.range(prefix..)? {
            let (key, _) = entry?;
            if !key.value().starts_with(prefix) {
                break;
            }
            keys.insert(key.value().to_owned());
        }
        for entry in self.counters.range(prefix..)? {
            let (key, _) = entry?;
            if !key.value().starts_with(prefix) {
                break;
            }
            keys.insert(key.value().to_owned());
        }
        Ok(keys)
    }

    fn all(&self) -> Result<Vec<(String, Cell)>, redb::Error> {
        let mut all = Vec::with_capacity(usize::try_from(self.values.len()?).unwrap_or(0));
        for entry in self.values.iter()? {
            let (key, value) = entry?;
            all.push((key.value().to_owned(), Cell::Value(value.value().to_vec())));
        }
        for entry in self.counters.iter()? {
            let (key, number) = entry?;
            all.push((key.value().to_owned(), Cell::Counter(number.value())));
        }
        all.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(all)
    }
}

enum Change {
    Set(String, Vec<u8>),
    Delete(String),
    Increment(String, i64),
}

struct Write {
    change: Change,
    /// Receives the sum of an increment, and zero for the other writes.
    reply: oneshot::Sender<Result<i64, String>>,
}

impl Embedded {
    /// Opens the store in `directory` and creates both if absent, for the user of this process
    /// alone (modes 0700 and 0600). An existing directory keeps its mode.
    ///
    /// Refuses, and says which, a directory that cannot be written, one that another process has
    /// open ([`InUse`]), and a file that is not such a store.
    pub fn open(directory: &Path) -> Result<Self> {
        let path = private_file(directory)?;
        let database = match Builder::new().set_cache_size(CACHE_BYTES).create(&path) {
            Ok(database) => database,
            Err(DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch) => {
                return Err(InUse(directory.to_owned()).into());
            }
            Err(error) => {
                return Err(error).with_context(|| {
                    let shown = path.display();
                    format!(
                        "{shown} is no store of this program, or is damaged; put back a copy of it, move it away to \
                         begin with an empty store, or give another --state-dir"
                    )
                });
            }
        };
        let fault = || format!("cannot prepare {}", path.display());
        create_tables(&database).with_context(fault)?;
        let committed = Arc::new(Committed::of(&database));
        let (sender, queue) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn({
                let committed = Arc::clone(&committed);
                move || write_groups(&database, &committed, &queue)
            })
            .context("cannot start the store's writer")?;
        Ok(Self {
            committed,
            writer: Mutex::new(Some((sender, thread))),
            path,
        })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn write(&self, change: Change) -> Result<i64, String> {
        let (reply, answer) = oneshot::channel();
        let sender = {
            let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.as_ref().map(|(sender, _)| sender.clone())
        };
        let stopped = || "the store's writer has stopped".to_owned();
        sender
            .ok_or_else(stopped)?
            .send(Write { change, reply })
            .map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    fn cell(&self, key: &str) -> Result<Option<Cell>, String> {
        self.committed.tables()?.cell(key).map_err(words)
    }

    fn all(&self) -> Result<Vec<(String, Cell)>, String> {
        self.committed.tables()?.all().map_err(words)
    }
}

impl Drop for Embedded {
    /// Waits for the queued writes, so that the next process can open the file at once.
    fn drop(&mut self) {
        let writer = self
            .writer
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((sender, thread)) = writer.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}

impl Backend for Embedded {
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let cell = self.cell(key)?;
            cell.map(|cell| cell.value(key)).transpose()
        })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()> {
        Box::pin(async move {
            self.write(Change::Set(key.to_owned(), value)).await?;
            Ok(())
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()> {
        Box::pin(async move {
            self.write(Change::Delete(key.to_owned())).await?;
            Ok(())
        })
    }

    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool> {
        Box::pin(async move { Ok(self.cell(key)?.is_some()) })
    }

    fn list_keys(&self) -> Reply<'_, Vec<String>> {
        Box::pin(async move {
            let all = self.all()?;
            Ok(all.into_iter().map(|(key, _)| key).collect())
        })
    }

    fn list_keys_below<'a>(&'a self, prefix: &'a str) -> Reply<'a, Vec<String>> {
        Box::pin(async move {
            let keys = self.committed.tables()?.keys_below(prefix);
            Ok(keys.map_err(words)?.into_iter().collect())
        })
    }

    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64> {
        Box::pin(async move {
            if delta == 0 {
                return Cell::plus(self.cell(key)?, key, 0);
            }
            self.write(Change::Increment(key.to_owned(), delta)).await
        })
    }

    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        Box::pin(async move {
            let all = self.all()?;
            Ok(all
                .into_iter()
                .map(|(key, cell)| (key, cell.shown()))
                .collect())
        })
    }
}

/// The database's file in `directory`. Both are created if absent. No other user may read the file,
/// not even one that an earlier version created.
fn private_file(directory: &Path) -> Result<PathBuf> {
    let shown = directory.display();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| {
            format!(
                "cannot create the state directory {shown}; give a --state-dir that can be written"
            )
        })?;
    let path = directory.join("store.redb");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| {
            let shown = path.display();
            format!(
                "cannot open {shown}; run this as the user to whom it belongs, or give another --state-dir"
            )
        })?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))
            .with_context(|| format!("cannot keep others from reading {}", path.display()))?;
    }
    Ok(path)
}

fn words(error: redb::Error) -> String {
    format!("the store failed: {error}")
}

fn create_tables(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(VALUES)?;
    transaction.open_table(COUNTERS)?;
    transaction.commit()?;
    Ok(())
}

/// Runs until every sender is gone and the queue is empty.
fn write_groups(database: &Database, committed: &Committed, queue: &mpsc::Receiver<Write>) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(queue.try_iter().take(GROUP));
        let (changes, replies): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|write| (write.change, write.reply))
            .unzip();
        let results = match commit(database, changes) {
            Ok(results) => results,
            // It may or may not be on the disk; the plugin expects that of an error.
            Err(error) => vec![Err(words(error)); replies.len()],
        };
        // Before the answers: a writer must be able to read its write.
        committed.renew(database);
        for (reply, result) in replies.into_iter().zip(results) {
            // The caller may be gone; the write stands.
            let _ = reply.send(result);
        }
    }
    committed.close();
}

/// Makes all changes in the given order, in one durable transaction (redb's default durability
/// flushes). A refused change affects no other.
fn commit(
    database: &Database,
    changes: Vec<Change>,
) -> Result<Vec<Result<i64, String>>, redb::Error> {
    let transaction = database.begin_write()?;
    let results = {
        let mut values = transaction.open_table(VALUES)?;
        let mut counters = transaction.open_table(COUNTERS)?;
        let mut results = Vec::with_capacity(changes.len());
        for change in changes {
            results.push(apply(&mut values, &mut counters, change)?);
        }
        results
    };
    transaction.commit()?;
    Ok(results)
}

fn apply(
    values: &mut Table<'_, &str, &[u8]>,
    counters: &mut Table<'_, &str, i64>,
    change: Change,
) -> Result<Result<i64, String>, redb::Error> {
    match change {
        Change::Set(key, value) => {
            if counters.get(key.as_str())?.is_some() {
                return Ok(Err(is_a_counter(&key)));
            }
            values.insert(key.as_str(), value.as_slice())?;
        }
        Change::Delete(key) => {
            values.remove(key.as_str())?;
            counters.remove(key.as_str())?;
        }
        Change::Increment(key, delta) => {
            let cell = if values.get(key.as_str())?.is_some() {
                Some(Cell::Value(Vec::new()))
            } else {
                let number = counters.get(key.as_str())?;
                number.map(|number| Cell::Counter(number.value()))
            };
            return Ok(match Cell::plus(cell, &key, delta) {
                Ok(sum) => {
                    counters.insert(key.as_str(), sum)?;
                    Ok(sum)
                }
                Err(refused) => Err(refused),
            });
        }
    }
    Ok(Ok(0))
}
