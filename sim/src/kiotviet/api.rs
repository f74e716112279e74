//! The public API over HTTP: token, authorization, the GET limit, lists and single records.

use super::{
    Branch, ChangedSince, Customer, Edition, Invoice, KiotVietSim, Pages, ScopeField, Staff, State,
    fnb::FNB_SCOPE, view,
};
use crate::{Boxed, Broken, Request, Response, Upstream, wire};
use http::Method;
use jiff::{Timestamp, civil};
use serde_json::{Value, json};
use std::{cmp::Ordering, sync::Arc};

const DEFAULT_PAGE: usize = 20;
const HOUR: i64 = 3600;

/// A request with its parts.
pub(super) struct Asked<'a> {
    pub(super) method: &'a Method,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: &'a [u8],
    pub(super) now: Timestamp,
    pub(super) pages: Pages,
    /// Whether each further page begins with the last row of the one before.
    pub(super) overlap: bool,
}

impl Asked<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        wire::find(&self.query, key)
    }

    fn is_true(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|v| v.eq_ignore_ascii_case("true"))
    }

    /// The values of an array parameter: the key repeated, or a comma list.
    fn all(&self, key: &str) -> Vec<&str> {
        let values = self.query.iter().filter(|(name, _)| name == key);
        values.flat_map(|(_, value)| value.split(',')).collect()
    }

    /// A date-time parameter; `Err` is the refusal.
    fn time(&self, key: &str) -> Result<Option<Timestamp>, Response> {
        let Some(text) = self.get(key) else {
            return Ok(None);
        };
        // ASSUMPTION: without an offset it is Vietnam time; the manual has no rule.
        let wall = || {
            text.parse::<civil::DateTime>()
                .ok()
                .and_then(wire::from_wall)
        };
        match text.parse::<Timestamp>().ok().or_else(wall) {
            Some(at) => Ok(Some(at)),
            None => Err(refuse(
                420,
                "KvValidateException",
                &format!("{key} không hợp lệ"),
            )),
        }
    }
}

/// An error in KiotViet's shape.
pub(super) fn refuse(status: u16, code: &str, message: &str) -> Response {
    wire::json(
        status,
        &json!({"responseStatus": {"errorCode": code, "message": message, "errors": []}}),
    )
}

pub(super) fn not_found() -> Response {
    // ASSUMPTION: clients show the status; the error code is invented.
    refuse(404, "KvNotFoundException", "Dữ liệu không tồn tại")
}

/// The requested page of `rows`, in a list's envelope.
pub(super) fn page<T>(
    asked: &Asked<'_>,
    rows: &[T],
    show: impl Fn(&T) -> Value,
    removed: Option<(&str, Vec<i64>)>,
) -> Response {
    let number = |key: &str| asked.get(key).and_then(|text| text.parse::<usize>().ok());
    let size = number("pageSize")
        .unwrap_or(DEFAULT_PAGE)
        .clamp(1, asked.pages.largest);
    let start = number("currentItem").unwrap_or(0);
    let (shown, rest) = rows.split_at(rows.len().min(asked.pages.largest));
    let hidden = if rest.is_empty() {
        0
    } else {
        asked.pages.hidden
    };
    let total = rows.len() + hidden;
    let shown = shown.iter().map(Some);
    let all = shown
        .chain((0..hidden).map(|_| None))
        .chain(rest.iter().map(Some));
    let again = usize::from(asked.overlap && start > 0);
    let rows = all.skip(start - again).take(size + again);
    let mut data: Vec<Value> = rows.flatten().map(show).collect();
    if asked.pages.summary && start == 0 {
        // ASSUMPTION: an importer's notes mention it, but not its members.
        data.insert(0, json!({"id": -1, "code": "", "total": 0}));
    }
    let mut body = json!({
        "total": total,
        "pageSize": size,
        "data": data,
        "timestamp": view::list_timestamp(asked.now),
    });
    if let Some((key, ids)) = removed {
        body[key] = json!(ids);
    }
    wire::json(200, &body)
}

