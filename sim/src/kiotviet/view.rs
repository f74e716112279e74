//! How KiotViet serialises its records: REST answers (camelCase, Vietnam time without offset) and
//! webhook payloads (offset, fewer members). A null member is absent in both.

use super::{
    Casing, Edition, Settings, State, Times,
    records::{Branch, Customer, Invoice, Line, Staff},
};
use crate::wire::{dotnet, number, wall, without_nulls};
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// Prefix and suffix of the .NET type name that every payload begins with.
const TYPE_PREFIX: &str = "KiotViet.OmniChannelCore.Api.Shared.Model.";
const TYPE_SUFFIX: &str = ", KiotViet.OmniChannelCore.Api.Shared";

fn rest_time(at: Timestamp, times: Times) -> String {
    match times {
        Times::Bare => dotnet(wall(at)),
        Times::WithOffset => hook_time(at),
        Times::Utc => dotnet(jiff::tz::Offset::UTC.to_datetime(at)),
        Times::WholeSeconds => wall(at).strftime("%Y-%m-%dT%H:%M:%S").to_string(),
    }
}

/// Follows the code and the name of a deleted record.
const DELETED: &str = "{DEL}";

/// A text with the mark of a deletion.
fn marked(text: &str, is_deleted: bool) -> String {
    let mark = if is_deleted { DELETED } else { "" };
    format!("{text}{mark}")
}

fn hook_time(at: Timestamp) -> String {
    with_offset(wall(at))
}

fn with_offset(at: civil::DateTime) -> String {
    format!("{}+07:00", dotnet(at))
}

/// A REST list's `timestamp` has the offset.
pub(super) fn list_timestamp(at: Timestamp) -> String {
    hook_time(at)
}

/// Money inside REST lines: integral amounts come as `149000.0`.
fn rest_money(value: Decimal) -> Value {
    let mut value = value.normalize();
    if value.scale() == 0 {
        value.rescale(1);
    }
    number(value)
}

/// Everywhere else an integral amount has no fraction.
fn plain(value: Decimal) -> Value {
    number(value.normalize())
}

fn invoice_status(status: u8) -> &'static str {
    match status {
        1 => "Hoàn thành",
        2 => "Đã hủy",
        5 => "Không giao được",
        _ => "Đang xử lý",
    }
}

pub(super) fn staff(user: &Staff, retailer_id: i64) -> Value {
    without_nulls(json!({
        "id": user.id,
        "userName": user.user_name,
        "givenName": user.given_name,
        "mobilePhone": user.mobile_phone,
        "address": "",
        "email": "",
        "retailerId": retailer_id,
        "createdDate": "2024-01-02T08:00:00.0000000",
    }))
}

pub(super) fn branch(branch: &Branch, retailer_id: i64) -> Value {
    json!({
        "id": branch.id,
        "branchName": branch.name,
        "branchCode": format!("CN{}", branch.id),
        "address": "",
        "contactNumber": "",
        "retailerId": retailer_id,
        "createdDate": "2024-01-02T08:00:00.0000000",
    })
}

pub(super) fn customer(customer: &Customer, settings: &Settings) -> Value {
    let (retailer_id, times) = (settings.retailer_id, settings.times);
    let content = &customer.content;
    without_nulls(json!({
        "id": customer.id,
        "code": content.code,
        "name": content.name,
        "gender": content.gender,
        "birthDate": content.birth_date.map(|date| dotnet(date.at(0, 0, 0, 0))),
        "contactNumber": content.contact_number,
        "address": content.address,
        "locationName": content.location_name,
        "wardName": content.ward_name,
        "email": content.email,
        "organization": content.organization,
        "taxCode": content.tax_code,
        "comments": content.comments,
        "type": u8::from(content.company),
        "retailerId": retailer_id,
        "modifiedDate": rest_time(customer.modified_at, times),
        "createdDate": (!settings.no_created_date).then(|| rest_time(customer.created_at, times)),
    }))
}

/// Manual 2.11.3: no `CreatedDate`.
pub(super) fn customer_payload(customer: &Customer, casing: Casing) -> String {
    let content = &customer.content;
    let members = json!({
        "id": customer.id,
        "code": content.code,
        "name": content.name,
        "gender": content.gender,
        "birthDate": content.birth_date.map(|date| with_offset(date.at(0, 0, 0, 0))),
        "contactNumber": content.contact_number,
        "address": content.address,
        "locationName": content.location_name,
        "email": content.email,
        "modifiedDate": hook_time(customer.modified_at),
        "type": u8::from(content.company),
        "organization": content.organization,
        "taxCode": content.tax_code,
        "comments": content.comments,
    });
    payload("WebhookCustomerUpdateRes", members, casing)
}

