//! Sale orders and opportunities: creating, the total Getfly would store, and how they are shown.

use super::{
    Account, State, Sums,
    body::{given, refuse, text},
};
use crate::{Response, wire};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// A line of a stored order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// Product code.
    pub product_code: String,
    /// Product name.
    pub product_name: String,
    /// Quantity.
    pub quantity: Decimal,
    /// Per unit.
    pub price: Decimal,
    /// Discount on the line.
    pub cash_discount: Decimal,
}

impl OrderLine {
    /// Thành tiền: quantity × price − discount.
    pub fn amount(&self) -> Decimal {
        self.quantity * self.price - self.cash_discount
    }
}

/// A stored order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Number, ascending.
    pub id: i64,
    /// The caller's code; two orders may share one.
    pub order_code: String,
    /// `YYYY-MM-DD` as sent.
    pub order_date: String,
    /// Empty for an order without one.
    pub account_code: String,
    /// As given.
    pub account_name: String,
    /// As given.
    pub account_phone: String,
    /// As given.
    pub account_email: String,
    /// Login name of the executor.
    pub assigned_username: Option<String>,
    /// Its campaign.
    pub campaign_code: Option<String>,
    /// Lines.
    pub lines: Vec<OrderLine>,
    /// Discount on the whole order.
    pub discount_amount: Decimal,
    /// Tax.
    pub vat_amount: Decimal,
    /// Shipping.
    pub transport_amount: Decimal,
    /// Installation.
    pub installation_amount: Decimal,
    /// Terms.
    pub terms: Vec<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The request body.
    pub request: Value,
}

impl Order {
    /// The total that Getfly computes: Σ line amounts − discount + VAT + transport + installation.
    pub fn total(&self) -> Decimal {
        self.summed(Sums::Exact)
    }

    fn summed(&self, sums: Sums) -> Decimal {
        // ASSUMPTION: in this order.
        let line = |line: &OrderLine| match sums {
            Sums::LinesRounded => line.amount().round(),
            Sums::WholeQuantities => line.quantity.trunc() * line.price - line.cash_discount,
            Sums::Exact | Sums::NoTaxAmount => line.amount(),
        };
        let tax = match sums {
            Sums::NoTaxAmount => Decimal::ZERO,
            _ => self.vat_amount,
        };
        self.lines.iter().map(line).sum::<Decimal>() - self.discount_amount
            + tax
            + self.transport_amount
            + self.installation_amount
    }
}

/// A stored opportunity: a customer enrolled in a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opportunity {
    /// Number.
    pub id: i64,
    /// Campaign.
    pub campaign_code: String,
    /// Account, if sent.
    pub account_code: String,
    /// Who receives it.
    pub recipient_username: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// The request body.
    pub request: Value,
}

fn money(body: &Value, key: &str) -> Decimal {
    body.get(key).and_then(wire::decimal).unwrap_or_default()
}

/// An amount sent as money, else as a percentage of `of`.
fn amount(body: &Value, money_key: &str, percent_key: &str, of: Decimal) -> Decimal {
    // ASSUMPTION: money overrides the percentage when both are sent.
    match body.get(money_key).and_then(wire::decimal) {
        Some(amount) => amount,
        None => of * money(body, percent_key) / Decimal::ONE_HUNDRED,
    }
}

fn line(body: &Value) -> OrderLine {
    let (quantity, price) = (money(body, "quantity"), money(body, "price"));
    OrderLine {
        product_code: text(body, "product_code"),
        product_name: text(body, "product_name"),
        quantity,
        price,
        cash_discount: amount(body, "cash_discount", "product_sale_off", quantity * price),
    }
}

fn items<'a>(body: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    body.get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

