//! R13: which of a shop's sellers are Getfly users, so that somebody can mend the others.

use crate::{
    admin::api::{
        connections::open,
        problem::Problem,
        request::known,
        tenant,
        view::{self, SellerProblem},
    },
    config::Ready,
    journal::cursor,
    kiotviet::error::KiotVietError,
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

/// Whether sellers are given with their phone numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::admin) enum Phones {
    /// For the page, which nobody but the owner sees.
    Shown,
    /// For everything else.
    Hidden,
}

fn seller(seller: &KiotVietUser, finding: &ExecutorFinding, phones: Phones) -> view::Seller {
    let problem = match finding {
        ExecutorFinding::Found(_) => None,
        ExecutorFinding::SellerWithoutPhone => Some(SellerProblem::SellerWithoutPhone),
        ExecutorFinding::NobodyWithThatPhone => Some(SellerProblem::NobodyWithThatPhone),
        // Looked for by an id of the same list.
        ExecutorFinding::NoSeller | ExecutorFinding::AdminOrUnknown => {
            Some(SellerProblem::UnknownSeller)
        }
    };
    view::Seller {
        getfly_user: finding.user().map(|user: &GetflyUser| view::SellerUser {
            id: user.user_id,
            login: user.user_name.clone(),
            name: user.contact_name.clone(),
        }),
        id: seller.id,
        name: seller.given_name.clone(),
        phone: (phones == Phones::Shown).then(|| seller.mobile_phone.clone()),
        problem,
    }
}

/// `GET /api/connections/{name}/staff`: KiotViet's sellers (admins are not among them), each with the
/// Getfly user of the same phone, or with what is missing.
pub(in crate::admin) async fn staff<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
    phones: Phones,
) -> Result<view::Staff, Problem> {
    tenant::check(world, ready).await?;
    let connection = known(world, name).await?;
    let opened = open(&connection, ready)?;
    let calls = cursor::getfly_calls(world).await;
    let worker = Worker::new(world, Permit::Person, ready, calls);
    let session = Session::new(&worker, ready, &connection, &opened);
    let sellers = match session.kiotviet_users(USERS_AGAIN).await {
        // There is nobody to be matched.
        Err(KiotVietError::NotOffered) => Vec::new(),
        sellers => sellers?,
    };
    let users = session.getfly_users(USERS_AGAIN).await?;
    let ignored = &ready.rules.ignored_phones;
    let found = sellers.iter().map(|one| {
        let finding = find_executor(Some(one.id), &sellers, &users, ignored);
        seller(one, &finding, phones)
    });
    Ok(view::Staff {
        staff: found.collect(),
    })
}
