//! A part of a store: the keys with one prefix, without it. Whoever has it sees and reaches no other key.

use super::{Backend, Reply};
use std::sync::Arc;

/// See the module.
#[derive(Clone)]
pub struct Space {
    store: Arc<dyn Backend>,
    prefix: String,
}

impl Space {
    /// The keys of `store` that begin with `prefix`.
    pub fn of(store: Arc<dyn Backend>, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        Self { store, prefix }
    }

    /// The key as the store has it.
    fn whole(&self, key: &str) -> String {
        [&self.prefix, key].concat()
    }

    /// A failure names the key as its owner knows it.
    fn own<T>(&self, result: Result<T, String>) -> Result<T, String> {
        result.map_err(|why| why.replace(&self.prefix, ""))
    }
}

impl Backend for Space {
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>> {
        Box::pin(async move { self.own(self.store.get(&self.whole(key)).await) })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()> {
        Box::pin(async move { self.own(self.store.set(&self.whole(key), value).await) })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()> {
        Box::pin(async move { self.own(self.store.delete(&self.whole(key)).await) })
    }

    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool> {
        Box::pin(async move { self.own(self.store.exists(&self.whole(key)).await) })
    }

    fn list_keys(&self) -> Reply<'_, Vec<String>> {
        self.list_keys_below("")
    }

    fn list_keys_below<'a>(&'a self, prefix: &'a str) -> Reply<'a, Vec<String>> {
        Box::pin(async move {
            let keys = self.store.list_keys_below(&self.whole(prefix)).await;
            let keys = self.own(keys)?.into_iter();
            let own = |key: String| key.strip_prefix(&self.prefix).map(str::to_owned);
            Ok(keys.filter_map(own).collect())
        })
    }

    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64> {
        Box::pin(async move { self.own(self.store.increment(&self.whole(key), delta).await) })
    }

    fn handle(&self) -> Option<Arc<dyn Backend>> {
        let handle = self.store.handle()?;
        Some(Arc::new(Self::of(handle, self.prefix.clone())))
    }

    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        Box::pin(async move {
            let mut all = self.own(self.store.dump().await)?;
            all.retain_mut(|(key, _)| {
                let own = key.strip_prefix(&self.prefix).map(str::to_owned);
                own.map(|own| *key = own).is_some()
            });
            Ok(all)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Space;
    use crate::keyvalue::{Backend, Embedded, Memory, conformance};
    use std::sync::Arc;

    async fn apart(store: Arc<dyn Backend>) {
        let space =
            |prefix: &str| -> Arc<dyn Backend> { Arc::new(Space::of(store.clone(), prefix)) };
        let (a, b) = (space("t/a/"), space("t/b/"));
        for check in conformance::check(&a, "space/").await {
            assert_eq!(check.wrong, None, "{}", check.claim);
        }
        a.set("key", b"of a".to_vec()).await.expect("set");
        a.increment("count", 5).await.expect("counted");
        b.set("key", b"of b".to_vec()).await.expect("set");
        store.set("key", b"nobody's".to_vec()).await.expect("set");
        assert_eq!(a.get("key").await, Ok(Some(b"of a".to_vec())));
        let outside = ["../b/key", "t/b/key", "/t/b/key", "", "b/key", "\0"];
        for key in outside {
            assert_eq!(a.get(key).await, Ok(None), "{key}");
            assert_eq!(a.exists(key).await, Ok(false), "{key}");
            a.delete(key).await.expect("nothing there");
        }
        assert_eq!(b.increment("count", 1).await, Ok(1));
        let listed = a.list_keys().await.expect("listed");
        assert!(listed.contains(&"key".to_owned()) && listed.contains(&"count".to_owned()));
        assert!(listed.iter().all(|key| key != "t/b/key"), "{listed:?}");
        assert_eq!(
            b.list_keys().await,
            Ok(vec!["count".to_owned(), "key".to_owned()])
        );
        let dumped = b.dump().await.expect("dumped");
        let (count, key) = (("count", &b"1"[..]), ("key", &b"of b"[..]));
        let own = [count, key].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(dumped, own);
        let refused = a.get("count").await.expect_err("a counter");
        assert!(!refused.contains("t/a"), "{refused}");
    }

    #[tokio::test]
    async fn two_spaces_of_one_store_see_nothing_of_each_other() {
        apart(Arc::new(Memory::new())).await;
        let folder = tempfile::tempdir().expect("a folder");
        apart(Arc::new(Embedded::open(folder.path()).expect("opened"))).await;
    }
}