impl State {
    pub(super) fn create_order(
        &mut self,
        body: Value,
        now: Timestamp,
    ) -> Result<Response, Response> {
        self.check_order(&body)?;
        let account = body.get("account").cloned().unwrap_or_default();
        let lines: Vec<OrderLine> = items(&body, "saved_order_details").map(line).collect();
        let sum: Decimal = lines.iter().map(OrderLine::amount).sum();
        let discount_amount = amount(&body, "discount_amount", "discount", sum);
        let id = self.orders.last().map_or(0, |order| order.id) + 1;
        let order = Order {
            id,
            order_code: given(&body, "order_code")
                .filter(|_| !self.settings.numbers_itself)
                .unwrap_or_else(|| format!("DH{id:04}")),
            order_date: text(&body, "order_date"),
            account_code: self.order_account(&account, now),
            account_name: text(&account, "account_name"),
            account_phone: text(&account, "account_phone"),
            account_email: text(&account, "account_email"),
            assigned_username: given(&body, "assigned_username"),
            campaign_code: given(&body, "campaign_code"),
            discount_amount,
            vat_amount: amount(&body, "vat_amount", "vat", sum - discount_amount),
            transport_amount: money(&body, "transport_amount"),
            installation_amount: money(&body, "installation_amount"),
            terms: items(&body, "order_terms")
                .map(|term| text(term, "term_content"))
                .collect(),
            lines,
            created_at: now,
            request: body,
        };
        // ASSUMPTION: the answer follows the sibling endpoints; the page is not retrievable.
        let mut data = Map::new();
        data.insert("order_id".to_owned(), self.id(id));
        data.insert("order_code".to_owned(), json!(order.order_code));
        self.orders.push(order);
        Ok(self.created(data))
    }

    /// The code of the account that an order belongs to, which the order may create.
    fn order_account(&mut self, account: &Value, now: Timestamp) -> String {
        let code = text(account, "account_code");
        if code.is_empty() && self.settings.order_takes_an_account {
            let first = self.accounts.all().iter().find(|a| !a.deleted);
            return first.map_or_else(String::new, |account| account.account_code.clone());
        }
        if !code.is_empty() && self.settings.renames_accounts {
            let name = given(account, "account_name");
            let mut all = self.accounts.all_mut().iter_mut();
            let named = all.find(|a| a.account_code == code && !a.deleted);
            if let (Some(account), Some(name)) = (named, name) {
                account.account_name = name;
            }
        }
        if !code.is_empty() || !self.settings.order_creates_account {
            return code;
        }
        // ASSUMPTION: v3 does this; whether v6.1 does is not known.
        let new = Account {
            account_name: text(account, "account_name"),
            phone_office: text(account, "account_phone"),
            email: text(account, "account_email"),
            ..Account::default()
        };
        self.store_account(new, now);
        let stored = self.accounts.all().last();
        stored.map_or_else(String::new, |account| account.account_code.clone())
    }

    /// Why Getfly would refuse an order. None of the words is documented.
    fn check_order(&self, body: &Value) -> Result<(), Response> {
        let settings = &self.settings;
        let code = given(body, "order_code");
        if settings.refuse_repeated_order_code
            && code.is_some_and(|code| self.orders.iter().any(|order| order.order_code == code))
        {
            return Err(refuse("order_code", "Mã đơn hàng đã tồn tại"));
        }
        let executor = given(body, "assigned_username");
        if settings.refuse_unknown_executor && executor.is_some_and(|name| !self.is_user(&name)) {
            return Err(refuse("assigned_username", "Người thực hiện không tồn tại"));
        }
        let account = body.get("account").and_then(|a| given(a, "account_code"));
        if settings.order_needs_account && account.is_none() {
            return Err(refuse("account_code", "Mã khách hàng là bắt buộc"));
        }
        self.check_refused_fields(body.get("account").unwrap_or(&Value::Null))?;
        for field in &settings.required_order_fields {
            if given(body, field).is_none() {
                return Err(refuse(field, &format!("{field} là bắt buộc")));
            }
        }
        let known = |code: String| {
            let mut known = self.accounts.with_code(&code);
            known.any(|account| !account.deleted)
        };
        if settings.refuse_unknown_account && account.is_some_and(|code| !known(code)) {
            return Err(refuse("account_code", "Mã khách hàng không hợp lệ"));
        }
        if items(body, "saved_order_details").next().is_none() {
            // ASSUMPTION: an order needs a line.
            return Err(refuse("saved_order_details", "Đơn hàng phải có sản phẩm"));
        }
        if let Some(products) = &settings.products {
            let mut lines = items(body, "saved_order_details").map(line);
            let unknown = |code: &str| !code.is_empty() && !products.iter().any(|p| p == code);
            if lines.any(|line| unknown(&line.product_code)) {
                return Err(refuse("product_code", "Mã sản phẩm không hợp lệ"));
            }
        }
        let mut lines = items(body, "saved_order_details");
        if settings.lines_need_code && lines.any(|l| given(l, "product_code").is_none()) {
            return Err(refuse("product_code", "Mã sản phẩm là bắt buộc"));
        }
        Ok(())
    }

