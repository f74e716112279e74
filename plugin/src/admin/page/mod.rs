//! The page for people: HTML without scripts, forms that answer with a redirect, and the same
//! functions underneath as the API. It decides nothing by itself and shows no secret.

mod alerts;
mod answers;
mod assumptions;
mod backfill;
mod changed;
mod chart;
mod connect;
mod events;
mod first_day;
mod layout;
mod links;
mod live;
mod login;
mod overview;
mod preflight;
mod preview;
mod problems;
mod reconciliation;
mod reply;
mod session;
mod shop;
mod staff;
mod style;
mod tree;
mod visit;
mod words;

use crate::{
    admin::api::{
        problem::{self, Problem},
        request::{Most, read},
        security::{self, By},
    },
    config::Config,
    journal::{format, sessions},
    secret::Secret,
    web::{After, Answer, Body, Inbound},
    world::World,
};
use layout::View;
use maud::html;
use reply::Reply;
use session::{Session, Signer};
use style::STYLE;
use visit::{Fields, MOST_FIELDS, Visit};
use words::{self as w, Lang};

/// The cookie that keeps the language.
const LANG: &str = "kvgf-lang";

/// Answers `/` and `/ui/...`; `path` is the whole path.
pub async fn page<W: World, B: Body>(
    world: &W,
    config: &Config,
    request: Inbound<B>,
    path: &[&str],
) -> (Answer, After) {
    if path == ["ui", "style.css"] {
        return (style(config), After::Nothing);
    }
    let query = Fields::parse(request.query.as_deref().unwrap_or_default().as_bytes());
    // No address of ours has so many: it is taken as one without any.
    let query = query.unwrap_or_default();
    let cookie = request.cookie.as_deref();
    let wished = Lang::parse(query.get("lang"));
    let kept = session::cookies(cookie, LANG).find_map(Lang::parse);
    let lang = wished.or(kept).unwrap_or_default();
    let signer = Signer::new(config);
    let session = signer.as_ref().and_then(|s| s.read(cookie, world.now()));
    let session = is_open(world, session).await;
    let open = session.as_ref().ok().and_then(Option::as_ref);
    let mut view = View {
        lang,
        inside: open.is_some(),
        csrf: open.map(|s| s.csrf.clone()).unwrap_or_default(),
        switch: switched(&request.path, &query, lang),
        now: world.now(),
    };
    let mut reply = match (&signer, &session) {
        (None, _) => Reply::page(503, w::SETUP, layout::setup(&view, &config.problems)),
        (_, Err(problem)) => refused(config, &view, problem),
        (Some(signer), Ok(session)) => {
            let entry = Entry { signer, session };
            served(world, config, entry, &mut view, request, query, path).await
        }
    };
    if wished.is_some() {
        let secure = if config.public_https { "; Secure" } else { "" };
        let life = "Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax";
        let cookie = format!("{LANG}={}; {life}{secure}", lang.word());
        reply.headers.push(("set-cookie", cookie));
    }
    let after = reply.after;
    (answer(config, &view, reply), after)
}

/// What decides about who comes in.
struct Entry<'a> {
    signer: &'a Signer,
    session: &'a Option<Session>,
}

/// The session, unless it was ended before its time.
async fn is_open<W: World>(
    world: &W,
    session: Option<Session>,
) -> Result<Option<Session>, Problem> {
    let Some(session) = session else {
        return Ok(None);
    };
    let open = sessions::is_open(world, &session.epoch, &session.id).await?;
    Ok(open.then_some(session))
}

/// `POST /ui/logout` ends this session, `/ui/logout-everywhere` every one.
async fn log_out<W: World>(
    world: &W,
    entry: &Entry<'_>,
    everywhere: bool,
) -> Result<Reply, Problem> {
    if everywhere {
        sessions::end_all(world).await?;
    } else if let Some(session) = entry.session {
        sessions::end(world, &session.id, session.until, world.now()).await?;
    }
    let mut reply = Reply::to("/?done=out");
    reply.headers.push(("set-cookie", entry.signer.end()));
    Ok(reply)
}

