//! Routes, the API key, the rate limit, and the shapes of answers.

use super::{
    Account, Comment, Created, Demanded, GetflySettings, GetflySim, Missing, State,
    body::{given, not_found, refuse},
    list,
};
use crate::{Boxed, Broken, Request, Response, Upstream, fault::Waited, wire};
use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Success message of every create.
const CREATED: &str = "Thêm mới thành công";

impl State {
    pub(super) fn id(&self, id: i64) -> Value {
        if self.settings.ids_as_strings {
            json!(id.to_string())
        } else {
            json!(id)
        }
    }

    /// The answer to a create.
    pub(super) fn created(&self, data: Map<String, Value>) -> Response {
        let mut body = Map::new();
        body.insert("message".to_owned(), json!(CREATED));
        match self.settings.created {
            Created::Data => {
                body.insert("data".to_owned(), Value::Object(data));
            }
            Created::TopLevel => body.extend(data),
            Created::IdOnly => {
                let mut ids = data.into_iter().filter(|(key, _)| key.ends_with("id"));
                body.extend(ids.next().map(|(_, id)| ("id".to_owned(), id)));
            }
            Created::MessageOnly => {}
        }
        wire::json(self.settings.success_status, &Value::Object(body))
    }

    pub(super) fn is_user(&self, user_name: &str) -> bool {
        self.users
            .now()
            .iter()
            .any(|user| user.user_name == user_name)
    }

    fn count(&mut self, now: Timestamp) -> Result<(), Response> {
        let Some(limit) = self.settings.requests_per_second else {
            return Ok(());
        };
        let (second, count) = &mut self.second;
        if *second != now.as_second() {
            (*second, *count) = (now.as_second(), 0);
        }
        if *count >= limit {
            // ASSUMPTION: a limit exists; its numbers, body and headers are unknown.
            let refusal = wire::json(429, &json!({"message": "Too Many Requests"}));
            return Err(wire::retry_after(refusal, 1));
        }
        *count += 1;
        Ok(())
    }

    fn answer(&mut self, request: &Request, now: Timestamp) -> Result<Response, Response> {
        if let Some(refusal) = self.settings.guard.refusal(request) {
            return Err(refusal);
        }
        if wire::header(request.headers(), "x-api-key") != self.settings.api_key {
            return Err(wire::json(401, &json!({"message": "Unauthorized"})));
        }
        self.count(now)?;
        if self.settings.old_version {
            let known = request.uri().path() == "/api/v3/users";
            // ASSUMPTION: the shape of version 3's lists, as its manual shows it.
            let users = || wire::json(200, &json!({"records": [], "pagination": {"page": 1}}));
            return if known { Ok(users()) } else { Err(not_found()) };
        }
        let path = request.uri().path();
        if path == "/api/v6/accounts" && request.method() == Method::GET {
            return self.by_contact(&wire::query(request.uri()), now);
        }
        let comments = path.strip_prefix("/api/v6/accounts/");
        if let Some(id) = comments.and_then(|rest| rest.strip_suffix("/comments"))
            && request.method() == Method::POST
        {
            return self.comment(id, request.body());
        }
        let path = path.strip_prefix("/api/v6.1/");
        let path = path.ok_or_else(not_found)?;
        if request.method() == Method::GET {
            return self.read(path, &wire::query(request.uri()), now);
        }
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let content_type = wire::header(request.headers(), "content-type");
        if !content_type.starts_with("application/json") || !body.is_object() {
            return Err(wire::json(400, &json!({"message": "Bad request"})));
        }
        let is_wide = |text: String| text.chars().any(|c| u32::from(c) > 0xFFFF);
        if self.settings.fails_on_wide_text && is_wide(body.to_string()) {
            return Err(wire::json(500, &json!({"message": "Server Error"})));
        }
        match (request.method(), path) {
            (&Method::POST, "account") => self.create_account(body, now),
            (&Method::POST, "account/restore") => self.restore_account(&body),
            (&Method::POST, "sale_order") => self.create_order(body, now),
            (&Method::POST, "opportunity") => self.create_opportunity(body, now),
            // Documented for a wrong method. The plugin must never change records.
            (_, "account" | "sale_order" | "opportunity") => Err(wire::json(
                403,
                &json!({"message": "Request Method not accepted"}),
            )),
            _ => Err(not_found()),
        }
    }

