//! Lists: `fields`, `filtering[field:op]`, sorting and pages (v6.1 query conventions).

use super::{GetflySettings, UndocumentedFilter, index::Field};
use crate::{Response, wire};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// What the manual says about one list.
pub(super) struct Listed {
    id: &'static str,
    fields: &'static [&'static str],
    filters: &'static [(&'static str, &'static [&'static str])],
    sorts: &'static [&'static str],
}

pub(super) const ACCOUNTS: Listed = Listed {
    id: "id",
    fields: &[
        "id",
        "account_code",
        "account_name",
        "description",
        "billing_address_street",
        "phone_office",
        "email",
        "website",
        "birthday",
        "sic_code",
        "gender",
        "created_at",
        "updated_at",
        "account_source_details",
        "account_manager",
        "mgr_display_name",
        "mgr_email",
        "relation_name",
        "contacts",
    ],
    filters: &[
        ("id", &["eq", "in", "not_in"]),
        ("account_code", &["eq", "contains"]),
        ("account_name", &["eq"]),
        ("phone_office", &["eq", "contains"]),
        ("email", &["eq", "contains"]),
        ("billing_address_street", &["eq", "contains"]),
        ("created_at", &["eq", "gte", "lte", "between"]),
        ("updated_at", &["eq", "gte", "lte", "between"]),
        ("gender", &["eq"]),
        ("account_manager", &["eq", "in", "not_in"]),
    ],
    sorts: &["id", "account_name", "account_code", "email"],
};

pub(super) const SALE_ORDERS: Listed = Listed {
    id: "id",
    fields: &[
        "id",
        "order_code",
        "real_amount",
        "f_amount",
        "discount",
        "discount_amount",
        "vat_amount",
        "transport_amount",
        "installation_amount",
        "account_id",
        "account_code",
        "account_name",
        "account_phone",
        "account_email",
        "account_address",
        "order_date",
        "created_at",
        "updated_at",
        "status",
        "status_label",
        "payment_status",
        "assigned_user",
        "assigned_user_name",
        "order_details",
        "order_terms",
        "lading_code",
    ],
    filters: &[
        ("id", &["eq", "in"]),
        ("order_date", &["eq", "gte", "lte", "between"]),
        ("created_at", &["eq", "gte", "lte"]),
        ("updated_at", &["eq", "gte", "lte"]),
    ],
    sorts: &["id", "order_date"],
};

pub(super) const PRODUCTS: Listed = Listed {
    id: "id",
    fields: &["id", "product_code", "product_name"],
    filters: &[("product_code", &["eq"])],
    sorts: &["id"],
};

pub(super) const USERS: Listed = Listed {
    id: "user_id",
    fields: &[
        "user_id",
        "contact_id",
        "contact_name",
        "user_name",
        "dept_id",
        "dept_name",
        "email",
        "contact_mobile",
        "extensions",
        "valid",
    ],
    // ASSUMPTION: the manual names the filters without their operators.
    filters: &[
        ("user_id", &["eq", "in"]),
        ("valid", &["eq"]),
        ("contact_name", &["eq", "contains"]),
        ("email", &["eq", "contains"]),
        ("contact_mobile", &["eq", "contains"]),
    ],
    sorts: &["user_id"],
};

/// One `filtering[field:op]` with its values.
struct Filter {
    field: String,
    op: String,
    values: Vec<String>,
}

/// `filtering[field]`, `filtering[field:op]`, each with an optional `[0]`; repeated keys collect.
fn filters(query: &[(String, String)]) -> Vec<Filter> {
    let mut all: Vec<Filter> = Vec::new();
    for (key, value) in query {
        let Some((inside, _)) = key
            .strip_prefix("filtering[")
            .and_then(|rest| rest.split_once(']'))
        else {
            continue;
        };
        let (field, op) = inside.split_once(':').unwrap_or((inside, "eq"));
        let op = if op == "is" { "eq" } else { op };
        let same = |filter: &&mut Filter| filter.field == field && filter.op == op;
        match all.iter_mut().find(same) {
            Some(filter) => filter.values.push(value.clone()),
            None => all.push(Filter {
                field: field.to_owned(),
                op: op.to_owned(),
                values: vec![value.clone()],
            }),
        }
    }
    all
}

/// The part of a phone or an e-mail that the accounts are searched for, if there is one: then fewer
/// of them need to be looked at.
pub(super) fn part_of(query: &[(String, String)]) -> Option<(Field, &str)> {
    query.iter().find_map(|(key, value)| {
        let field = match key.as_str() {
            "filtering[phone_office:contains]" => Field::Phone,
            "filtering[email:contains]" => Field::Email,
            _ => return None,
        };
        Some((field, value.as_str()))
    })
}

