//! The config cache: keeps the configuration from one request to the next.

use crate::{config::Config, stored};
use std::sync::{Arc, Mutex, PoisonError};

/// The configuration that was last loaded, until a variable changes.
#[derive(Default)]
pub struct ConfigCache(Mutex<Option<Loaded>>);

struct Loaded {
    variables: Vec<(String, String)>,
    config: Arc<Config>,
}

impl ConfigCache {
    /// An empty cache.
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The configuration of these variables.
    pub fn load(&self, variables: Vec<(String, String)>) -> Arc<Config> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(former) = &*kept
            && is_same(&former.variables, &variables)
        {
            return former.config.clone();
        }
        let config = Arc::new(Config::load(|name| {
            let (_, value) = variables.iter().find(|(variable, _)| variable == name)?;
            Some(value.clone())
        }));
        *kept = Some(Loaded {
            variables,
            config: config.clone(),
        });
        config
    }
}

fn is_same(a: &[(String, String)], b: &[(String, String)]) -> bool {
    let same = |a: &String, b: &String| stored::is_same(a.as_bytes(), b.as_bytes());
    let pairs = || a.iter().zip(b);
    a.len() == b.len() && pairs().all(|(a, b)| same(&a.0, &b.0) && same(&a.1, &b.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_kept_until_a_variable_changes() {
        let variables = |retention: &str| {
            let all = [
                ("public_url", "https://a.test"),
                ("retention_days", retention),
            ];
            all.map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec()
        };
        let kept = ConfigCache::new();
        let first = kept.load(variables("30"));
        assert!(Arc::ptr_eq(&first, &kept.load(variables("30"))));
        let wrong = kept.load(variables("none"));
        let named = |c: &Config| c.problems.iter().any(|p| p.variable == "retention_days");
        assert!(named(&wrong) && !named(&first));
        let fewer = kept.load(variables("none")[..1].to_vec());
        assert!(!named(&fewer));
        assert!(!named(&kept.load(variables("30"))));
    }
}