/// A record in a list. Only the records of the page are serialised.
struct Row<'a, T> {
    record: &'a T,
    id: i64,
    name: &'a str,
    created: Timestamp,
    modified: Timestamp,
}

fn sorted<'a, T>(
    asked: &Asked<'_>,
    changed_since: ChangedSince,
    mut rows: Vec<Row<'a, T>>,
) -> Result<Vec<Row<'a, T>>, Response> {
    if let Some(from) = asked.time("lastModifiedFrom")? {
        let wall = |at| wire::from_wall(jiff::tz::Offset::UTC.to_datetime(at)).unwrap_or(at);
        match changed_since {
            ChangedSince::Honoured => rows.retain(|row| row.modified >= from),
            ChangedSince::AsWallTime => rows.retain(|row| row.modified >= wall(from)),
            ChangedSince::Ignored => {}
            ChangedSince::ChangedOnly => {
                rows.retain(|row| row.modified >= from && row.modified != row.created);
            }
            ChangedSince::Fails => return Err(refuse(500, "Exception", "lỗi hệ thống")),
            ChangedSince::Refused => {
                return Err(refuse(
                    420,
                    "KvValidateException",
                    "lastModifiedFrom không hợp lệ",
                ));
            }
        }
    }
    // ASSUMPTION: by id if no order is requested.
    let key = asked.get("orderBy").unwrap_or("id").to_ascii_lowercase();
    rows.sort_by(|a, b| {
        let order = match key.as_str() {
            "modifieddate" => a.modified.cmp(&b.modified),
            "createddate" => a.created.cmp(&b.created),
            "name" => a.name.cmp(b.name),
            _ => Ordering::Equal,
        };
        order.then(a.id.cmp(&b.id))
    });
    let direction = asked.get("orderDirection").unwrap_or("Asc");
    if direction.eq_ignore_ascii_case("desc") {
        rows.reverse();
    }
    Ok(rows)
}

impl KiotVietSim {
    fn answer(&self, request: &Request) -> Response {
        let now = self.clock.now();
        let state = &mut *self.state();
        let path = request.uri().path();
        if let Some(refusal) = state.settings.guard.refusal(request) {
            return refusal;
        }
        if path == state.settings.token_path {
            return state.token(request, now);
        }
        if let Err(refusal) = state.authorize(request, now) {
            return refusal;
        }
        if request.method() == Method::GET
            && let Err(refusal) = state.count_get(now)
        {
            return refusal;
        }
        let asked = Asked {
            method: request.method(),
            query: wire::query(request.uri()),
            body: request.body(),
            now,
            overlap: state.settings.fnb.pages_overlap,
            pages: match path.trim_matches('/') {
                "customers" | "invoices" => state.settings.pages,
                _ => Pages::default(),
            },
        };
        state.route(path, &asked).unwrap_or_else(|refusal| refusal)
    }
}

impl State {
    fn token(&mut self, request: &Request, now: Timestamp) -> Response {
        let refuse = |error: &str| wire::json(400, &json!({ "error": error }));
        let form: Vec<_> = url::form_urlencoded::parse(request.body())
            .into_owned()
            .collect();
        let get = |key| wire::find(&form, key).unwrap_or_default();
        let content_type = wire::header(request.headers(), "content-type");
        if request.method() != Method::POST
            || !content_type.starts_with("application/x-www-form-urlencoded")
        {
            return refuse("invalid_request");
        }
        if get("grant_type") != "client_credentials" {
            return refuse("unsupported_grant_type");
        }
        if get("client_id") != self.settings.client_id
            || get("client_secret") != self.settings.client_secret
        {
            return refuse("invalid_client");
        }
        // ASSUMPTION: of retail, `scopes` (manual), `scope` (other clients) and neither all work.
        let fnb = self.settings.edition == Edition::Fnb;
        let fields: &[&str] = match self.settings.fnb.scope_field {
            ScopeField::Either => &["scope", "scopes"],
            ScopeField::Scope => &["scope"],
            ScopeField::Scopes => &["scopes"],
        };
        if fnb && !fields.iter().any(|field| get(field) == FNB_SCOPE) {
            return refuse("invalid_scope");
        }
        self.numbers.token += 1;
        let token = format!("sim.{}.{}", self.settings.retailer_id, self.numbers.token);
        let life = self.settings.token_life;
        self.tokens
            .insert(token.clone(), crate::clock::later(now, life));
        wire::json(
            200,
            &json!({
                "access_token": token,
                "expires_in": life.as_secs(),
                "token_type": "Bearer",
                "scope": if fnb { FNB_SCOPE } else { "PublicApi.Access" },
            }),
        )
    }

