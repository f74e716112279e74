//! Replaces Redis where the feature `redis` is off: no address can exist, so nothing else can
//! happen.

use super::{Backend, Reply};
use anyhow::{Result, bail};
use std::fmt;

/// No value of this type exists.
#[derive(Debug, Clone)]
pub enum RedisAddress {}

impl RedisAddress {
    /// Refuses.
    ///
    /// # Errors
    /// Always: this program has no Redis.
    pub fn parse(_: &str) -> Result<Self> {
        bail!(
            "this program was built without Redis; build it with the feature `redis` of the crate `host`"
        )
    }

    /// See the type.
    ///
    /// # Errors
    /// None.
    pub fn signed_by(self, _: Vec<u8>) -> Result<Self> {
        match self {}
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

/// No value of this type exists.
#[derive(Debug, Clone)]
pub enum Redis {}

impl Redis {
    /// See the type.
    ///
    /// # Errors
    /// None.
    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    pub async fn open(address: RedisAddress) -> Result<Self> {
        match address {}
    }

    /// See the type.
    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    pub async fn durability(&self) -> Vec<String> {
        match *self {}
    }
}

impl Backend for Redis {
    fn get<'a>(&'a self, _: &'a str) -> Reply<'a, Option<Vec<u8>>> {
        match *self {}
    }
    fn set<'a>(&'a self, _: &'a str, _: Vec<u8>) -> Reply<'a, ()> {
        match *self {}
    }
    fn delete<'a>(&'a self, _: &'a str) -> Reply<'a, ()> {
        match *self {}
    }
    fn exists<'a>(&'a self, _: &'a str) -> Reply<'a, bool> {
        match *self {}
    }
    fn list_keys(&self) -> Reply<'_, Vec<String>> {
        match *self {}
    }
    fn increment<'a>(&'a self, _: &'a str, _: i64) -> Reply<'a, i64> {
        match *self {}
    }
    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        match *self {}
    }
}
