use super::*;
use crate::{
    getfly::{
        refusal::{Detail, DuplicateField},
        wire::tests::{bare_order, full_account},
    },
    rules::money::Money,
    vendor::{
        fate::Fate,
        scripted::{Script, now},
    },
    world::HttpError,
};
use core::time::Duration;
use serde_json::json;

/// Calls one method of a client whose answers are scripted.
macro_rules! ask {
    ($script:expr, $($call:tt)*) => {{
        let api_key = Secret::new("key");
        let client = Getfly { http: $script, origin: "https://t.test", api_key: &api_key };
        now(client.$($call)*)
    }};
}

fn email() -> EmailAddress {
    EmailAddress::parse("an+1@x.vn").unwrap()
}

fn phone() -> PhoneNumber {
    PhoneNumber::parse("0900000001").unwrap()
}

fn account_code(text: &str) -> AccountCode {
    AccountCode::existing(text.into())
}

/// The order of an invoice of `shop`.
fn order_code(invoice: &str) -> OrderCode {
    OrderCode::existing(format!("shop-{invoice}"))
}

fn garbled(what: &str) -> GetflyError {
    GetflyError::garbled(what)
}

const FIELDS: &str =
    "fields=id%2Caccount_code%2Caccount_name%2Cphone_office%2Cemail%2Ccreated_at%2Ccontacts";

