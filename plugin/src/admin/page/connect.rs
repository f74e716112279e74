//! R1: the form that connects a shop, in the guide's words and order. The security code is never given
//! back, not even to whoever just typed it.

use crate::{
    admin::{
        api::{
            connections::{self as api, Asked, NewConnection},
            problem::Problem,
            view::Connected,
        },
        page::{
            layout::{alert, problem},
            reply::Reply,
            visit::Visit,
            words as w,
            words::Text,
        },
    },
    journal::connections::{self, Connection},
    kiotviet::edition::is_hotel,
    rules::codes::{Edition, RetailerId},
    secret::Secret,
    world::World,
};
use maud::{Markup, html};

const STEPS: [Text; 5] = [w::STEP_1, w::STEP_2, w::STEP_3, w::STEP_4, w::STEP_5];

/// A field of the form, with what is wrong with it.
struct Field {
    name: &'static str,
    label: Text,
    hint: Text,
    secret: bool,
    wrong: Option<Text>,
}

fn fields<W: World>(visit: &Visit<'_, W>, checked: bool) -> [Field; 3] {
    let empty =
        |name: &str| (checked && visit.form.get(name).is_empty()).then_some(w::FIELD_MISSING);
    let retailer = visit.form.get("retailer");
    let no_name = checked && !is_hotel(retailer) && RetailerId::parse(retailer).is_err();
    let field = |name, label, hint, secret, wrong| Field {
        name,
        label,
        hint,
        secret,
        wrong,
    };
    [
        field(
            "retailer",
            w::SHOP_NAME,
            w::SHOP_NAME_HINT,
            false,
            empty("retailer").or(no_name.then_some(w::SHOP_NAME_WRONG)),
        ),
        field(
            "client_id",
            w::CLIENT_ID,
            w::CLIENT_HINT,
            false,
            empty("client_id"),
        ),
        field(
            "client_secret",
            w::SECRET,
            w::SECRET_HINT,
            true,
            empty("client_secret"),
        ),
    ]
}

fn input<W: World>(visit: &Visit<'_, W>, field: &Field, again: bool) -> Markup {
    let typed = match visit.form.get(field.name) {
        "" => visit.query.get(field.name),
        typed => typed,
    };
    let hint = format!("{}-hint", field.name);
    html! {
        div.field {
            label for=(field.name) { (visit.t(field.label)) }
            input id=(field.name) name=(field.name) required
                type=(if field.secret { "password" } else { "text" })
                value=[(!field.secret).then_some(typed)]
                autocomplete=(if field.secret { "new-password" } else { "off" })
                autocapitalize="none" spellcheck="false"
                aria-invalid=[field.wrong.map(|_| "true")] aria-describedby=(hint);
            @if let Some(wrong) = field.wrong { p.wrong { (visit.t(wrong)) } }
            p.hint id=(hint) {
                (visit.t(field.hint))
                @if again && field.secret { " " strong { (visit.t(w::SECRET_AGAIN)) } }
            }
        }
    }
}

/// The shop's edition: its address tells it, a bare name does not.
fn edition<W: World>(visit: &Visit<'_, W>) -> Markup {
    let typed = visit.form.get("edition");
    html! {
        div.field {
            label for="edition" { (visit.t(w::EDITION)) }
            select id="edition" name="edition" aria-describedby="edition-hint" {
                option value="" { (visit.t(w::EDITION_RETAIL)) }
                option value="fnb" selected[typed == "fnb"] { (visit.t(w::EDITION_FNB)) }
            }
            p.hint id="edition-hint" { (visit.t(w::EDITION_HINT)) }
        }
    }
}

/// The guide's steps on KiotViet's side, and its warning.
pub(super) fn guide<W: World>(visit: &Visit<'_, W>) -> Markup {
    html! {
        section.card.guide {
            h2 { (visit.t(w::STEPS)) }
            ol { @for step in STEPS { li { (visit.t(step)) } } }
            (alert("warn", &html! { p { (visit.t(w::TICK_WARNING)) } }))
            (alert("warn", &html! { p { (visit.t(w::OWN_INTEGRATION)) } }))
        }
    }
}