/// The parties of an invoice: branch, seller, customer.
fn parties(state: &State, invoice: &Invoice) -> Map<String, Value> {
    let content = &invoice.content;
    let branch = content
        .branch_id
        .and_then(|id| state.branches.iter().find(|branch| branch.id == id))
        .or(state.branches.first());
    let seller = content
        .sold_by
        .and_then(|id| state.staff.now().iter().find(|user| user.id == id));
    let customer = content.customer_id.and_then(|id| state.customers.get(&id));
    let gone = customer.is_some_and(|c| c.deleted && state.settings.marks_deleted);
    let code = customer.and_then(|customer| customer.content.code.as_ref());
    object(json!({
        "branchId": branch.map(|branch| branch.id),
        "branchName": branch.map(|branch| &branch.name),
        "soldById": content.sold_by,
        "soldByName": seller.map(|user| &user.given_name),
        "customerId": content.customer_id,
        "customerCode": code.map(|code| marked(code, gone)),
        "customerName": customer.map(|customer| marked(&customer.content.name, gone)),
    }))
}

fn amounts(invoice: &Invoice) -> Map<String, Value> {
    let content = &invoice.content;
    let total = content.total();
    object(json!({
        "total": plain(total),
        "totalPayment": plain(content.total_payment.unwrap_or(total)),
        "discount": content.discount.map(plain),
        "discountRatio": content.discount_ratio.map(plain),
        "status": invoice.status,
        "statusValue": invoice_status(invoice.status),
        "description": content.description,
        "usingCod": content.using_cod,
    }))
}

/// Which parts of an invoice a REST answer shows.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    pub(super) payments: bool,
    pub(super) delivery: bool,
}

/// Manual 2.12.
pub(super) fn invoice(state: &State, invoice: &Invoice, shown: Shown) -> Value {
    let content = &invoice.content;
    let times = state.settings.times;
    let rest_time = |at| rest_time(at, times);
    let edited = invoice.edited && state.settings.marks_deleted;
    let fnb = (state.settings.edition == Edition::Fnb).then_some(&state.settings.fnb);
    let modified = fnb.is_none_or(|fnb| !fnb.no_modified_date);
    let mut members = object(json!({
        "id": invoice.id,
        "uuid": "",
        "code": marked(&invoice.code, edited),
        "purchaseDate": rest_time(invoice.purchased_at),
        "createdDate": (!state.settings.no_created_date).then(|| rest_time(invoice.created_at)),
        "modifiedDate": modified.then(|| rest_time(invoice.modified_at)),
        "totalTax": content.tax.map(plain),
        "invoiceDetails": content.lines.iter().enumerate().map(|line| rest_line(state, line)).collect::<Vec<_>>(),
        // ASSUMPTION: members as a public client types them; the manual prints no sample.
        "invoiceOrderSurcharges": content.surcharges.iter().zip(1..).map(|(surcharge, n)| json!({
            "id": invoice.id * 10 + n,
            "surchargeId": n,
            "surchargeName": surcharge.name,
            "surValue": plain(surcharge.price),
            "price": plain(surcharge.price),
        })).collect::<Vec<_>>(),
    }));
    members.extend(parties(state, invoice));
    members.extend(amounts(invoice));
    if let Some(fnb) = fnb {
        let own = match invoice.status {
            1 => fnb.completed_status,
            2 => fnb.cancelled_status,
            _ => 0,
        };
        if own > 0 {
            members.insert("status".to_owned(), own.into());
        }
        if fnb.status_in_words
            && let Some(words) = members.get("statusValue").cloned()
        {
            members.insert("status".to_owned(), words);
        }
        // Not seen there.
        members.remove("invoiceOrderSurcharges");
        members.remove("totalTax");
        members.remove("usingCod");
    }
    if shown.payments {
        members.insert("payments".to_owned(), payments(invoice, &rest_time));
    }
    if shown.delivery {
        members.insert("invoiceDelivery".to_owned(), delivery(invoice));
    }
    without_nulls(Value::Object(members))
}