/// This address in the other language. What a redirect said is not said again.
fn switched(path: &str, query: &Fields, lang: Lang) -> String {
    let other = match lang {
        Lang::Vi => Lang::En,
        Lang::En => Lang::Vi,
    };
    let mut written = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &query.0 {
        if !matches!(name.as_str(), "lang" | "done") {
            written.append_pair(name, value);
        }
    }
    written.append_pair("lang", other.word());
    format!("{path}?{}", written.finish())
}

/// Whether a browser says that a form was sent from one of our own pages. Old browsers say nothing;
/// the form's token is asked for in any case.
fn sent_from_here(fetch_site: Option<&str>) -> Result<(), Problem> {
    match fetch_site {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err(Problem::new(403, "form-from-elsewhere", "Forbidden", "")),
    }
}

/// A form's fields. Where it was sent from is looked at before its body is read.
async fn typed<B: Body>(fetch_site: Option<&str>, body: B, most: Most) -> Result<Fields, Problem> {
    sent_from_here(fetch_site)?;
    let body = read(body, most).await?;
    Fields::parse(&body).ok_or_else(|| {
        let title = "The form has too many fields";
        let detail = format!("A form has at most {MOST_FIELDS} fields.");
        Problem::new(400, "too-many-fields", title, detail)
    })
}

async fn served<W: World, B: Body>(
    world: &W,
    config: &Config,
    entry: Entry<'_>,
    view: &mut View,
    request: Inbound<B>,
    query: Fields,
    path: &[&str],
) -> Reply {
    let post = request.method == "POST";
    let logging_in = post && path == ["ui", "login"];
    if !(view.inside || logging_in) {
        let is_over = entry.signer.knows(request.cookie.as_deref());
        if is_over && post {
            return over(view, request, path).await;
        }
        return outside(view, &request, &query, path, is_over);
    }
    let (method, client) = (request.method, request.client);
    let mut form = Fields::default();
    if post {
        let most = match path {
            ["ui", "login"] => Most::LogIn,
            ["ui", "try"] => Most::Delivery,
            _ => Most::Request,
        };
        match typed(request.fetch_site.as_deref(), request.body, most).await {
            Ok(typed) => form = typed,
            Err(problem) => return refused(config, view, &problem),
        }
    }
    if logging_in {
        let typed = login::LogIn::read(&form, client.as_deref());
        let done = login::submit(world, config, entry.signer, view, &typed).await;
        return match done {
            Ok(reply) if reply.status == 303 && !typed.back.kept.0.is_empty() => {
                carry_on(world, config, entry.signer, view, reply, typed.back).await
            }
            done => done.unwrap_or_else(|problem| refused(config, view, &problem)),
        };
    }
    let genuine = if Secret::new(form.get("csrf")) == view.csrf {
        Ok(())
    } else {
        Err(Problem::new(403, "form-expired", "Forbidden", ""))
    };
    let visit = Visit {
        world,
        config,
        view,
        query,
        form,
        genuine,
    };
    let done = match (method.as_str(), path) {
        ("POST", ["ui", how @ ("logout" | "logout-everywhere")]) => match visit.genuine() {
            Ok(()) => log_out(world, &entry, *how == "logout-everywhere").await,
            Err(problem) => Err(problem),
        },
        ("HEAD", path) => route(&visit, "GET", path).await,
        (method, path) => route(&visit, method, path).await,
    };
    let reply = done.unwrap_or_else(|problem| refused(config, view, &problem));
    if post && reply.status == 303 {
        tell(world, path, client.as_deref(), &reply).await;
    }
    reply
}

/// A form whose session is over: the log-in, which carries what was typed.
async fn over<B: Body>(view: &View, request: Inbound<B>, path: &[&str]) -> Reply {
    // No more is read than of anybody's log-in.
    let typed = typed(request.fetch_site.as_deref(), request.body, Most::LogIn).await;
    let back = login::Back {
        next: login::page_of(path),
        kept: login::carried(typed.unwrap_or_default()),
    };
    login::form(view, 403, Some(login::Said::Over), &back)
}