    fn authorize(&self, request: &Request, now: Timestamp) -> Result<(), Response> {
        let retailer = wire::header(request.headers(), "retailer");
        let token = wire::header(request.headers(), "authorization").strip_prefix("Bearer ");
        let ends = token.and_then(|token| self.tokens.get(token));
        if retailer == self.settings.retailer && ends.is_some_and(|ends| *ends > now) {
            return Ok(());
        }
        Err(refuse(
            401,
            "TokenException",
            "Token không hợp lệ hoặc đã hết hạn",
        ))
    }

    fn count_get(&mut self, now: Timestamp) -> Result<(), Response> {
        let (start, count) = &mut self.gets;
        let elapsed = now.as_second() - start.as_second();
        if !(0..HOUR).contains(&elapsed) {
            (*start, *count) = (now, 0);
        }
        let left = HOUR - (now.as_second() - start.as_second());
        if *count >= self.settings.gets_per_hour {
            // ASSUMPTION: counted in fixed hours per shop; no capture has the body.
            let refusal = refuse(
                429,
                "RateLimitException",
                "Vượt quá số lượng truy vấn cho phép",
            );
            return Err(wire::retry_after(refusal, left.unsigned_abs()));
        }
        *count += 1;
        Ok(())
    }

    fn route(&mut self, path: &str, asked: &Asked<'_>) -> Result<Response, Response> {
        let mut parts = path.trim_matches('/').splitn(2, '/');
        let collection = parts.next().unwrap_or_default();
        let rest = parts.next().unwrap_or_default();
        if collection == "webhooks" {
            return Ok(self.webhooks_endpoint(asked, rest));
        }
        if asked.method != Method::GET {
            return Err(refuse(405, "NotSupportedException", "Method not allowed"));
        }
        match (collection, rest) {
            ("branches", "") if self.settings.fnb.has_no_branches => Err(not_found()),
            ("branches", "") => Ok(self.branches(asked)),
            ("users", "")
                if self.settings.edition == Edition::Fnb && !self.settings.fnb.has_users =>
            {
                Err(match self.settings.fnb.missing_as_page {
                    true => wire::raw(404, "text/html", b"<html>404</html>".to_vec()),
                    false => not_found(),
                })
            }
            ("users", "") if self.settings.users_refused => {
                Err(refuse(403, "KvAccessDeniedException", "Bạn không có quyền"))
            }
            ("users", "") => Ok(self.users(asked)),
            ("customers", "") => self.customer_list(asked),
            ("invoices", "") => self.invoice_list(asked),
            ("customers", key) => Ok(self.one_customer(key, asked.now)),
            ("invoices", key) => Ok(self.one_invoice(key, asked.now)),
            _ => Err(not_found()),
        }
    }

    fn branches(&self, asked: &Asked<'_>) -> Response {
        let id = self.settings.retailer_id;
        let removed = asked.is_true("includeRemoveIds");
        let show = |branch: &Branch| view::branch(branch, id);
        page(
            asked,
            &self.branches,
            show,
            removed.then(|| ("removedIds", Vec::new())),
        )
    }

