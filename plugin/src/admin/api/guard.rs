//! Who may come in, and what happens to a wrong token.

use crate::{
    admin::api::problem::{self, Problem},
    config::Config,
    log,
    secret::Secret,
    web::Inbound,
    world::World,
};

/// Where a token was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::admin) enum Door {
    /// The page's log-in form.
    Page,
    /// A route below `/api`.
    Api,
    /// `GET /metrics`.
    Metrics,
}

impl Door {
    fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Api => "api",
            Self::Metrics => "metrics",
        }
    }
}

/// Admits a caller with the admin token, or with the token of this route alone (`own`). No token is no guess; a wrong
/// one is counted, and slowed where there are many.
pub(in crate::admin) async fn admit<W: World, B>(
    world: &W,
    config: &Config,
    door: Door,
    own: Option<&Secret>,
    request: &Inbound<B>,
) -> Result<(), Problem> {
    let Some(admin_token) = &config.admin_token else {
        return Err(problem::not_configured(config));
    };
    let Some(offered) = bearer(request.authorization.as_deref()) else {
        return Err(problem::unauthorized());
    };
    if [admin_token]
        .into_iter()
        .chain(own)
        .any(|token| *token == offered)
    {
        return Ok(());
    }
    failed(world, config, door, request.client.as_deref()).await;
    Err(problem::unauthorized())
}

/// Counts a failed log-in, tells it, and waits where there are many.
pub(in crate::admin) async fn failed<W: World>(
    world: &W,
    config: &Config,
    door: Door,
    client: Option<&str>,
) {
    let failure = config.failed_log_ins.count(world.now());
    if failure.is_told() {
        log::failed_log_in(world, door.as_str(), client, failure);
    }
    if let Some(wait) = failure.wait {
        world.sleep(wait).await;
    }
}

fn bearer(header: Option<&str>) -> Option<Secret> {
    let (scheme, token) = header?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::new(token.trim()))
}