fn rest_line(state: &State, (index, line): (usize, &Line)) -> Value {
    let mut members = line_head(state, index, line);
    members.extend(object(json!({
        "quantity": rest_money(line.quantity),
        "price": rest_money(line.price),
        "discount": line.discount.map(rest_money),
        "subTotal": line.sub_total.map(rest_money),
        "returnQuantity": 0,
    })));
    Value::Object(members)
}

/// Webhook lines have no `subTotal`.
fn hook_line(state: &State, (index, line): (usize, &Line)) -> Value {
    let mut members = line_head(state, index, line);
    members.extend(object(json!({
        "quantity": plain(line.quantity),
        "price": plain(line.price),
        "discount": line.discount.map(plain),
    })));
    Value::Object(members)
}

fn line_head(state: &State, index: usize, line: &Line) -> Map<String, Value> {
    let gone = state.settings.deleted_products.contains(&line.product_code);
    object(json!({
        "productId": 7001 + index,
        "productCode": marked(&line.product_code, gone),
        "productName": marked(&line.product_name, gone),
    }))
}

fn payments(invoice: &Invoice, time: &dyn Fn(Timestamp) -> String) -> Value {
    let paid = invoice.content.total_payment;
    let paid = paid.unwrap_or_else(|| invoice.content.total());
    if paid.is_zero() {
        return json!([]);
    }
    json!([{
        "id": invoice.id + 600_000_000,
        "code": format!("TT{}", invoice.code),
        "amount": plain(paid),
        "method": "Cash",
        "status": 0,
        "statusValue": "Đã thanh toán",
        "transDate": time(invoice.purchased_at),
    }])
}

fn delivery(invoice: &Invoice) -> Value {
    let Some(delivery) = &invoice.content.delivery else {
        return Value::Null;
    };
    json!({
        "deliveryCode": format!("VD{}", invoice.id),
        "status": 1,
        "statusValue": "Chờ xử lý",
        "price": delivery.price.map(plain),
        "receiver": delivery.receiver,
        "contactNumber": delivery.contact_number,
        "address": delivery.address,
    })
}

/// Manual 2.11.7: no `CreatedDate`, no surcharges, no customer phone.
pub(super) fn invoice_payload(state: &State, invoice: &Invoice) -> String {
    let mut members = object(json!({
        "id": invoice.id,
        "code": invoice.code,
        "purchaseDate": hook_time(invoice.purchased_at),
        "modifiedDate": hook_time(invoice.modified_at),
        "invoiceDelivery": delivery(invoice),
        "invoiceDetails": invoice.content.lines.iter().enumerate().map(|line| hook_line(state, line)).collect::<Vec<_>>(),
        "payments": payments(invoice, &hook_time),
    }));
    members.extend(parties(state, invoice));
    members.extend(amounts(invoice));
    let casing = state.settings.invoice_casing;
    payload("WebhookInvoiceUpdateRes", Value::Object(members), casing)
}

/// Manual 2.11.6.
pub(super) fn order_payload(state: &State, order: &Invoice) -> String {
    let mut members = object(json!({
        "id": order.id,
        "code": order.code,
        "purchaseDate": hook_time(order.purchased_at),
        "modifiedDate": hook_time(order.modified_at),
        "orderDetails": order.content.lines.iter().enumerate().map(|line| hook_line(state, line)).collect::<Vec<_>>(),
    }));
    members.extend(parties(state, order));
    members.extend(amounts(order));
    members.insert("statusValue".to_owned(), json!("Phiếu tạm"));
    // ASSUMPTION: orders follow the casing of invoices; there is no capture of one.
    let casing = state.settings.invoice_casing;
    payload("WebhookOrderUpdateRes", Value::Object(members), casing)
}

/// One `Data` item as compact JSON that begins with `__type`.
fn payload(type_name: &str, members: Value, casing: Casing) -> String {
    let members = without_nulls(members);
    let members = match casing {
        Casing::Camel => members,
        Casing::Pascal => pascal(members),
    };
    let members = members.to_string();
    let rest = members.strip_prefix('{').unwrap_or("}");
    format!(r#"{{"__type":"{TYPE_PREFIX}{type_name}{TYPE_SUFFIX}",{rest}"#)
}

fn pascal(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(key, value)| {
                    let mut letters = key.chars();
                    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
                    (first.into_iter().chain(letters).collect(), pascal(value))
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(pascal).collect()),
        other => other,
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