/// Goes back, after logging in, to a form that was sent when the session was over, with what was typed. Nothing is sent
/// again by itself.
async fn carry_on<W: World>(
    world: &W,
    config: &Config,
    signer: &Signer,
    view: &mut View,
    reply: Reply,
    back: login::Back,
) -> Reply {
    let cookie = reply.headers.iter().find(|(name, _)| *name == "set-cookie");
    let Some(cookie) = cookie.cloned() else {
        return reply;
    };
    let Some(session) = signer.read(cookie.1.split(';').next(), world.now()) else {
        return reply;
    };
    let (path, query) = back.next.split_once('?').unwrap_or((&back.next, ""));
    let query = Fields::parse(query.as_bytes()).unwrap_or_default();
    view.inside = true;
    view.csrf = session.csrf;
    view.switch = switched(path, &query, view.lang);
    let visit = Visit {
        world,
        config,
        view,
        query,
        form: back.kept,
        genuine: Err(Problem::new(403, "form-expired", "Forbidden", "")),
    };
    let path: Vec<&str> = path.split('/').skip(1).collect();
    let page = route(&visit, "GET", &path).await;
    let mut page = page.unwrap_or_else(|problem| refused(config, visit.view, &problem));
    page.headers.push(cookie);
    page
}

/// Tells what a form did.
async fn tell<W: World>(world: &W, path: &[&str], client: Option<&str>, reply: &Reply) {
    let Some((act, about)) = security::of_form(path) else {
        return;
    };
    let by = By {
        token: "session",
        client,
    };
    // The shop that was connected stands where the reply leads.
    let place = reply.headers.iter().find(|(name, _)| *name == "location");
    let shop = place.and_then(|(_, place)| place.strip_prefix("/ui/shops/"));
    let shop = shop.and_then(|shop| shop.split('?').next());
    security::done(world, by, act, about.or(shop)).await;
}

/// For whoever is not logged in: the form, which leads back to where he wanted to go. `is_over`: he was.
fn outside<B>(
    view: &View,
    request: &Inbound<B>,
    query: &Fields,
    path: &[&str],
    is_over: bool,
) -> Reply {
    if path == [""] {
        let said = match query.get("done") {
            "out" => Some(login::Said::Plain(w::LOGGED_OUT)),
            _ => is_over.then_some(login::Said::Over),
        };
        let back = login::Back {
            next: query.get("next").to_owned(),
            ..login::Back::default()
        };
        return login::form(view, 200, said, &back);
    }
    if request.method == "POST" || path == ["ui", "login"] {
        return Reply::to("/");
    }
    let target = match &request.query {
        Some(query) => format!("{}?{query}", request.path),
        None => request.path.clone(),
    };
    let next: String = form_urlencoded::byte_serialize(target.as_bytes()).collect();
    Reply::to(&format!("/?next={next}"))
}