/// How a value compares: case does not count, and in some tenants marks do not either.
fn comparable(value: &str, folds_marks: bool) -> String {
    // ASSUMPTION: `eq` and `contains` do not look at upper and lower case.
    let value = value.to_lowercase();
    if folds_marks {
        value.chars().map(without_marks).collect()
    } else {
        value
    }
}

/// A lower-case Vietnamese letter without its marks.
fn without_marks(letter: char) -> char {
    let plain = [
        ("àáảãạăằắẳẵặâầấẩẫậ", 'a'),
        ("èéẻẽẹêềếểễệ", 'e'),
        ("ìíỉĩị", 'i'),
        ("òóỏõọôồốổỗộơờớởỡợ", 'o'),
        ("ùúủũụưừứửữự", 'u'),
        ("ỳýỷỹỵ", 'y'),
        ("đ", 'd'),
    ];
    let mut plain = plain.into_iter();
    let found = plain.find(|(marked, _)| marked.contains(letter));
    found.map_or(letter, |(_, plain)| plain)
}

fn as_time(value: &str) -> String {
    // ASSUMPTION: times are asked as unix seconds (manual) or as printed (clients).
    let at = value
        .parse()
        .ok()
        .and_then(|s| Timestamp::from_second(s).ok());
    at.map_or_else(|| value.to_owned(), super::body::printed)
}

impl Filter {
    fn takes(&self, row: &Value, folds_marks: bool) -> bool {
        let stored = match row.get(&self.field) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let is_time = self.field.ends_with("_at");
        let ask = |value: &String| {
            if is_time {
                as_time(value)
            } else {
                comparable(value, folds_marks)
            }
        };
        let stored = if is_time {
            as_time(&stored)
        } else {
            comparable(&stored, folds_marks)
        };
        let asked: Vec<String> = self.values.iter().map(ask).collect();
        let first = asked.first().map_or("", String::as_str);
        let order = |other: &str| match (stored.parse::<Decimal>(), other.parse::<Decimal>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => stored.as_str().cmp(other),
        };
        let between = || match asked.as_slice() {
            [low, high] => order(low).is_ge() && order(high).is_le(),
            _ => false,
        };
        match self.op.as_str() {
            "contains" => stored.contains(first),
            "in" => asked.contains(&stored),
            "not_in" => !asked.contains(&stored),
            "gte" => order(first).is_ge(),
            "lte" => order(first).is_le(),
            "gt" => order(first).is_gt(),
            "lt" => order(first).is_lt(),
            "between" => between(),
            "not_between" => !between(),
            _ => stored == first,
        }
    }
}

impl Listed {
    /// The requested fields; absent or unknown ones are refused, and the refusal lists the existing
    /// ones.
    fn fields<'q>(&self, query: &'q [(String, String)]) -> Result<Vec<&'q str>, Response> {
        let asked = wire::find(query, "fields").unwrap_or_default();
        let asked: Vec<&str> = asked.split(',').map(str::trim).collect();
        if asked.iter().all(|field| self.fields.contains(field)) {
            return Ok(asked);
        }
        // ASSUMPTION: the shape; that it lists `available_fields` is seen.
        let message = "Tham số fields không hợp lệ";
        let body = json!({"message": message, "available_fields": self.fields});
        Err(wire::json(400, &body))
    }

    /// The filters that count.
    fn filters(
        &self,
        settings: &GetflySettings,
        query: &[(String, String)],
    ) -> Result<Vec<Filter>, Response> {
        let mut counted = Vec::new();
        for filter in filters(query) {
            let known = self
                .filters
                .iter()
                .find(|(field, _)| *field == filter.field);
            let documented = known.is_some_and(|(_, ops)| ops.contains(&&*filter.op));
            match settings.undocumented_filter {
                _ if settings.filters_ignored => {}
                _ if filter.field == "updated_at" && !settings.heeds_updated_at => {}
                _ if filter.field == "order_date"
                    && filter.op == "lte"
                    && settings.last_day_left_out =>
                {
                    counted.push(Filter {
                        op: "lt".to_owned(),
                        ..filter
                    });
                }
                _ if documented && (filter.field != "id" || settings.finds_by_id) => {
                    counted.push(filter);
                }
                UndocumentedFilter::Honour => counted.push(filter),
                UndocumentedFilter::Ignore => {}
                // ASSUMPTION: the real behaviour is unknown.
                UndocumentedFilter::Refuse => {
                    let name = format!("filtering[{}:{}]", filter.field, filter.op);
                    return Err(super::body::refuse(&name, &format!("{name} không hỗ trợ")));
                }
            }
        }
        Ok(counted)
    }

    fn sorted_by<'q>(
        &self,
        settings: &GetflySettings,
        query: &'q [(String, String)],
    ) -> Option<&'q str> {
        let wanted = wire::find(query, "sort").filter(|_| settings.heeds_sort);
        wanted.filter(|field| self.sorts.contains(field))
    }

    fn direction<'q>(&self, settings: &GetflySettings, query: &'q [(String, String)]) -> &'q str {
        match self.sorted_by(settings, query) {
            Some(_) => wire::find(query, "direction").unwrap_or("asc"),
            None => "desc",
        }
    }

    fn sort(
        &self,
        settings: &GetflySettings,
        query: &[(String, String)],
        rows: &mut [Value],
    ) -> Value {
        let key = self.sorted_by(settings, query).unwrap_or(self.id);
        let direction = self.direction(settings, query);
        let number = |row: &Value| row.get(key).and_then(wire::decimal);
        let text = |row: &Value| row.get(key).map(ToString::to_string);
        rows.sort_by(|a, b| {
            number(a)
                .cmp(&number(b))
                .then_with(|| text(a).cmp(&text(b)))
        });
        if direction.eq_ignore_ascii_case("desc") {
            rows.reverse();
        }
        json!({ key: direction.to_uppercase() })
    }
}