    fn users(&self, asked: &Asked<'_>) -> Response {
        let id = self.settings.retailer_id;
        let listed = self.staff.now().iter().filter(|user| !user.is_admin);
        let rows: Vec<&Staff> = listed.collect();
        let removed = asked.is_true("includeRemoveIds");
        let show = |user: &&Staff| view::staff(user, id);
        page(
            asked,
            &rows,
            show,
            removed.then(|| ("removeIds", Vec::new())),
        )
    }

    fn customer_list(&self, asked: &Asked<'_>) -> Result<Response, Response> {
        let settings = &self.settings;
        // ASSUMPTION: `name` is searched inside, `code` and `contactNumber` are exact.
        let [code, number, name] = ["code", "contactNumber", "name"].map(|key| asked.get(key));
        let wanted = |customer: &Customer| {
            let content = &customer.content;
            let same = |asked: Option<&str>, value: &Option<String>| {
                asked.is_none_or(|v| Some(v) == value.as_deref())
            };
            same(code, &content.code)
                && same(number, &content.contact_number)
                && name.is_none_or(|v| content.name.contains(v))
        };
        let listed = !self.settings.lists_are_empty;
        let rows = self.customers.values();
        let rows = rows.filter(|c| listed && !c.deleted && wanted(c));
        let rows = rows
            .map(|customer| Row {
                record: customer,
                id: customer.id,
                name: &customer.content.name,
                created: customer.created_at,
                modified: customer.modified_at,
            })
            .collect();
        let from = asked.time("lastModifiedFrom")?;
        let removed = from
            .filter(|_| asked.is_true("includeRemoveIds"))
            .map(|from| {
                let gone = self
                    .customers
                    .values()
                    .filter(|c| c.deleted && c.modified_at >= from);
                ("removeId", gone.map(|customer| customer.id).collect())
            });
        let show = |row: &Row<'_, Customer>| view::customer(row.record, settings);
        Ok(page(
            asked,
            &sorted(asked, ChangedSince::Honoured, rows)?,
            show,
            removed,
        ))
    }

    /// The answer for an absent record of this kind.
    fn missing(&self, kind: &str) -> Response {
        if self.settings.missing_is_420 {
            let words = format!("{kind} không tồn tại");
            return refuse(420, "KvValidateException", &words);
        }
        if self.settings.missing_is_text {
            return wire::raw(404, "text/plain", b"404 page not found".to_vec());
        }
        not_found()
    }

    /// Whether a record that was created at `created` can be read by now.
    fn is_shown(&self, created: Timestamp, now: Timestamp) -> bool {
        let hidden = self.settings.shown_after;
        hidden.is_zero() || crate::clock::later(created, hidden) <= now
    }

    fn one_customer(&self, key: &str, now: Timestamp) -> Response {
        let present = || self.customers.values().filter(|c| !c.deleted);
        let found = match key.strip_prefix("code/") {
            Some(code) => present().find(|c| c.content.code.as_deref() == Some(&*decoded(code))),
            None => {
                let found = key.parse().ok().and_then(|id: i64| self.customers.get(&id));
                found.filter(|c| !c.deleted)
            }
        };
        let found = found.filter(|customer| self.is_shown(customer.created_at, now));
        let missing = || self.missing("Khách hàng");
        found.map_or_else(missing, |customer| {
            wire::json(200, &view::customer(customer, &self.settings))
        })
    }