async fn route<W: World>(
    visit: &Visit<'_, W>,
    method: &str,
    path: &[&str],
) -> Result<Reply, Problem> {
    format::check_store(visit.world).await?;
    match (method, path) {
        ("GET", [""]) => overview::show(visit).await,
        ("GET", ["ui", "assumptions"]) => assumptions::show(visit).await,
        ("GET", ["ui", "shops"]) => shop::list(visit).await,
        ("GET", ["ui", "connect"]) => Ok(connect::form(visit)),
        ("POST", ["ui", "connect"]) => connect::submit(visit).await,
        ("GET", ["ui", "shops", name]) => shop::show(visit, name, None).await,
        (
            "POST",
            [
                "ui",
                "shops",
                name,
                "webhooks",
                webhook,
                switch @ ("on" | "off"),
            ],
        ) => shop::switch(visit, name, webhook, *switch == "on").await,
        ("GET", ["ui", "shops", name, "disconnect"]) => shop::sure(visit, name).await,
        ("POST", ["ui", "shops", name, "disconnect"]) => shop::disconnect(visit, name).await,
        ("POST", ["ui", "shops", name, how @ ("rotate" | "rotate-now")]) => {
            shop::rotate(visit, name, *how == "rotate-now").await
        }
        ("GET", ["ui", "shops", name, "staff"]) => staff::show(visit, name).await,
        ("GET", ["ui", "shops", name, "preflight"]) => preflight::show(visit, name).await,
        ("GET", ["ui", "shops", name, "first-day"]) => first_day::show(visit, name).await,
        ("POST", ["ui", "shops", name, "first-day", said @ ("right" | "wrong")]) => {
            first_day::answer(visit, name, *said == "right").await
        }
        ("GET", ["ui", "shops", name, "backfill"]) => backfill::show(visit, name).await,
        ("POST", ["ui", "shops", name, "backfill"]) => backfill::submit(visit, name).await,
        ("POST", ["ui", "shops", name, "backfill", "stop"]) => backfill::stop(visit, name).await,
        ("GET", ["ui", "events"]) => events::list(visit).await,
        ("POST", ["ui", "events", all @ ("retry-dead" | "dismiss-dead")]) => {
            events::all_dead(visit, all).await
        }
        ("GET", ["ui", "events", seq]) => events::one(visit, seq).await,
        (
            "POST",
            [
                "ui",
                "events",
                seq,
                asked @ ("retry" | "dismiss" | "edit" | "sale"),
            ],
        ) => events::command(visit, seq, asked).await,
        ("POST", ["ui", "events", seq, asked @ ("link" | "unlink")]) => {
            links::submit(visit, seq, *asked == "link").await
        }
        ("GET", ["ui", "reconciliation"]) => reconciliation::show(visit).await,
        ("GET", ["ui", "reconciliation.csv"]) => reconciliation::csv(visit).await,
        ("GET", ["ui", "changed"]) => changed::show(visit).await,
        ("POST", ["ui", "changed", name]) => changed::correct(visit, name).await,
        ("GET", ["ui", "alerts"]) => alerts::show(visit).await,
        ("POST", ["ui", "alerts", "test"]) => alerts::test(visit).await,
        ("POST", ["ui", "alerts", how @ ("mute" | "unmute")]) => {
            alerts::mute(visit, *how == "mute").await
        }
        ("POST", ["ui", "getfly"]) => overview::confirm_getfly(visit).await,
        ("GET", ["ui", "try"]) => preview::show(visit).await,
        ("POST", ["ui", "try"]) => preview::submit(visit).await,
        ("GET", _) => Err(problem::not_found("")),
        _ => Err(problem::method_not_allowed("GET")),
    }
}

/// A page about a problem; one about the configuration says how to mend it.
fn refused(config: &Config, view: &View, problem: &Problem) -> Reply {
    if problem.kind == "not-configured" {
        let setup = layout::setup(view, &config.problems);
        return Reply::page(problem.status, w::SETUP, setup);
    }
    let title = match problem.status {
        404 => w::NOT_FOUND,
        405 => w::WRONG_METHOD,
        _ => w::NOT_DONE,
    };
    let body = html! {
        section.card.narrow {
            h1 { (view.t(title)) }
            (layout::problem(view, problem))
            p { a.button href="/" { (view.t(w::BACK)) } }
        }
    };
    Reply::page(problem.status, title, body)
}

fn style(config: &Config) -> Answer {
    let mut answer = Answer::empty(200);
    answer.content_type = Some("text/css; charset=utf-8");
    answer.body = STYLE.as_bytes().to_vec();
    let keep = "public, max-age=31536000, immutable";
    secured(config, &mut answer, keep);
    answer
}

fn answer(config: &Config, view: &View, reply: Reply) -> Answer {
    let mut answer = Answer::empty(reply.status);
    if reply.status != 303 {
        let (media, body) = match &reply.table {
            Some(table) => ("text/csv; charset=utf-8", table.clone()),
            None => ("text/html; charset=utf-8", layout::document(view, &reply)),
        };
        answer.content_type = Some(media);
        answer.body = body.into_bytes();
    }
    answer.headers = reply.headers;
    secured(config, &mut answer, "no-store");
    answer
}

/// What a browser may do with an answer: show it, with our style and our forms, and nothing else.
fn secured(config: &Config, answer: &mut Answer, cache: &str) {
    let fields = [
        ("cache-control", cache),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ];
    let fields = fields
        .into_iter()
        .map(|(name, value)| (name, value.to_owned()));
    answer.headers.extend(fields);
    if config.public_https {
        let hsts = "max-age=31536000".to_owned();
        answer.headers.push(("strict-transport-security", hsts));
    }
}