    /// The answer for an absent record.
    fn missing(&self) -> Response {
        match self.settings.missing {
            Missing::NotFound => not_found(),
            Missing::Empty => wire::json(200, &json!([])),
            Missing::Page => a_page(),
        }
    }

    /// Version 6.0's list of accounts, as far as it is asked by contact persons' numbers.
    fn by_contact(&self, query: &[(String, String)], now: Timestamp) -> Result<Response, Response> {
        let name = "filtering[contact_phone:contains]";
        if !self.settings.has_version_6_0 {
            return Err(a_page());
        }
        let part = wire::find(query, name).filter(|_| self.settings.searches_contacts);
        let part = part.ok_or_else(|| refuse(name, &format!("{name} không hỗ trợ")))?;
        let has_it = |account: &&Account| account.contacts.iter().any(|text| text.contains(part));
        let present = self.accounts.all().iter();
        let present = present.filter(|a| !a.deleted && self.is_shown(a.created_at, now));
        let rows = present.filter(has_it).map(|a| self.show_account(a));
        let rest: Vec<_> = query
            .iter()
            .filter(|(key, _)| key != name)
            .cloned()
            .collect();
        list::page(&list::ACCOUNTS, &self.settings, &rest, rows.collect())
    }

    /// Version 6.0's comment at an account.
    fn comment(&mut self, id: &str, body: &[u8]) -> Result<Response, Response> {
        let mut all = self.accounts.all().iter().filter(|a| !a.deleted);
        let account = all.find(|account| account.id.to_string() == id);
        let takes = self.settings.takes_comments && self.settings.has_version_6_0;
        let account = account.filter(|_| takes);
        let account_id = account.ok_or_else(not_found)?.id;
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let content = given(&body, "content");
        let content = content.ok_or_else(|| refuse("content", "Nội dung là bắt buộc"))?;
        if self.settings.comments_need_user && body.get("user_id").is_none() {
            return Err(refuse("user_id", "Người trao đổi là bắt buộc"));
        }
        let id = self.comments.len() as i64 + 1;
        self.comments.push(Comment {
            id,
            account_id,
            content,
        });
        let answer = json!({"message": CREATED, "id": self.id(id)});
        Ok(wire::json(self.settings.success_status, &answer))
    }

    /// Whether a record that was created at `created` can be read by now.
    fn is_shown(&self, created: impl Into<Option<Timestamp>>, now: Timestamp) -> bool {
        let hidden = self.settings.shown_after;
        let by = |created| crate::clock::later(created, hidden);
        hidden.is_zero() || created.into().is_none_or(|created| by(created) <= now)
    }

