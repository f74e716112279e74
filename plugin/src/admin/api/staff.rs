//! R13: which of a shop's sellers are Getfly users, so that somebody can mend the others.

use crate::{
    admin::api::{connections::open, problem::Problem, request::known},
    config::Ready,
    journal::cursor,
    json::{ToJson, object},
    rules::{
        executor::{ExecutorFinding, find_executor},
        model::{GetflyUser, KiotVietUser},
    },
    worker::{
        permit::{Permit, Worker},
        session::{Session, USERS_AGAIN},
    },
    world::World,
};
use serde_json::Value;

/// Whether sellers are given with their phone numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::admin) enum Phones {
    /// For the page, which nobody but the owner sees.
    Shown,
    /// For everything else.
    Hidden,
}

fn seller(seller: &KiotVietUser, finding: &ExecutorFinding, phones: Phones) -> Value {
    let problem = match finding {
        ExecutorFinding::Found(_) => None,
        ExecutorFinding::SellerWithoutPhone => Some("seller_without_phone"),
        ExecutorFinding::NobodyWithThatPhone => Some("nobody_with_that_phone"),
        // Looked for by an id of the same list.
        ExecutorFinding::NoSeller | ExecutorFinding::AdminOrUnknown => Some("unknown_seller"),
    };
    let user = finding.user().map(|user: &GetflyUser| {
        object(vec![
            ("id", user.user_id.to_json()),
            ("login", user.user_name.to_json()),
            ("name", user.contact_name.to_json()),
        ])
    });
    let mut members = vec![
        ("id", seller.id.to_json()),
        ("name", seller.given_name.to_json()),
        ("getfly_user", user.unwrap_or_default()),
        ("problem", problem.to_json()),
    ];
    if phones == Phones::Shown {
        members.push(("phone", seller.mobile_phone.to_json()));
    }
    object(members)
}

/// `GET /api/connections/{name}/staff`: KiotViet's sellers (admins are not among them), each with the
/// Getfly user of the same phone, or with what is missing.
pub(in crate::admin) async fn staff<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
    phones: Phones,
) -> Result<Value, Problem> {
    let connection = known(world, name).await?;
    let opened = open(&connection, ready)?;
    let calls = cursor::getfly_calls(world).await;
    let worker = Worker::new(world, Permit::Person, ready, calls);
    let session = Session::new(&worker, ready, &connection, &opened);
    let sellers = session.kiotviet_users(USERS_AGAIN).await?;
    let users = session.getfly_users(USERS_AGAIN).await?;
    let ignored = &ready.rules.ignored_phones;
    let found = sellers.iter().map(|one| {
        let finding = find_executor(Some(one.id), &sellers, &users, ignored);
        seller(one, &finding, phones)
    });
    Ok(object(vec![("staff", found.collect())]))
}