/// The form; `checked` when it was sent, with what the API said about it.
fn drawn<W: World>(visit: &Visit<'_, W>, checked: bool, said: Option<&Problem>) -> Reply {
    let fields = fields(visit, checked);
    let wrong = fields.iter().any(|f| f.wrong.is_some());
    let status = match said {
        Some(problem) => problem.status,
        None if wrong => 400,
        None => 200,
    };
    let body = html! {
        h1 { (visit.t(w::CONNECT_TITLE)) }
        div.columns {
            section.card {
                @if let Some(said) = said { (problem(visit.view, said)) }
                @else if wrong { (alert("bad", &html! { p { (visit.t(w::FORM_WRONG)) } })) }
                form method="post" action="/ui/connect" {
                    (visit.view.csrf())
                    @for field in &fields { (input(visit, field, checked)) }
                    (edition(visit))
                    button.primary type="submit" { (visit.t(w::CONNECT)) }
                }
            }
            (guide(visit))
        }
    };
    Reply::page(status, w::SHOPS, body)
}

/// `GET /ui/connect`; `?retailer=` is filled in.
pub(super) fn form<W: World>(visit: &Visit<'_, W>) -> Reply {
    drawn(visit, false, None)
}

/// The connection's name, so that nobody has to think of one: the shop's that is connected already,
/// else its shop name, with a number where another shop has that name.
fn name_for(all: &[Connection], retailer: &RetailerId) -> String {
    if let Some(known) = all.iter().find(|c| c.retailer == *retailer) {
        return known.name.to_string();
    }
    let taken = |name: &str| all.iter().any(|c| c.name.as_str() == name);
    let own = match retailer.edition() {
        Edition::Retail => retailer.name().to_owned(),
        Edition::Fnb => format!("fnb-{}", retailer.name()),
    };
    let mut name = own.clone();
    let mut number = 2;
    while taken(&name) {
        name = format!("{own}-{number}");
        number += 1;
    }
    name
}

async fn put<W: World>(visit: &Visit<'_, W>) -> Result<(String, Connected), Problem> {
    visit.genuine()?;
    let ready = visit.ready()?;
    let typed = |name| Some(visit.form.get(name));
    let asked = NewConnection {
        client_id: typed("client_id").map(str::to_owned),
        client_secret: typed("client_secret").map(Secret::new),
        edition: Asked::read(visit.form.get("edition")),
        retailer: typed("retailer").map(str::to_owned),
    };
    let retailer = api::shop(visit.form.get("retailer"), asked.edition)?;
    let name = name_for(&connections::list(visit.world).await?.0, &retailer);
    let made = api::put(visit.world, ready, &name, &asked).await?;
    Ok((name, made))
}

/// `POST /ui/connect`.
pub(super) async fn submit<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    if visit.genuine().is_ok() && fields(visit, true).iter().any(|f| f.wrong.is_some()) {
        return Ok(drawn(visit, true, None));
    }
    match put(visit).await {
        Ok((name, made)) => {
            let said = if made.webhooks_need_switching_on {
                "again"
            } else {
                "connected"
            };
            Ok(Reply::to(&format!("/ui/shops/{name}?done={said}")))
        }
        Err(said) if said.kind == "not-configured" => Err(said),
        Err(said) => Ok(drawn(visit, true, Some(&said))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::connection_name::ConnectionName, kiotviet::client::Credentials, seal::Sealer,
        secret::Secret, time::Timestamp, world::Random,
    };

    struct Fixed;
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(1);
        }
    }

    fn connection(name: &str, retailer: &str) -> Connection {
        let credentials = Credentials {
            retailer: RetailerId::parse(retailer).unwrap(),
            client_id: "id".to_owned(),
            client_secret: Secret::new("secret"),
        };
        let sealer = Sealer::from_base64("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let name = ConnectionName::parse(name).unwrap();
        Connection::make(&name, &credentials, None, now, &sealer, &Fixed).unwrap()
    }

    #[test]
    fn a_connection_is_named_after_its_shop_and_never_takes_anothers_name() {
        let all = [
            connection("shop", "datta"),
            connection("hoa", "lan"),
            connection("hoa-2", "mai"),
        ];
        let name = |retailer| name_for(&all, &RetailerId::parse(retailer).unwrap());
        assert_eq!(name("https://moi.kiotviet.vn"), "moi");
        assert_eq!(name("datta"), "shop");
        assert_eq!(name("hoa"), "hoa-3");
    }
}