    fn invoice_list(&self, asked: &Asked<'_>) -> Result<Response, Response> {
        let to = asked.time("toDate")?;
        let day = |at: Timestamp| wire::wall(at).date();
        let first = asked.time("fromPurchaseDate")?.map(day);
        let last = asked.time("toPurchaseDate")?.map(day);
        let any = |key: &str, value: Option<String>| {
            let wanted = asked.all(key);
            wanted.is_empty() || value.is_some_and(|value| wanted.contains(&&*value))
        };
        let wanted = |invoice: &Invoice| {
            let bought = day(invoice.purchased_at);
            !self.settings.lists_are_empty
                && to.is_none_or(|to| invoice.modified_at <= to)
                && first.is_none_or(|first| bought >= first)
                && last.is_none_or(|last| bought <= last)
                && any("status", Some(invoice.status.to_string()))
                && any(
                    "customerIds",
                    invoice.content.customer_id.map(|id| id.to_string()),
                )
        };
        let shown = view::Shown {
            payments: asked.is_true("includePayment"),
            delivery: asked.is_true("includeInvoiceDelivery"),
        };
        let rows = self.invoices.values().filter(|invoice| wanted(invoice));
        let rows = rows
            .map(|invoice| Row {
                record: invoice,
                id: invoice.id,
                name: &invoice.code,
                created: invoice.created_at,
                modified: invoice.modified_at,
            })
            .collect();
        let fnb = &self.settings.fnb;
        let show = |row: &Row<'_, Invoice>| {
            let mut members = view::invoice(self, row.record, shown);
            if fnb.rows_look_sold {
                members["status"] = 1.into();
                members["statusValue"] = "Hoàn thành".into();
            }
            members
        };
        let mut rows = sorted(asked, fnb.changed_since, rows)?;
        if fnb.order_ignored {
            rows.sort_by_key(|row| row.id);
        }
        Ok(page(asked, &rows, show, None))
    }

    fn one_invoice(&self, key: &str, now: Timestamp) -> Response {
        let found = match key.strip_prefix("code/") {
            Some(code) => self.invoices.values().find(|i| i.code == decoded(code)),
            None => key.parse().ok().and_then(|id: i64| self.invoices.get(&id)),
        };
        let shown = view::Shown {
            payments: true,
            delivery: true,
        };
        let found = found.filter(|invoice| self.is_shown(invoice.created_at, now));
        let missing = || self.missing("Hóa đơn");
        found.map_or_else(missing, |invoice| {
            wire::json(200, &view::invoice(self, invoice, shown))
        })
    }
}

/// A percent-encoded path segment as text; `+` stays a plus.
fn decoded(segment: &str) -> String {
    let query = format!("x={}", segment.replace('+', "%2B"));
    url::form_urlencoded::parse(query.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

impl Upstream for KiotVietSim {
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>> {
        Box::pin(async move {
            let call = self.log.arrived(self.clock.now(), &request);
            let response = self.answer(&request);
            self.log.answered(call, response.status().as_u16());
            Ok(response)
        })
    }
}

/// Several shops behind one address, as on the real KiotViet: the `client_id` or the `Retailer`
/// header names the shop of a request. The first shop refuses a request that belongs to none.
pub struct Clouds(Vec<Arc<KiotVietSim>>);

impl Clouds {
    /// Takes at least one shop.
    pub fn new(
        first: Arc<KiotVietSim>,
        others: impl IntoIterator<Item = Arc<KiotVietSim>>,
    ) -> Self {
        Self(std::iter::once(first).chain(others).collect())
    }

    fn owner(&self, request: &Request) -> Option<&Arc<KiotVietSim>> {
        let retailer = wire::header(request.headers(), "retailer");
        let mut form = url::form_urlencoded::parse(request.body());
        let client = form.find(|(key, _)| key == "client_id");
        let client = client.map(|(_, value)| value.into_owned());
        // Each edition has its own address, and shop names of its own.
        let host = request.uri().host();
        let fnb = host.map(|host| host.contains("fnb"));
        let here = |shop: &&Arc<KiotVietSim>| {
            fnb.is_none_or(|fnb| fnb == (shop.settings().edition == Edition::Fnb))
        };
        let owner = self.0.iter().filter(here).find(|shop| {
            let settings = shop.settings();
            if request.uri().path() == settings.token_path {
                client.as_ref() == Some(&settings.client_id)
            } else {
                retailer == settings.retailer
            }
        });
        owner.or(self.0.iter().find(here))
    }
}

impl Upstream for Clouds {
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>> {
        Box::pin(async move {
            match self.owner(&request) {
                Some(shop) => shop.handle(request).await,
                // No shop of this edition.
                None => Ok(wire::json(400, &json!({"error": "invalid_client"}))),
            }
        })
    }
}