    fn read(
        &self,
        path: &str,
        query: &[(String, String)],
        now: Timestamp,
    ) -> Result<Response, Response> {
        let settings = &self.settings;
        match path {
            "account" => {
                let code = wire::find(query, "account_code").unwrap_or_default();
                let found = self.accounts.with_code(code).find(|a| !a.deleted);
                let found = found.filter(|a| self.is_shown(a.created_at, now));
                let found = found.ok_or_else(|| self.missing())?;
                Ok(list::one(query, self.show_account(found)))
            }
            "sale_order" => {
                let code = wire::find(query, "order_code");
                let id = wire::find(query, "order_id").filter(|_| settings.finds_by_id);
                let found = self.orders.iter().find(|order| {
                    code == Some(&*order.order_code) || id == Some(&*order.id.to_string())
                });
                let found = found.filter(|order| self.is_shown(order.created_at, now));
                let found = found.ok_or_else(|| self.missing())?;
                Ok(list::one(query, self.show_order(found)))
            }
            "accounts" => {
                let mut present = match list::part_of(query) {
                    Some((field, part)) if !(settings.folds_marks || settings.filters_ignored) => {
                        self.accounts.perhaps_with(field, part)
                    }
                    _ => self.accounts.all().iter().collect(),
                };
                present
                    .retain(|account| !account.deleted && self.is_shown(account.created_at, now));
                let row = |at: usize| present.get(at).map(|a| self.show_account(a));
                let row = |at| row(at).unwrap_or_default();
                if present.is_sorted_by_key(|account| account.id)
                    && let Some(page) =
                        list::page_of_all(&list::ACCOUNTS, settings, query, present.len(), row)
                {
                    return Ok(page);
                }
                let present = present.into_iter();
                let rows = present.map(|account| self.show_account(account)).collect();
                list::page(&list::ACCOUNTS, settings, query, rows)
            }
            "sale_orders" => {
                let rows = self
                    .orders
                    .iter()
                    .filter(|order| self.is_shown(order.created_at, now))
                    .map(|order| self.show_order(order))
                    .collect();
                list::page(&list::SALE_ORDERS, settings, query, rows)
            }
            "users" if settings.users_refused => Err(wire::json(
                403,
                &json!({"message": "Bạn không có quyền xem người dùng"}),
            )),
            "account/count_orders_status" if settings.counts_refused => Err(wire::json(
                403,
                &json!({"message": "Bạn không có quyền xem đơn hàng"}),
            )),
            "account/count_orders_status" if settings.counts_orders => {
                let id = wire::find(query, "account_id").unwrap_or_default();
                let account = self.accounts.all().iter().find(|a| a.id.to_string() == id);
                let account = account.ok_or_else(not_found)?;
                let code = &account.account_code;
                let orders = self.orders.iter().filter(|o| o.account_code == *code);
                Ok(wire::json(
                    200,
                    &json!({
                        "total_orders_pending": orders.count(),
                        "total_orders_approved": 0,
                        "total_orders_canceled": 0,
                    }),
                ))
            }
            "product" | "products" if settings.products_refused => Err(wire::json(
                403,
                &json!({"message": "Bạn không có quyền xem sản phẩm"}),
            )),
            "product" => {
                let code = wire::find(query, "product_code").unwrap_or_default();
                let known = |known: &Vec<String>| known.iter().any(|p| p == code);
                if settings.products.as_ref().is_none_or(known) {
                    let product = json!({"product_code": code, "product_name": code});
                    return Ok(wire::json(200, &product));
                }
                Err(self.missing())
            }
            "products" => {
                let known = settings.products.iter().flatten();
                let rows = known.zip(1..).map(
                    |(code, id)| json!({"id": id, "product_code": code, "product_name": code}),
                );
                list::page(&list::PRODUCTS, settings, query, rows.collect())
            }
            "account/custom_fields" => Ok(definitions(settings, &settings.required_fields)),
            "sale_order/custom_fields" => {
                Ok(definitions(settings, &settings.required_order_fields))
            }
            "users" => {
                let rows = self
                    .users
                    .now()
                    .iter()
                    .map(|user| self.show_user(user))
                    .collect();
                list::page(&list::USERS, settings, query, rows)
            }
            _ => Err(not_found()),
        }
    }
}

/// A 404 for people.
fn a_page() -> Response {
    wire::raw(404, "text/html", b"<html><h1>404</h1></html>".to_vec())
}

/// The definitions of these fields, which are demanded.
fn definitions(settings: &GetflySettings, fields: &[String]) -> Response {
    // ASSUMPTION: definitions tell which fields are demanded, also of those that are not the tenant's own.
    let fields = fields
        .iter()
        .zip(1..)
        .map(|(name, id)| match settings.demanded {
            Demanded::Flag => json!({"id": id, "field_name": name, "is_required": 1}),
            Demanded::Rule => json!({"id": id, "field_name": name, "rules": "required|max:50"}),
            Demanded::Untold => json!({"id": id, "field_name": name}),
        });
    wire::json(200, &json!({"data": fields.collect::<Vec<_>>()}))
}

impl Upstream for GetflySim {
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>> {
        Box::pin(async move {
            let call = self.log.arrived(self.clock.now(), &request);
            let settings = self.state().settings.clone();
            let mut latency = settings.latency;
            if request.method() == Method::POST {
                latency += settings.create_latency;
            }
            if let Some(Waited(waited)) = request.extensions().get() {
                latency = latency.saturating_sub(*waited);
            }
            if !latency.is_zero() {
                tokio::time::sleep(latency).await;
            }
            let now = self.clock.now();
            let answer = self.state().answer(&request, now);
            let mut response = match answer {
                Err(refusal) => settings.refusals.of(refusal),
                Ok(response) => response,
            };
            if settings.json_as_html {
                let html = http::HeaderValue::from_static("text/html; charset=UTF-8");
                let headers = response.headers_mut();
                headers.insert(http::header::CONTENT_TYPE, html);
            }
            self.log.answered(call, response.status().as_u16());
            Ok(response)
        })
    }
}
