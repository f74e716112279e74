//! The client of KiotViet's public API (manual, sections 2.1 to 2.12). One method asks one
//! question. It neither retries nor renews its token.

use crate::{
    assumption::Assumption,
    json,
    kiotviet::{
        assumptions::{
            CUSTOMER_WORDS, FNB_TOKEN_SCOPE, FNB_TOKEN_SCOPE_FIELDS, INVOICE_WORDS, LIST_ORDER,
            MAX_PAGES, PAGE_SIZE, RETAILER_HEADER, SHOP_HOURS_AHEAD, TOKEN_SCOPE,
            TOKEN_SCOPE_FIELD, TOKEN_SECONDS, modified_from,
        },
        error::{
            KiotVietError, Origin, read, read_existing, read_offered, read_record,
            read_token_answer,
        },
        fields::{ANOTHER_RECORD, FieldError, Fields},
        records::{self, Listed, Webhook},
        shape::shape,
        time::has_offset,
    },
    rules::{
        codes::{Edition, RetailerId},
        model::{Customer, Invoice, KiotVietUser},
    },
    secret::Secret,
    time::{Date, Timestamp},
    vendor::{
        body::is_page_for_nothing,
        encoding::{form, percent_encode},
    },
    world::{Http, Method, OUTBOUND_TIMEOUT, Request, Response},
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// Where KiotViet is; origins without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `https://public.kiotapi.com`.
    pub api_url: String,
    /// `https://id.kiotviet.vn`.
    pub auth_url: String,
    /// `/connect/token`.
    pub token_path: String,
    /// Whose API it is.
    pub edition: Edition,
}

/// What a shop's administrator finds under "Thiết lập kết nối API".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The shop's name, as in its log-in address.
    pub retailer: RetailerId,
    /// ClientId.
    pub client_id: String,
    /// Mã bảo mật.
    pub client_secret: Secret,
}

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// For the header `authorization: Bearer`.
    pub access_token: Secret,
    /// Its life from now.
    pub expires_in_seconds: u64,
}

/// Asks for a token (manual 2.1). Wrong credentials are [`KiotVietError::CredentialsRefused`] in
/// KiotViet's own words.
pub async fn fetch_token(
    http: &impl Http,
    settings: &Settings,
    credentials: &Credentials,
) -> Result<Token, KiotVietError> {
    let mut fields = match settings.edition {
        Edition::Retail => vec![(TOKEN_SCOPE_FIELD, TOKEN_SCOPE)],
        Edition::Fnb => FNB_TOKEN_SCOPE_FIELDS
            .map(|field| (field, FNB_TOKEN_SCOPE))
            .to_vec(),
    };
    fields.extend([
        ("grant_type", "client_credentials"),
        ("client_id", &credentials.client_id),
        ("client_secret", credentials.client_secret.reveal()),
    ]);
    let body = form(&fields);
    let request = Request {
        method: Method::Post,
        url: format!("{}{}", settings.auth_url, settings.token_path),
        endpoint: "KiotViet POST /connect/token",
        headers: vec![
            (
                "content-type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
            ("accept", "application/json".to_owned()),
        ],
        body: body.into_bytes(),
        timeout: OUTBOUND_TIMEOUT,
    };
    let response = http.send(request).await;
    let response =
        response.map_err(|e| KiotVietError::unanswered(e, Origin::auth(settings.edition)))?;
    let answer = read_token_answer(&response)?;

    let fields = Fields::of(&answer, "answer")?;
    let token = fields.text("access_token")?;
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        // The token goes into a header.
        return Err(FieldError::missing("access_token").into());
    }
    let seconds = fields.integer("expires_in")?;
    Ok(Token {
        access_token: Secret::new(token),
        expires_in_seconds: seconds
            .map_or(TOKEN_SECONDS, |seconds| u64::try_from(seconds).unwrap_or(0)),
    })
}

/// The two parameters that order a list.
type Order = [(&'static str, &'static str); 2];
/// Newest records first.
const NEWEST: Order = [("orderBy", "id"), ("orderDirection", "Desc")];
/// The order in which no change between two pages lets a record pass unseen.
const BY_ID: Order = [("orderBy", LIST_ORDER), ("orderDirection", "Asc")];
/// The last change first.
const BY_LAST_CHANGE: Order = [("orderBy", "modifiedDate"), ("orderDirection", "Desc")];
/// How many of the newest invoices are looked at before the first sale.
pub const NEWEST_INVOICES: usize = 50;
/// How many pages are read for them.
const NEWEST_PAGES: usize = 3;

