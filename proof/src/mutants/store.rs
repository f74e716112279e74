//! Stores that break their word.

use super::{Verdict, same};
use bytes::Bytes;
use host_test::{
    native::PUBLIC,
    scene::Scene,
    stores::broken::{Broken, How},
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
        let scene = Scene::unconnected().over(Arc::new(Broken::new(how)));
        let health = http::Request::get(format!("{PUBLIC}/healthz"));
        let health = health.body(Bytes::new()).map_err(|e| e.to_string())?;
        let status = scene.app.request(health).await.status;
        same(&format!("{how:?}: health"), status, 503)?;
        let (status, _) = scene.connect().await;
        same(&format!("{how:?}: connecting a shop"), status, 503)?;
    }
    Ok(())
}