/// A list's answer.
pub(super) fn page(
    listed: &Listed,
    settings: &GetflySettings,
    query: &[(String, String)],
    mut rows: Vec<Value>,
) -> Result<Response, Response> {
    let fields = listed.fields(query)?;
    let filters = listed.filters(settings, query)?;
    rows.retain(|row| filters.iter().all(|f| f.takes(row, settings.folds_marks)));
    let sorted = listed.sort(settings, query, &mut rows);
    let row = |at: usize| rows.get(at).cloned().unwrap_or_default();
    let asked = (query, fields.as_slice());
    Ok(cut(listed.id, settings, asked, &sorted, rows.len(), row))
}

/// The page of a list that nothing filters and whose rows are ascending by their ids, of which only those of the page are
/// made; none for any other question.
pub(super) fn page_of_all(
    listed: &Listed,
    settings: &GetflySettings,
    query: &[(String, String)],
    total: usize,
    row: impl Fn(usize) -> Value,
) -> Option<Response> {
    let is_plain = wire::find(query, "sort").is_none_or(|sort| sort == listed.id);
    let filters = filters(query);
    let fields = listed
        .fields(query)
        .ok()
        .filter(|_| is_plain && filters.is_empty())?;
    let direction = listed.direction(settings, query);
    let sorted = json!({ listed.id: direction.to_uppercase() });
    let is_descending = direction.eq_ignore_ascii_case("desc");
    let at = |at: usize| {
        if is_descending {
            row(total - 1 - at)
        } else {
            row(at)
        }
    };
    let asked = (query, fields.as_slice());
    Some(cut(listed.id, settings, asked, &sorted, total, at))
}

fn cut(
    id: &str,
    settings: &GetflySettings,
    (query, fields): (&[(String, String)], &[&str]),
    sorted: &Value,
    total: usize,
    row: impl Fn(usize) -> Value,
) -> Response {
    let number = |key: &str| wire::find(query, key).and_then(|text| text.parse::<usize>().ok());
    let offset = number("offset").unwrap_or(0);
    // ASSUMPTION: without a limit all rows come, as in the manual's `"limited": false`.
    let limit = number("limit").map(|limit| limit.clamp(1, settings.max_limit.max(1)));
    let rows = (0..total).skip(offset).take(limit.unwrap_or(total));
    let mut data: Vec<Value> = rows.map(|at| only(&row(at), fields)).collect();
    if settings.row_of_id_0 && offset == 0 {
        data.insert(0, json!({ id: 0 }));
    }
    let mut body = json!({"data": data, "offset": offset, "limited": false, "sorted": sorted});
    if let Some(limit) = limit {
        body["has_more"] = json!(offset.saturating_add(limit) < total);
        body["limited"] = json!(limit);
    }
    wire::json(200, &body)
}

/// A single record at top level, with the requested fields; all fields if none are requested.
pub(super) fn one(query: &[(String, String)], row: Value) -> Response {
    // ASSUMPTION: a single read needs no `fields` and leaves unknown ones out.
    let shown = match wire::find(query, "fields") {
        Some(fields) => only(&row, &fields.split(',').map(str::trim).collect::<Vec<_>>()),
        None => row,
    };
    wire::json(200, &shown)
}

fn only(row: &Value, fields: &[&str]) -> Value {
    let mut shown = Map::new();
    for field in fields {
        if let Some(value) = row.get(*field) {
            shown.insert((*field).to_owned(), value.clone());
        }
    }
    Value::Object(shown)
}
