//! Stores that break a promise.

use super::{Verdict, same};
use bytes::Bytes;
use host_test::{
    shop::TestShop,
    stores::broken::{Broken, How},
    variables::PUBLIC,
};
use std::sync::Arc;

pub(super) async fn broken_store() -> Verdict {
    for how in [
        How::ForgetsAtOnce,
        How::WritesNothing,
        How::KeepsAll,
        How::NeverCounts,
        How::KeepsCounters,
    ] {
        let shop = TestShop::unconnected().over(Arc::new(Broken::new(how)));
        let health = http::Request::get(format!("{PUBLIC}/healthz"));
        let health = health.body(Bytes::new()).map_err(|e| e.to_string())?;
        let status = shop.app.request(health).await.status;
        same(&format!("{how:?}: health"), status, 503)?;
        let (status, _) = shop.connect().await;
        same(&format!("{how:?}: connecting a shop"), status, 503)?;
    }
    Ok(())
}
