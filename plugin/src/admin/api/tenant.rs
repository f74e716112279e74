//! A person's confirmation that `getfly_url` is the store's Getfly under a new address.

use crate::{
    admin::api::{
        problem::{self, Problem},
        view,
    },
    config::Ready,
    drain::{how::How, run::drain},
    worker::tenant::{self, ConfirmError, Confirmed},
    world::World,
};
use serde_json::Value;

/// The address of `{"getfly_url": …}`.
pub(in crate::admin) fn asked(body: &Value) -> Result<String, Problem> {
    let url = body.get("getfly_url").and_then(Value::as_str);
    url.map(|url| url.trim().to_owned()).ok_or_else(|| {
        problem::invalid("Send {\"getfly_url\":\"…\"} with the value of the variable getfly_url.")
    })
}

/// `POST /api/getfly`: takes the tenant at `getfly_url`, which `asked` repeats, as the store's, where a known account
/// and order read back there.
pub(in crate::admin) async fn confirm<W: World>(
    world: &W,
    ready: &Ready,
    asked: &str,
) -> Result<view::Tenant, Problem> {
    if !asked.eq_ignore_ascii_case(&ready.getfly_url) {
        return Err(problem::invalid(
            "getfly_url in the body must repeat the value of the variable getfly_url.",
        ));
    }
    let former = tenant::other_than(world, ready).await?;
    match tenant::confirm(world, ready).await {
        Err(ConfirmError::Store(e)) => return Err(e.into()),
        Err(ConfirmError::Getfly(e)) => return Err(e.into()),
        Ok(Confirmed::Unknown { account, order }) => {
            let account = account.map(|code| format!("the account {code}"));
            let order = order.map(|code| format!("the order {code}"));
            let lacks: Vec<String> = account.into_iter().chain(order).collect();
            return Err(Problem::new(
                422,
                "another-getfly",
                "This is another Getfly",
                format!(
                    "It does not have {}, which this store has made or linked. Set getfly_url back, or give the other tenant a store of its own.",
                    lacks.join(" and ")
                ),
            ));
        }
        Ok(Confirmed::Taken) => {}
    }
    drain(world, ready, How::QUICK).await;
    Ok(view::Tenant {
        former,
        getfly_url: ready.getfly_url.clone(),
    })
}

/// For what reads Getfly for a person: refused while the tenant is not confirmed.
pub(in crate::admin) async fn check<W: World>(world: &W, ready: &Ready) -> Result<(), Problem> {
    match tenant::other_than(world, ready).await? {
        None => Ok(()),
        Some(kept) => Err(Problem::new(
            409,
            "getfly-unconfirmed",
            "Another Getfly waits to be confirmed",
            format!(
                "This store belongs to {kept}. Confirm the new getfly_url first, or set it back."
            ),
        )),
    }
}
