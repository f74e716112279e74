//! The Redis of the person who measures: each line of a table uses a database of its own.

use anyhow::{Result, ensure};
use host::keyvalue::{Backend, Redis, RedisAddress};
use std::cell::Cell;

/// Its databases from 0 on, which must be empty.
pub(crate) struct Databases {
    /// `redis://host:port`, without a number.
    redis: Option<String>,
    next: Cell<u16>,
}

impl Databases {
    pub(crate) fn of(redis: Option<String>) -> Self {
        Self {
            redis,
            next: Cell::new(0),
        }
    }

    /// The next database; none if there is no Redis. An error if it is not empty.
    pub(crate) async fn empty(&self) -> Result<Option<RedisAddress>> {
        let Some(redis) = &self.redis else {
            return Ok(None);
        };
        let database = self.next.replace(self.next.get() + 1);
        let address = RedisAddress::parse(&format!("{redis}/{database}"))?;
        let keys = Redis::open(address.clone()).await?.list_keys().await;
        ensure!(
            keys == Ok(Vec::new()),
            "database {database} of {redis} is not empty"
        );
        Ok(Some(address))
    }
}