    pub(super) fn create_opportunity(
        &mut self,
        body: Value,
        now: Timestamp,
    ) -> Result<Response, Response> {
        // Documented as required.
        for field in [
            "campaign_code",
            "account_name",
            "account_phone",
            "contact_name",
            "contact_phone",
            "recipient_username",
        ] {
            if given(&body, field).is_none() {
                return Err(refuse(field, "Trường bắt buộc"));
            }
        }
        let recipient_username = text(&body, "recipient_username");
        if !self.is_user(&recipient_username) {
            // ASSUMPTION: refused like an unknown manager.
            return Err(refuse("recipient_username", "Người nhận không hợp lệ"));
        }
        let id = self.opportunities.last().map_or(2_055_000, |last| last.id) + 1;
        let account_code = text(&body, "account_code");
        let account = self.accounts.with_code(&account_code).next();
        let mut data = Map::new();
        data.insert("id".to_owned(), self.id(id));
        data.insert(
            "account_id".to_owned(),
            json!(account.map(|a| self.id(a.id))),
        );
        data.insert("opportunity_code".to_owned(), json!(format!("CH{id}")));
        data.insert("opportunity_status".to_owned(), json!(31));
        self.opportunities.push(Opportunity {
            id,
            campaign_code: text(&body, "campaign_code"),
            account_code,
            recipient_username,
            created_at: now,
            request: body,
        });
        Ok(self.created(data))
    }

    pub(super) fn show_order(&self, order: &Order) -> Value {
        let created = self.shown_time(order.created_at);
        let account = self.accounts.with_code(&order.account_code).next();
        let account = account.filter(|_| self.settings.orders_show_account);
        let executor = order.assigned_username.as_ref();
        let executor =
            executor.and_then(|name| self.users.now().iter().find(|u| u.user_name == *name));
        let lines: Vec<Value> = order.lines.iter().map(show_line).collect();
        let plain = |value: Decimal| wire::number(value.normalize());
        json!({
            "id": self.id(order.id),
            "order_code": order.order_code,
            "real_amount": plain(order.summed(self.settings.sums)),
            "f_amount": 0,
            "discount": 0,
            "discount_amount": plain(order.discount_amount),
            "vat_amount": plain(order.vat_amount),
            "transport_amount": plain(order.transport_amount),
            "installation_amount": plain(order.installation_amount),
            "account_id": account.map(|account| self.id(account.id)),
            "account_code": order.account_code,
            "account_name": order.account_name,
            "account_phone": order.account_phone,
            "account_email": order.account_email,
            "account_address": "",
            "order_date": order.order_date,
            "created_at": created,
            "updated_at": created,
            "status": 1,
            "status_label": "Chờ duyệt",
            "payment_status": "Chưa thanh toán",
            "assigned_user": executor.map(|user| self.id(user.user_id)),
            "assigned_user_name": executor.map(|user| &user.contact_name),
            "order_details": lines,
            "order_terms": order.terms.iter().map(|t| json!({"term_content": t})).collect::<Vec<_>>(),
            "lading_code": "",
        })
    }
}

fn show_line(line: &OrderLine) -> Value {
    json!({
        "product_code": line.product_code,
        "product_name": line.product_name,
        "quantity": wire::number(line.quantity.normalize()),
        "price": wire::number(line.price.normalize()),
        "cash_discount": wire::number(line.cash_discount.normalize()),
        "amount": wire::number(line.amount().normalize()),
    })
}
