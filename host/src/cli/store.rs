//! Where the store is: `--store` or `--state-dir`.

use super::{Failure, arguments::or_file};
use crate::keyvalue::{Backend, Embedded, Redis, RedisAddress};
use clap::Args;
use std::{path::PathBuf, sync::Arc};

/// The options.
#[derive(Debug, Args)]
pub(super) struct StoreOptions {
    /// A Redis or Valkey that several hosts can share: @FILE reads its address from a file, so that the password stands
    /// in no list of processes. The address is rediss://:password@host:port/0, or redis://… without encryption. Without
    /// this option the store is one file in --state-dir.
    #[arg(long, value_name = "@FILE|URL", conflicts_with = "state_dir")]
    store: Option<String>,
    /// A PEM file with the authority that signed the certificate of a rediss:// store; the public authorities
    /// without it.
    #[arg(long, value_name = "FILE", requires = "store")]
    store_ca: Option<PathBuf>,
    /// The folder of the store, for one host at a time.
    #[arg(long, value_name = "DIR", default_value = ".state")]
    state_dir: PathBuf,
}

/// A store that is not open yet.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// One file in this folder.
    Folder(PathBuf),
    /// Redis.
    Redis(Box<RedisAddress>),
}

/// An open store.
pub(super) struct Opened {
    pub(super) backend: Arc<dyn Backend>,
    /// What the operator should know about its durability.
    pub(super) warnings: Vec<String>,
}

impl StoreOptions {
    pub(super) fn place(&self) -> Result<Place, Failure> {
        let Some(store) = &self.store else {
            return Ok(Place::Folder(self.state_dir.clone()));
        };
        let wrong = |why: String| Failure::Arguments(format!("--store: {why}"));
        let text = or_file(store).map_err(wrong)?;
        let mut address = RedisAddress::parse(&text).map_err(|e| wrong(format!("{e:#}")))?;
        if let Some(file) = &self.store_ca {
            let wrong = |why: String| Failure::Arguments(format!("--store-ca: {why}"));
            let pem = std::fs::read(file)
                .map_err(|e| wrong(format!("cannot read {}: {e}", file.display())))?;
            address = address
                .signed_by(pem)
                .map_err(|e| wrong(format!("{e:#}")))?;
        }
        Ok(Place::Redis(Box::new(address)))
    }
}

impl Place {
    /// Whether other hosts may use it at the same time.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Redis(_))
    }

    /// Opens it; refuses in words.
    pub(super) async fn open(&self) -> anyhow::Result<Opened> {
        match self {
            Self::Folder(folder) => {
                let folder = folder.clone();
                let opened = tokio::task::spawn_blocking(move || Embedded::open(&folder)).await??;
                Ok(Opened {
                    backend: Arc::new(opened),
                    warnings: Vec::new(),
                })
            }
            Self::Redis(address) => Ok(shared(Redis::open(*address.clone()).await?).await),
        }
    }
}

/// A store that other hosts may share.
async fn shared(redis: Redis) -> Opened {
    let warnings = redis.durability().await;
    Opened {
        backend: Arc::new(redis),
        warnings,
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Redis(address) => write!(f, "{address}"),
        }
    }
}