/// A page with accounts of these ids.
fn page(ids: core::ops::Range<i64>, rest: &str) -> String {
    let items: Vec<Value> = ids
        .map(|id| json!({"id": id, "account_code": format!("KH{id}")}))
        .collect();
    format!(r#"{{"data":{}{rest}}}"#, json!(items))
}

#[test]
fn searches_are_encoded_and_carry_the_key_and_fields() {
    let body = r#"{"data":[{"id":1,"account_code":"KH1","email":"an+1@x.vn"}],"has_more":false}"#;
    let script = Script::answering(200, body).then(200, r#"{"data":[]}"#);
    assert_eq!(
        ask!(&script, accounts_by_email(&email())).unwrap().accounts[0].email,
        "an+1@x.vn"
    );
    assert_eq!(ask!(&script, accounts_by_phone(&phone())).unwrap(), []);
    let key = percent(phone().search_key());
    assert_eq!(
        script.calls(),
        [
            format!(
                "GET https://t.test/api/v6.1/accounts?{FIELDS}&filtering%5Bemail%3Acontains%5D=an%2B1%40x.vn&limit=100&offset=0"
            ),
            format!(
                "GET https://t.test/api/v6.1/accounts?{FIELDS}&filtering%5Bphone_office%3Acontains%5D={key}&limit=100&offset=0"
            ),
        ]
    );
    let sent = script.request(0);
    assert!(sent.headers.contains(&("x-api-key", "key".into())));
    assert!(!sent.endpoint.contains("x.vn"));
}

#[test]
fn contact_persons_are_searched_on_one_page_of_version_6_0() {
    let body = r#"{"data":[{"id":1,"account_code":"KH1","contacts":[{"phone_home":"0900000001"},{"phone_mobile":84900000002}]}],"has_more":true}"#;
    let script = Script::answering(200, body).then(400, r#"{"message":"sai"}"#);
    let hits = ask!(&script, accounts_by_contact(&phone())).unwrap();
    assert_eq!(hits.accounts[0].contacts, ["0900000001", "84900000002"]);
    assert!(hits.cut);
    assert!(script.calls()[0].starts_with("GET https://t.test/api/v6/accounts?"));
    // A tenant that refuses this search loses no customer an account.
    let none = ask!(&script, accounts_by_contact(&phone())).unwrap();
    assert_eq!(none, Hits::default());
    for (status, body) in [
        (404, r#"{"message":"Not Found"}"#),
        (404, r#"{"message":"No route matched"}"#),
        (404, "<html></html>"),
        (403, r#"{"message":"Forbidden"}"#),
        (405, "no"),
        (200, "<html></html>"),
        (200, r#"{"message":"ok"}"#),
    ] {
        let script = Script::answering(status, body);
        let none = ask!(&script, accounts_by_contact(&phone()));
        assert_eq!(none, Ok(Hits::default()), "{status} {body}");
    }
    for status in [401, 429, 503] {
        let script = Script::answering(status, "");
        ask!(&script, accounts_by_contact(&phone())).unwrap_err();
    }
}

fn percent(text: &str) -> String {
    crate::vendor::encoding::percent_encode(text)
}

#[test]
fn every_page_of_a_search_is_read() {
    let offsets = |script: &Script| -> Vec<String> {
        let calls = script.calls();
        calls
            .iter()
            .map(|call| call.rsplit('=').next().unwrap().to_owned())
            .collect()
    };
    let found = |script: &Script| ask!(script, accounts_by_phone(&phone())).unwrap().len();

    // While `has_more` says so, counting the records that came.
    let script = Script::answering(200, &page(1..31, r#","has_more":true"#))
        .then(200, &page(31..32, r#","has_more":0"#));
    assert_eq!(found(&script), 31);
    assert_eq!(offsets(&script), ["0", "30"]);
    // Without `has_more`, while pages are full.
    let script = Script::answering(200, &page(1..101, "")).then(200, &page(101..103, ""));
    assert_eq!(found(&script), 102);
    let script = Script::answering(200, &page(1..21, r#","limited":20"#))
        .then(200, &page(21..22, r#","limited":20"#));
    assert_eq!(found(&script), 21);
    // A full page with has_more false is the last.
    let script = Script::answering(200, &page(1..101, r#","has_more":false,"limited":false"#));
    assert_eq!(found(&script), 100);
    // A page that repeats what is known is the last.
    let again = page(1..3, r#","has_more":true"#);
    assert_eq!(found(&Script::answering(200, &again).then(200, &again)), 2);
    let empty = r#"{"data":[],"has_more":true}"#;
    assert_eq!(found(&Script::answering(200, empty)), 0);
}

#[test]
fn an_unreadable_search_is_never_nothing_found() {
    let endless = (1..=200_i64).fold(Script::default(), |script, n| {
        script.then(200, &page(n..n + 1, r#","has_more":true"#))
    });
    assert_eq!(
        ask!(&endless, accounts_by_phone(&phone())),
        Err(garbled("the list does not end"))
    );
    for (status, body, what) in [
        (200, "{}", "a list without data"),
        (200, r#"{"data":null}"#, "a list without data"),
        (
            200,
            r#"{"data":[{"account_code":"KH1"}]}"#,
            "a record without an id",
        ),
        (200, "<html>", "HTTP 200 with a body that is not Getfly's"),
        (200, "", "HTTP 200 with a body that is not Getfly's"),
    ] {
        let error = ask!(
            &Script::answering(status, body),
            accounts_by_email(&email())
        )
        .unwrap_err();
        assert_eq!(error, garbled(what), "{status} {body}");
        assert_eq!(error.fate(), Fate::RETRY);
    }
    for body in ["{}", "", "<html>", r#"{"message":"Route not found"}"#] {
        let error = ask!(&Script::answering(404, body), accounts_by_email(&email())).unwrap_err();
        assert_eq!(
            (&error, error.fate()),
            (&GetflyError::NothingThere, Fate::RETRY)
        );
        assert!(error.is_404());
    }
    let refusal = r#"{"message":"fields required","errors":{"fields":"required"}}"#;
    let error = ask!(
        &Script::answering(200, refusal),
        accounts_by_email(&email())
    )
    .unwrap_err();
    assert!(matches!(error, GetflyError::Refused(_)));
}

#[test]
fn a_phone_without_digits_to_search_for_finds_no_account() {
    let zeros = PhoneNumber::parse("0000000000").unwrap();
    assert_eq!(
        ask!(&Script::default(), accounts_by_phone(&zeros)),
        Ok(Vec::new())
    );
}

#[test]
fn active_users_with_a_login_name_are_listed() {
    let body = r#"{"data":[{"user_id":"1","user_name":"an.nv","contact_name":"An","contact_mobile":"0900000000"},
        {"user_id":2,"contact_name":"B"}],"offset":0,"limited":false}"#;
    let script = Script::answering(200, body);
    let users = ask!(&script, users()).unwrap();
    assert_eq!(users.len(), 1);
    assert_eq!(
        (users[0].user_id, users[0].user_name.as_str()),
        (1, "an.nv")
    );
    assert!(script.calls()[0].contains("&filtering%5Bvalid%5D=1&limit=100"));
}

#[test]
fn an_account_is_read_back_by_its_code() {
    let script = Script::answering(200, r#"{"id":7,"account_code":"KH/2025/1"}"#);
    let found = ask!(&script, account_by_code(&account_code("KH/2025/1")))
        .unwrap()
        .unwrap();
    assert_eq!(found.id, 7);
    // The contact persons then show nothing.
    let fields = FIELDS.trim_end_matches("%2Ccontacts");
    let url = format!("GET https://t.test/api/v6.1/account?account_code=KH%2F2025%2F1&{fields}");
    assert_eq!(script.calls(), [url]);
}

#[test]
fn an_order_is_read_back_by_its_code() {
    let body = r#"{"data":{"id":93,"order_code":"shop-HD1","account_code":"KH1","status":1,
        "order_date":"2026-10-05","real_amount":"150000.5"}}"#;
    let found = ask!(
        &Script::answering(200, body),
        order_by_code(&order_code("HD1"))
    )
    .unwrap()
    .unwrap();
    let expected = StoredOrder {
        id: 93,
        code: "shop-HD1".into(),
        account_code: "KH1".into(),
        account_id: None,
        status: Some(1),
        date: Some(crate::time::tests::date(2026, 10, 5)),
        total: Some(Money::new("150000.5".parse().unwrap()).unwrap()),
    };
    assert_eq!(found, expected);
}

#[test]
fn not_found_is_none_only_when_getfly_says_so() {
    let read = |status, body: &str| {
        ask!(
            &Script::answering(status, body),
            order_by_code(&order_code("A"))
        )
    };
    for (status, body) in [
        (404, ""),
        (404, "{}"),
        (404, r#"{"message":"Not found"}"#),
        (200, "[]"),
        (200, r#"{"data":[]}"#),
    ] {
        assert_eq!(read(status, body), Ok(None), "{status} {body}");
    }
    for (status, body, what) in [
        (
            200,
            r#"{"id":1,"order_code":"shop-B"}"#,
            "another record than the one asked for",
        ),
        (200, r#"{"id":1}"#, "another record than the one asked for"),
        (200, r#"{"message":"?"}"#, "a record without an id"),
        (302, "", "HTTP 302 with a body that is not Getfly's"),
    ] {
        assert_eq!(read(status, body), Err(garbled(what)), "{status} {body}");
    }
    // Not about the record.
    let body = r#"{"message":"Route not found"}"#;
    assert_eq!(read(404, body), Err(GetflyError::NothingThere));
}

/// A page of accounts whose e-mails hold the address that is searched for as a part.
fn holding(ids: core::ops::Range<i64>, more: bool) -> String {
    let items: Vec<Value> = ids
        .map(|id| json!({"id": id, "account_code": format!("KH{id}"), "email": format!("{id}an+1@x.vn")}))
        .collect();
    json!({"data": items, "has_more": more}).to_string()
}

#[test]
fn a_search_by_email_asks_for_equality_where_thousands_hold_the_address_as_a_part() {
    let whole =
        r#"{"data":[{"id":9999,"account_code":"KH9","email":"an+1@x.vn"}],"has_more":false}"#;
    let script = Script::answering(200, &holding(1..101, true)).then(200, whole);
    let script = (1..=5_i64).fold(script, |script, n| {
        script.then(200, &holding(n * 100 + 1..n * 100 + 101, true))
    });
    let hits = ask!(&script, accounts_by_email(&email())).unwrap();
    assert_eq!((hits.accounts.len(), hits.cut), (601, true));
    assert_eq!(hits.accounts[100].code.as_str(), "KH9");
    let calls = script.calls();
    assert_eq!(calls.len(), 7);
    assert!(
        calls[1].ends_with(
            "&filtering%5Bemail%5D=an%2B1%40x.vn&sort=id&direction=asc&limit=100&offset=0"
        ),
        "{}",
        calls[1]
    );
    // Two pages, or fewer if there are no more.
    let script = Script::answering(200, &holding(1..101, true))
        .then(200, r#"{"data":[]}"#)
        .then(200, &holding(101..103, false));
    let hits = ask!(&script, accounts_by_email(&email())).unwrap();
    assert_eq!((hits.accounts.len(), hits.cut), (102, false));
    // A server that ignores filters is read to its end: the account may be anywhere.
    let script = Script::answering(200, &page(1..101, r#","has_more":true"#))
        .then(200, &page(1..101, r#","has_more":false"#));
    let script = (1..=9_i64).fold(script, |script, n| {
        let more = format!(r#","has_more":{}"#, n < 9);
        script.then(200, &page(n * 100 + 1..n * 100 + 101, &more))
    });
    let hits = ask!(&script, accounts_by_email(&email())).unwrap();
    assert_eq!((script.calls().len(), hits.cut), (11, false));
}

#[test]
fn a_refusal_in_a_200_is_one_unless_it_names_what_is_stored() {
    let create = |body: &str| {
        ask!(
            &Script::answering(200, body),
            create_account(&full_account())
        )
    };
    let error = create(r#"{"error":true,"message":"Tên khách hàng không hợp lệ"}"#).unwrap_err();
    assert_eq!(error.fate(), Fate::Dead);
    assert!(error.to_string().contains("Tên khách hàng không hợp lệ"));
    let error = create(r#"{"error":"Số điện thoại không cho phép trùng","data":null}"#);
    let error = error.unwrap_err();
    assert_eq!(error.duplicate_field(), Some(DuplicateField::Phone));
    assert!(error.to_string().contains("không cho phép trùng"));
    assert!(matches!(
        create(r#"{"error":5,"message":"x"}"#),
        Err(GetflyError::Refused(_))
    ));
    for said in [
        r#""success":false"#,
        r#""success":0"#,
        r#""success":"False""#,
        r#""ok":false"#,
        r#""status":"error""#,
        r#""status":"fail""#,
        r#""status":false"#,
        r#""status":422"#,
    ] {
        let body = format!(r#"{{{said},"message":"Số điện thoại không cho phép trùng"}}"#);
        let error = create(&body).unwrap_err();
        assert_eq!(
            error.duplicate_field(),
            Some(DuplicateField::Phone),
            "{body}"
        );
    }
    for body in [
        r#"{"success":true}"#,
        r#"{"status":"active"}"#,
        r#"{"status":1}"#,
    ] {
        assert!(
            matches!(create(body), Err(GetflyError::Untold { .. })),
            "{body}"
        );
    }
    for body in [
        r#"{"error":false,"data":{"account_id":7}}"#,
        r#"{"error":null,"data":{"account_id":7}}"#,
        r#"{"error":0,"errors":{},"data":{"account_id":7}}"#,
        r#"{"success":false,"message":"cảnh báo","data":{"account_id":7,"account_code":"KV-shop-5"}}"#,
    ] {
        assert_eq!(create(body).unwrap().id, Some(7), "{body}");
    }
    // It may have stored the record or name another one: it is read back, by its own code or text.
    for body in [
        r#"{"error":"cảnh báo","errors":{"x":"y"},"data":{"account_id":7}}"#,
        r#"{"success":false,"message":"cảnh báo","data":{"account_id":7,"account_code":"KH7"}}"#,
    ] {
        assert_eq!(
            create(body),
            Err(GetflyError::Untold { id: None }),
            "{body}"
        );
    }
    // The record that it names is the one that has the phone already.
    for named in [
        r#""account_id":7"#,
        r#""account_id":7,"account_code":"KH7""#,
    ] {
        let error = create(&format!(
            r#"{{"error":true,"message":"Số điện thoại đã tồn tại","data":{{{named}}}}}"#
        ));
        let field = error.unwrap_err().duplicate_field();
        assert_eq!(field, Some(DuplicateField::Phone), "{named}");
    }
}

#[test]
fn a_page_where_a_record_is_missing_is_believed_once_the_tenant_answers() {
    let all = r#"{"data":[{"id":1}]}"#;
    for page in ["<html>404</html>", "404 page not found"] {
        let script = Script::answering(404, page).then(200, all);
        assert_eq!(
            ask!(&script, account_by_code(&account_code("KH1"))),
            Ok(None)
        );
        assert!(script.calls()[1].ends_with("/accounts?fields=id&limit=1"));
        // The whole tenant is away.
        let script = Script::answering(404, page).then(404, page);
        let away = ask!(&script, account_by_code(&account_code("KH1"))).unwrap_err();
        assert_eq!(away, GetflyError::NothingThere);
    }
}

#[test]
fn a_row_without_a_record_is_passed_over() {
    let body = r#"{"data":[{"id":0,"account_code":""},{"id":"-1"},{"id":3,"account_code":"KH3"}],"has_more":false}"#;
    let found = ask!(&Script::answering(200, body), accounts_by_phone(&phone())).unwrap();
    assert_eq!(found.len(), 1);
    // An id that cannot be read may be a record's.
    let body = r#"{"data":[{"id":"A1"}],"has_more":false}"#;
    ask!(&Script::answering(200, body), accounts_by_phone(&phone())).unwrap_err();
}

#[test]
fn what_getfly_numbered_itself_is_found_by_its_text() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let (since, until) = (at("2026-10-05T02:30:00Z"), at("2026-10-05T02:30:30Z"));
    let accounts = r#"{"data":[
        {"id":3,"account_code":"KH3","description":"KV-shop-55"},
        {"id":2,"account_code":"KH2","description":"VIP\nKV-shop-5"},
        {"id":1,"account_code":"KH1","description":null}],"has_more":false}"#;
    let script = Script::answering(200, accounts);
    let code = account_code("KV-shop-5");
    let found = ask!(&script, account_with_text(&code, since, until)).unwrap();
    assert_eq!(found.unwrap().code.as_str(), "KH2");
    // Among the newest, whatever our clock shows.
    assert!(script.calls()[0].contains("sort=id&direction=desc"));
    assert_eq!(script.calls().len(), 1);
    let none = r#"{"data":[],"has_more":false}"#;
    let script = Script::answering(200, none).then(200, accounts);
    let found = ask!(&script, account_with_text(&code, since, until)).unwrap();
    assert_eq!(found.unwrap().code.as_str(), "KH2");
    assert!(script.calls()[1].contains(
        "filtering%5Bcreated_at%3Agte%5D=2026-10-05%2009%3A20%3A00&filtering%5Bcreated_at%3Alte%5D=2026-10-05%2009%3A40%3A30"
    ));
    let orders = r#"{"data":[
        {"id":8,"order_code":"DH8","order_terms":[{"term_content":"shop-HD10"}]},
        {"id":7,"order_code":"DH7","order_terms":[{"term_content":"shop-HD1"}]}]}"#;
    let script = Script::answering(200, orders);
    let found = ask!(&script, order_with_text(&order_code("HD1"), since, until)).unwrap();
    assert_eq!(found.unwrap().code, "DH7");
}

#[test]
fn a_tenant_with_the_old_version_only_is_told_by_one_question() {
    let old = |script: Script| ask!(&script, is_old_version());
    let missing = || Script::answering(404, r#"{"message":"Not Found"}"#);
    assert_eq!(old(missing().then(200, r#"{"records":[]}"#)), Ok(true));
    assert_eq!(old(missing().then(404, "{}")), Ok(false));
    assert_eq!(old(missing().then(401, "{}")), Ok(false));
    assert_eq!(old(Script::answering(200, r#"{"data":[]}"#)), Ok(false));
    let script = missing().then(200, "[]");
    ask!(&script, is_old_version()).unwrap();
    assert_eq!(
        script.calls(),
        [
            "GET https://t.test/api/v6.1/users?limit=1&fields=user_id",
            "GET https://t.test/api/v3/users?limit=1"
        ]
    );
}

#[test]
fn the_orders_of_an_account_are_counted_by_their_states() {
    let count = |body: &str| ask!(&Script::answering(200, body), orders_of(611)).unwrap();
    let counts =
        r#"{"total_orders_pending":"2","total_orders_approved":1,"total_orders_canceled":0}"#;
    assert_eq!(count(counts), Some(3));
    assert_eq!(count(&format!(r#"{{"data":{counts}}}"#)), Some(3));
    assert_eq!(count("{}"), None);
    for (status, body) in [
        (404, r#"{"message":"Route not found"}"#),
        (400, r#"{"message":"Bad request"}"#),
        (403, r#"{"message":"Forbidden"}"#),
        (500, ""),
        (200, "<html></html>"),
    ] {
        let script = Script::answering(status, body);
        assert_eq!(ask!(&script, orders_of(611)), Ok(None), "{status}");
    }
    for status in [401, 429] {
        ask!(&Script::answering(status, ""), orders_of(611)).unwrap_err();
    }
}

#[test]
fn a_product_is_read_by_its_code() {
    let body = r#"{"id":4,"product_code":"SP1","product_name":"Áo"}"#;
    let found = ask!(&Script::answering(200, body), product("SP1")).unwrap();
    assert_eq!(found.unwrap().name, "Áo");
    assert_eq!(
        ask!(&Script::answering(404, "{}"), product("SP1")),
        Ok(None)
    );
}

#[test]
fn creates_send_their_json_and_tell_what_was_stored() {
    let script = Script::answering(
        201,
        r#"{"message":"Thêm mới thành công","data":{"account_id":7,"account_code":"KV-shop-5"}}"#,
    )
    .then(
        200,
        r#"{"message":"x","data":{"order_id":96,"order_code":"shop-HD1"}}"#,
    )
    .then(
        200,
        r#"{"data":{"id":5,"account_id":7,"opportunity_code":"CH5"}}"#,
    );
    let of = |id, code: &str| Stored {
        id: Some(id),
        code: Some(code.into()),
    };
    assert_eq!(
        ask!(&script, create_account(&full_account())),
        Ok(of(7, "KV-shop-5"))
    );
    assert_eq!(
        ask!(&script, create_order(&bare_order())),
        Ok(of(96, "shop-HD1"))
    );
    let opportunity = NewOpportunity {
        campaign_code: "C".into(),
        account_code: account_code("KV-shop-5"),
        account_name: "N".into(),
        phone: None,
        email: None,
        recipient: None,
    };
    assert_eq!(
        ask!(&script, create_opportunity(&opportunity)),
        Ok(of(5, "CH5"))
    );
    let account = serde_json::to_value(wire::account_body(&full_account()));
    assert_eq!(script.sent(0), account.unwrap());
    let order = serde_json::to_value(wire::order_body(&bare_order()));
    assert_eq!(script.sent(1), order.unwrap());
    let paths = ["account", "sale_order", "opportunity"]
        .map(|p| format!("POST https://t.test/api/v6.1/{p}"));
    assert_eq!(script.calls(), paths);
    assert!(
        script
            .request(0)
            .headers
            .contains(&("content-type", "application/json".into()))
    );
}

#[test]
fn each_failed_create_has_its_fate_and_tells_whether_it_may_be_stored() {
    const REFUSED: &str = r#"{"message":"Sai","errors":{"product_code":"sai"}}"#;
    for (status, body, name, fate, maybe) in [
        (401, "{}", "KeyRefused", Fate::RETRY, false),
        (403, REFUSED, "Refused", Fate::Dead, false),
        (400, REFUSED, "Refused", Fate::Dead, false),
        (422, REFUSED, "Refused", Fate::Dead, false),
        (200, REFUSED, "Refused", Fate::Dead, false),
        (
            404,
            r#"{"message":"không có"}"#,
            "Refused",
            Fate::Dead,
            false,
        ),
        (409, "", "Refused", Fate::Dead, false),
        (429, "", "Busy", Fate::RETRY, false),
        (500, "<html>", "Busy", Fate::RETRY, true),
        (503, "", "Busy", Fate::RETRY, true),
        (200, "<html>", "Garbled", Fate::RETRY, true),
        (200, "", "Garbled", Fate::RETRY, true),
        (200, r#"{"message":"ok"}"#, "Untold", Fate::RETRY, true),
        (
            200,
            r#"{"errors":[],"message":"ok"}"#,
            "Untold",
            Fate::RETRY,
            true,
        ),
        (404, "<html>", "NothingThere", Fate::RETRY, true),
    ] {
        let error = ask!(
            &Script::answering(status, body),
            create_account(&full_account())
        )
        .unwrap_err();
        let seen = (
            format!("{error:?}").starts_with(name),
            error.fate(),
            error.maybe_stored(),
        );
        assert_eq!(seen, (true, fate, maybe), "{status} {body}: {error:?}");
    }
    for (http, maybe) in [
        (HttpError::Timeout, true),
        (HttpError::Connection("reset".into()), true),
        (HttpError::NotSent("refused".into()), false),
        (HttpError::TooLarge, true),
        (HttpError::Denied, false),
        (HttpError::LeaseEnded, false),
    ] {
        let error = ask!(&Script::failing(http), create_order(&bare_order())).unwrap_err();
        assert_eq!(
            (error.fate(), error.maybe_stored()),
            (Fate::RETRY, maybe),
            "{error}"
        );
    }
}

#[test]
fn retry_after_is_honoured() {
    let script = Script::default().then_after(429, "7", "");
    let after = Some(Duration::from_secs(7));
    let error = ask!(&script, create_account(&full_account())).unwrap_err();
    assert_eq!(error.fate(), Fate::Retry { after });
}

#[test]
fn a_refusal_tells_what_it_is_about_and_hides_personal_values() {
    let body = r#"{"message":"SĐT 0900000001 không cho phép trùng","errors":{"phone_office":["thu@example.com"]}}"#;
    let error = ask!(
        &Script::answering(400, body),
        create_account(&full_account())
    )
    .unwrap_err();
    assert!(error.is_duplicate());
    assert_eq!(error.duplicate_field(), Some(DuplicateField::Phone));
    assert_eq!(error.refused_detail(), None);
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("0900000001") && !shown.contains("thu@"),
        "{shown}"
    );

    let body = r#"{"errors":{"account_manager_username":["Người phụ trách không tồn tại"]}}"#;
    let error = ask!(
        &Script::answering(400, body),
        create_account(&full_account())
    )
    .unwrap_err();
    assert_eq!(
        (error.is_duplicate(), error.refused_detail()),
        (false, Some(Detail::Manager))
    );

    let busy = ask!(
        &Script::answering(500, body),
        create_account(&full_account())
    )
    .unwrap_err();
    assert_eq!(
        (
            busy.is_duplicate(),
            busy.duplicate_field(),
            busy.refused_detail()
        ),
        (false, None, None)
    );
}