/// One page of a list of customers or invoices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its records; an empty page may come before the last.
    pub items: Vec<Listed>,
    /// How many records the whole list has.
    pub total: u64,
    /// The offset of the next page; none after the last.
    pub next_offset: Option<u64>,
}

/// One shop's API.
#[derive(Debug)]
pub struct KiotViet<'a, H> {
    /// The way out.
    pub http: &'a H,
    /// Where KiotViet is.
    pub settings: &'a Settings,
    /// The shop whose data is read.
    pub retailer: &'a RetailerId,
    /// From [`fetch_token`].
    pub token: Secret,
}

impl<H: Http> KiotViet<'_, H> {
    /// The customer with this id, or none (manual 2.6.2).
    pub async fn customer(&self, id: i64) -> Result<Option<Customer>, KiotVietError> {
        let path = format!("/customers/{id}");
        let answer = self.get("KiotViet GET /customers/{id}", &path, &[]).await?;
        let value = self.one(&answer, "/customers", &CUSTOMER_WORDS).await?;
        self.saw_record(&answer, value.as_ref());
        record(value.map(|value| records::customer(id, &value)))
    }

    /// The invoice with this id, or none (manual 2.12.2).
    pub async fn invoice(&self, id: i64) -> Result<Option<Invoice>, KiotVietError> {
        let path = format!("/invoices/{id}");
        let answer = self.get("KiotViet GET /invoices/{id}", &path, &[]).await?;
        let value = self.one(&answer, "/invoices", &INVOICE_WORDS).await?;
        self.saw_record(&answer, value.as_ref());
        if let Some(value) = value
            .as_ref()
            .filter(|_| self.settings.edition == Edition::Fnb)
        {
            self.http.shaped(shape(value));
        }
        record(value.map(|value| records::invoice(id, &value, self.settings.edition)))
    }

    /// What the answer to a read of one record means, whose kind has this list and is named by these
    /// words. A server may show a page where a record is missing; so does a proxy where the whole
    /// API is. Then the list decides.
    async fn one(
        &self,
        answer: &Response,
        list: &'static str,
        words: &[&str],
    ) -> Result<Option<Value>, KiotVietError> {
        if is_page_for_nothing(answer) {
            self.may_read(list).await?;
            return Ok(None);
        }
        read_record(answer, words)
    }

    /// Reports what a read of one record by its id shows.
    fn saw_record(&self, answer: &Response, record: Option<&Value>) {
        let Some(record) = record else {
            self.http.saw(Assumption::GoneRecord, answer.status == 404);
            return;
        };
        let Ok(fields) = Fields::of(record, "record") else {
            return;
        };
        if let Ok(created) = fields.text("createdDate")
            && !created.is_empty()
        {
            self.http
                .saw(Assumption::KiotVietTimes, !has_offset(created.trim()));
        }
        let location = fields.text("locationName").unwrap_or_default();
        // A province alone proves nothing: there are no districts since July 2025.
        if location.contains(" - ") || location.contains(',') {
            let assumed = !location.contains(',');
            self.http.saw(Assumption::LocationName, assumed);
        }
    }

    /// The invoice with this code, or none (manual 2.12.2).
    pub async fn invoice_by_code(&self, code: &str) -> Result<Option<Invoice>, KiotVietError> {
        if matches!(code, "" | "." | "..") {
            // As a path segment, this code would be another address.
            return Ok(None);
        }
        let path = format!("/invoices/code/{}", percent_encode(code));
        let answer = self
            .get("KiotViet GET /invoices/code/{code}", &path, &[])
            .await?;
        let value = self.one(&answer, "/invoices", &INVOICE_WORDS).await?;
        let invoice =
            record(value.map(|value| records::any_invoice(&value, self.settings.edition)))?;
        match invoice {
            Some(other) if !other.code.as_str().eq_ignore_ascii_case(code) => Err(FieldError {
                field: "code",
                problem: ANOTHER_RECORD,
            }
            .into()),
            invoice => Ok(invoice),
        }
    }

    /// Every user that KiotViet lists; admins are not among them (manual 2.8).
    pub async fn users(&self) -> Result<Vec<KiotVietUser>, KiotVietError> {
        let mut users = self
            .every("KiotViet GET /users", "/users", records::user)
            .await?;
        let mut seen = BTreeSet::new();
        users.retain(|user| seen.insert(user.id));
        Ok(users)
    }

    /// How many branches the shop has, from one page of them (manual 2.7); none where its edition
    /// does not list them. It proves that the credentials open this shop (R1); without branches, the
    /// list of invoices does.
    pub async fn branches(&self) -> Result<Option<u64>, KiotVietError> {
        match self
            .page("KiotViet GET /branches", "/branches", &[], 0)
            .await
        {
            Err(KiotVietError::NotOffered) => {
                self.may_read("/invoices").await?;
                Ok(None)
            }
            page => Ok(Some(page?.total)),
        }
    }

    /// Checks that this list may be read.
    pub async fn may_read(&self, path: &'static str) -> Result<(), KiotVietError> {
        let endpoint = match path {
            "/customers" => "KiotViet GET /customers",
            "/invoices" => "KiotViet GET /invoices",
            "/users" => "KiotViet GET /users",
            _ => "KiotViet GET /webhooks",
        };
        let answer = self.get(endpoint, path, &[("pageSize", "1")]).await?;
        read_existing(&answer).map(|_| ())
    }

    /// The phones of the newest customers on the first page who have one.
    pub async fn newest_phones(&self) -> Result<Vec<String>, KiotVietError> {
        let page = self
            .page("KiotViet GET /customers", "/customers", &NEWEST, 0)
            .await?;
        let phones = page.data.iter().filter_map(|value| {
            let fields = Fields::of(value, "data").ok()?;
            let phone = fields.text("contactNumber").ok()?;
            (!phone.is_empty()).then_some(phone)
        });
        Ok(phones.collect())
    }

    /// The invoices that were sold on `day`, each once, and the codes of those that cannot be read. KiotViet filters
    /// by day; it is looked at again here.
    pub async fn invoices_of(
        &self,
        day: Date,
    ) -> Result<(Vec<Invoice>, BTreeSet<String>), KiotVietError> {
        // Its upper bound may be the midnight at which that day begins.
        let [from, to] = [day, day.next().unwrap_or(day)].map(|day| day.to_string());
        let filter = [
            ("fromPurchaseDate", from.as_str()),
            ("toPurchaseDate", to.as_str()),
        ];
        let (mut invoices, mut offset) = (Vec::<Invoice>::new(), 0);
        let mut unreadable = BTreeSet::new();
        for _ in 0..MAX_PAGES {
            let page = self
                .page("KiotViet GET /invoices", "/invoices", &filter, offset)
                .await?;
            for value in &page.data {
                let invoice = match records::any_invoice(value, self.settings.edition) {
                    Ok(invoice) => invoice,
                    Err(_) => {
                        unreadable.extend(records::code_of_invoice(value));
                        continue;
                    }
                };
                let is_new = invoices.iter().all(|one| one.id != invoice.id);
                if invoice.purchase_date == Some(day) && is_new {
                    invoices.push(invoice);
                }
            }
            match page.next {
                Some(next) => offset = next,
                None => return Ok((invoices, unreadable)),
            }
        }
        Err(KiotVietError::garbled("the list does not end"))
    }

    /// Ids and codes of the customers whom KiotViet finds by `code` or `contactNumber`.
    pub async fn customers_by(
        &self,
        field: &'static str,
        value: &str,
    ) -> Result<Vec<(i64, String)>, KiotVietError> {
        let page = self
            .page(
                "KiotViet GET /customers",
                "/customers",
                &[(field, value)],
                0,
            )
            .await?;
        let found = page.data.iter().filter_map(|value| {
            let fields = Fields::of(value, "data").ok()?;
            Some((fields.integer("id").ok()??, fields.text("code").ok()?))
        });
        Ok(found.collect())
    }

    /// The newest invoices: at most [`NEWEST_INVOICES`] of the first pages. An unreadable one is
    /// left out.
    pub async fn newest_invoices(&self) -> Result<Vec<Invoice>, KiotVietError> {
        let (mut invoices, mut offset) = (Vec::new(), 0);
        for _ in 0..NEWEST_PAGES {
            let page = self
                .page("KiotViet GET /invoices", "/invoices", &NEWEST, offset)
                .await?;
            let edition = self.settings.edition;
            let read = page.data.iter();
            let read = read.map(|value| records::any_invoice(value, edition));
            invoices.extend(read.filter_map(Result::ok));
            match page.next {
                Some(next) if invoices.len() < NEWEST_INVOICES => offset = next,
                _ => break,
            }
        }
        invoices.truncate(NEWEST_INVOICES);
        Ok(invoices)
    }

    /// Every registered webhook, ours or not (manual 2.11.2).
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, KiotVietError> {
        let mut webhooks = self
            .every(
                "KiotViet GET /webhooks",
                "/webhooks",
                records::listed_webhook,
            )
            .await?;
        let mut seen = BTreeSet::new();
        webhooks.retain(|webhook| seen.insert(webhook.id));
        Ok(webhooks)
    }

    /// Registers one type (`customer.update`) to be delivered to `url`, signed with `secret`
    /// (manual 2.11.1).
    pub async fn register_webhook(
        &self,
        kind_type: &str,
        url: &str,
        secret: &Secret,
        description: &str,
    ) -> Result<Webhook, KiotVietError> {
        let webhook = NewWebhook {
            description,
            is_active: true,
            secret: secret.reveal(),
            kind: kind_type,
            url,
        };
        let body = WebhookBody { webhook };
        let mut request = self.request(Method::Post, "KiotViet POST /webhooks", "/webhooks");
        let media_type = "application/json".to_owned();
        request.headers.push(("content-type", media_type));
        request.body = json::text(&body);
        let answer = read_existing(&self.send(request).await?)?;
        Ok(records::webhook(&answer)?)
    }

    /// Removes a registration (manual 2.11.4). An unknown id counts as removed.
    pub async fn delete_webhook(&self, id: i64) -> Result<(), KiotVietError> {
        let path = format!("/webhooks/{id}");
        let request = self.request(Method::Delete, "KiotViet DELETE /webhooks/{id}", &path);
        let response = self.send(request).await?;
        if matches!(response.status, 200..=299) && response.body.trim_ascii().is_empty() {
            return Ok(());
        }
        read(&response).map(|_| ())
    }

    /// One page of the customers changed since `from`, starting at record `offset` (manual 2.6.1).
    /// Changes between two pages do not disturb the order: a record may come twice, none is
    /// skipped. The window may start hours before `from`, never after it.
    pub async fn customers_modified_since(
        &self,
        from: Timestamp,
        offset: u64,
    ) -> Result<Page, KiotVietError> {
        let list = ("KiotViet GET /customers", "/customers");
        self.modified_since(list, from, BY_ID, offset).await
    }

    /// The same for invoices (manual 2.12.1).
    pub async fn invoices_modified_since(
        &self,
        from: Timestamp,
        offset: u64,
    ) -> Result<Page, KiotVietError> {
        let list = ("KiotViet GET /invoices", "/invoices");
        self.modified_since(list, from, BY_ID, offset).await
    }

    /// The same, the last change first.
    pub async fn newest_invoices_modified_since(
        &self,
        from: Timestamp,
        offset: u64,
    ) -> Result<Page, KiotVietError> {
        let list = ("KiotViet GET /invoices", "/invoices");
        self.modified_since(list, from, BY_LAST_CHANGE, offset)
            .await
    }

    /// One page of the invoices that were sold on the day of `from` in Vietnam or later, the newest first.
    pub async fn newest_invoices_sold_since(
        &self,
        from: Timestamp,
        offset: u64,
    ) -> Result<Page, KiotVietError> {
        let day = from
            .to_wall(SHOP_HOURS_AHEAD)
            .map(|wall| wall.date().to_string());
        let day = day.unwrap_or_default();
        let [by, direction] = NEWEST;
        let filter = [("fromPurchaseDate", day.as_str()), by, direction];
        self.listed("KiotViet GET /invoices", "/invoices", &filter, offset)
            .await
    }

    async fn modified_since(
        &self,
        (endpoint, path): (&'static str, &str),
        from: Timestamp,
        [by, direction]: Order,
        offset: u64,
    ) -> Result<Page, KiotVietError> {
        let from = modified_from(from);
        let filter = [("lastModifiedFrom", from.as_str()), by, direction];
        self.listed(endpoint, path, &filter, offset).await
    }

    async fn listed(
        &self,
        endpoint: &'static str,
        path: &str,
        filter: &[(&str, &str)],
        offset: u64,
    ) -> Result<Page, KiotVietError> {
        let page = self.page(endpoint, path, filter, offset).await?;
        let edition = self.settings.edition;
        let listed = page.data.iter();
        let listed = listed.filter_map(|row| records::listed(row, edition));
        let items: Vec<Listed> = listed.collect();
        // An empty list is no news, so one of which nothing can be read must not look like it.
        if items.is_empty() && page.data.iter().any(records::has_unreadable_id) {
            return Err(FieldError::missing("id").into());
        }
        Ok(Page {
            items,
            total: page.total,
            next_offset: page.next,
        })
    }

    /// Every record of a list.
    async fn every<T>(
        &self,
        endpoint: &'static str,
        path: &str,
        record: impl Fn(&Value) -> Result<Option<T>, FieldError>,
    ) -> Result<Vec<T>, KiotVietError> {
        let (mut records, mut offset) = (Vec::new(), 0);
        for _ in 0..MAX_PAGES {
            let page = self.page(endpoint, path, &[], offset).await?;
            for value in &page.data {
                records.extend(record(value)?);
            }
            match page.next {
                Some(next) => offset = next,
                None => return Ok(records),
            }
        }
        Err(KiotVietError::garbled("the list does not end"))
    }

    async fn page(
        &self,
        endpoint: &'static str,
        path: &str,
        filter: &[(&str, &str)],
        offset: u64,
    ) -> Result<RawPage, KiotVietError> {
        let (size, offset_text) = (PAGE_SIZE.to_string(), offset.to_string());
        let mut query = vec![
            ("pageSize", size.as_str()),
            ("currentItem", offset_text.as_str()),
        ];
        query.extend(filter);
        let answer = self.get(endpoint, path, &query).await?;
        let answer = match (self.settings.edition, path) {
            (Edition::Fnb, "/users" | "/branches") => read_offered(&answer)?,
            _ => read_existing(&answer)?,
        };
        let page = RawPage::read(&answer, offset)?;
        if let Some(next) = page.next {
            let size = next.saturating_sub(offset);
            self.http.saw(Assumption::KiotVietPages, size == PAGE_SIZE);
        }
        Ok(page)
    }

    async fn get(
        &self,
        endpoint: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Response, KiotVietError> {
        let mut request = self.request(Method::Get, endpoint, path);
        if !query.is_empty() {
            request.url.push('?');
            request.url.push_str(&form(query));
        }
        self.send(request).await
    }

    async fn send(&self, request: Request) -> Result<Response, KiotVietError> {
        let answer = self.http.send(request).await;
        answer.map_err(|e| KiotVietError::unanswered(e, Origin::api(self.settings.edition)))
    }

    fn request(&self, method: Method, endpoint: &'static str, path: &str) -> Request {
        Request {
            method,
            url: format!("{}{path}", self.settings.api_url),
            endpoint,
            headers: vec![
                (RETAILER_HEADER, self.retailer.name().to_owned()),
                ("authorization", format!("Bearer {}", self.token.reveal())),
                ("accept", "application/json".to_owned()),
            ],
            body: Vec::new(),
            timeout: OUTBOUND_TIMEOUT,
        }
    }
}

/// A record as it was read. An unreadable one will stay unreadable, unless it is another record
/// than the one that was asked for.
fn record<T>(read: Option<Result<T, FieldError>>) -> Result<Option<T>, KiotVietError> {
    read.transpose().map_err(|error| match error.problem {
        ANOTHER_RECORD => error.into(),
        _ => KiotVietError::Unreadable {
            what: error.to_string(),
            field: Some(error.field.to_owned()),
        },
    })
}

/// `{total, pageSize, data}` (manual, section 2.4).
struct RawPage {
    data: Vec<Value>,
    total: u64,
    next: Option<u64>,
}

impl RawPage {
    /// The next offset follows KiotViet's own page size. It may be smaller than the size asked for,
    /// and a page may hold fewer records than that without being the last. Where it is not told, the
    /// offset follows the rows that came.
    fn read(answer: &Value, offset: u64) -> Result<Self, FieldError> {
        let fields = Fields::of(answer, "answer")?;
        let data = fields.array("data")?.ok_or(FieldError::missing("data"))?;
        let own_size = fields
            .integer("pageSize")?
            .and_then(|size| u64::try_from(size).ok());
        let own_size = own_size.filter(|&size| size > 0);
        let full = own_size.unwrap_or(PAGE_SIZE).min(PAGE_SIZE);
        let rows = u64::try_from(data.len()).unwrap_or(u64::MAX);
        let step = match own_size {
            None if (1..full).contains(&rows) => rows,
            _ => full,
        };
        let next = offset.saturating_add(step);
        let seen = offset.saturating_add(rows);
        let told = fields
            .integer("total")?
            .and_then(|total| u64::try_from(total).ok());
        // Without a total, only a full page promises another one.
        let total = told.unwrap_or(if rows >= full {
            seen.saturating_add(1)
        } else {
            seen
        });
        Ok(Self {
            data: data.to_vec(),
            total: told.unwrap_or(seen),
            next: (next < total).then_some(next),
        })
    }
}

/// The body of `POST /webhooks`, its members in alphabetical order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WebhookBody<'a> {
    webhook: NewWebhook<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NewWebhook<'a> {
    description: &'a str,
    is_active: bool,
    secret: &'a str,
    #[serde(rename = "Type")]
    kind: &'a str,
    url: &'a str,
}

#[cfg(test)]
mod tests;
