use super::*;
use crate::{
    vendor::{
        fate::Fate,
        scripted::{Script, now},
    },
    world::HttpError,
};
use core::time::Duration;
use serde_json::json;

fn settings() -> Settings {
    Settings {
        api_url: "https://api.test".into(),
        auth_url: "https://auth.test".into(),
        token_path: "/connect/token".into(),
        edition: Edition::Retail,
    }
}

/// Calls one method of a client whose answers are scripted.
macro_rules! ask {
    ($script:expr, $($call:tt)*) => {{
        let (settings, retailer) = (settings(), RetailerId::parse("shop").unwrap());
        let client = KiotViet { http: $script, settings: &settings, retailer: &retailer, token: Secret::new("tok") };
        now(client.$($call)*)
    }};
}

fn token(script: &Script) -> Result<Token, KiotVietError> {
    let credentials = Credentials {
        retailer: RetailerId::parse("shop").unwrap(),
        client_id: "id-1".into(),
        client_secret: Secret::new("S&+= é"),
    };
    now(fetch_token(script, &settings(), &credentials))
}

fn garbled(what: &str) -> KiotVietError {
    KiotVietError::garbled(what)
}

#[test]
fn a_token_is_asked_for_with_an_encoded_form() {
    let script = Script::answering(
        200,
        r#"{"access_token":"eyJ.x-y","expires_in":3600,"token_type":"Bearer"}"#,
    );
    let token = token(&script).unwrap();
    assert_eq!(
        (token.access_token.reveal(), token.expires_in_seconds),
        ("eyJ.x-y", 3600)
    );
    let sent = script.request(0);
    assert_eq!(script.calls(), ["POST https://auth.test/connect/token"]);
    assert!(
        sent.headers
            .contains(&("content-type", "application/x-www-form-urlencoded".into()))
    );
    assert_eq!(
        String::from_utf8(sent.body).unwrap(),
        "scopes=PublicApi.Access&grant_type=client_credentials&client_id=id-1&client_secret=S%26%2B%3D%20%C3%A9"
    );
}

#[test]
fn a_refused_token_tells_kiotviets_own_reason() {
    for (status, body, reason) in [
        (400, r#"{"error":"invalid_client"}"#, "invalid_client"),
        (
            401,
            r#"{"error":"invalid_client","error_description":"Sai mã bảo mật"}"#,
            "invalid_client: Sai mã bảo mật",
        ),
        (
            400,
            r#"{"error_description":"Sai an@x.vn"}"#,
            "Sai [hidden]",
        ),
        (200, r#"{"error":"invalid_scope"}"#, "invalid_scope"),
        (400, "", "HTTP 400"),
    ] {
        let error = token(&Script::answering(status, body)).unwrap_err();
        assert_eq!(
            error,
            KiotVietError::CredentialsRefused {
                reason: reason.into()
            }
        );
        assert_eq!(error.fate(), Fate::RETRY);
    }
}

#[test]
fn a_token_answer_that_is_not_kiotviets_is_never_taken_for_wrong_credentials() {
    for (status, body) in [
        (400, "<html>"),
        (404, "{}"),
        (302, ""),
        (200, "<html>"),
        (200, ""),
    ] {
        let error = token(&Script::answering(status, body)).unwrap_err();
        assert!(
            matches!(error, KiotVietError::Garbled { .. }),
            "{status} {body}: {error}"
        );
    }
    for body in ["{}", r#"{"access_token":""}"#, r#"{"access_token":"a\nb"}"#] {
        let error = token(&Script::answering(200, body)).unwrap_err();
        assert_eq!(error, garbled("the field `access_token` is missing"));
    }
    let life = |body| {
        token(&Script::answering(200, body))
            .unwrap()
            .expires_in_seconds
    };
    assert_eq!(life(r#"{"access_token":"x"}"#), TOKEN_SECONDS);
    assert_eq!(life(r#"{"access_token":"x","expires_in":-1}"#), 0);
    let busy = token(&Script::answering(503, "")).unwrap_err();
    assert_eq!(
        busy,
        KiotVietError::Busy {
            status: 503,
            retry_after: None
        }
    );
}

#[test]
fn a_call_carries_the_shop_and_the_token() {
    let script = Script::answering(200, r#"{"id":5,"code":"KH5"}"#);
    let customer = ask!(&script, customer(5)).unwrap().unwrap();
    assert_eq!((customer.id, customer.code.as_str()), (5, "KH5"));
    let sent = script.request(0);
    assert_eq!(
        (sent.url.as_str(), sent.endpoint),
        (
            "https://api.test/customers/5",
            "KiotViet GET /customers/{id}"
        )
    );
    assert!(sent.headers.contains(&("retailer", "shop".into())));
    assert!(
        sent.headers
            .contains(&("authorization", "Bearer tok".into()))
    );
}

#[test]
fn an_invoice_is_read_by_id_or_by_code() {
    let body = r#"{"id":9,"code":"HD 1/é","total":5,"status":1,"invoiceDetails":[]}"#;
    let script = Script::answering(200, body).then(200, body).then(200, body);
    assert_eq!(ask!(&script, invoice(9)).unwrap().unwrap().id, 9);
    assert_eq!(
        ask!(&script, invoice_by_code("HD 1/é"))
            .unwrap()
            .unwrap()
            .id,
        9
    );
    let other = ask!(&script, invoice_by_code("HD2")).unwrap_err();
    assert_eq!(other, garbled("the field `code` is another record's"));
    assert_eq!(ask!(&script, invoice_by_code("..")), Ok(None));
    assert_eq!(
        script.calls(),
        [
            "GET https://api.test/invoices/9",
            "GET https://api.test/invoices/code/HD%201%2F%C3%A9",
            "GET https://api.test/invoices/code/HD2"
        ]
    );
}

#[test]
fn not_found_is_none_only_when_kiotviet_says_so() {
    for body in [
        "",
        " ",
        "{}",
        r#"{"responseStatus":{"errorCode":"KvNotFound","message":"Không tìm thấy"}}"#,
    ] {
        assert_eq!(
            ask!(&Script::answering(404, body), customer(5)),
            Ok(None),
            "{body}"
        );
        assert_eq!(
            ask!(&Script::answering(404, body), invoice(5)),
            Ok(None),
            "{body}"
        );
    }
    // A page says so only where the list of these records can be read.
    for body in ["<html>404</html>", "404 page not found"] {
        let list = r#"{"total":0,"pageSize":1,"data":[]}"#;
        let gone = || Script::answering(404, body).then(200, list);
        assert_eq!(ask!(&gone(), customer(5)), Ok(None));
        assert_eq!(ask!(&gone(), invoice(5)), Ok(None));
        let script = gone();
        assert_eq!(ask!(&script, invoice_by_code("HD1")), Ok(None));
        assert_eq!(
            script.calls()[1],
            "GET https://api.test/invoices?pageSize=1"
        );
        let away = Script::answering(404, body).then(404, body);
        assert_eq!(
            ask!(&away, customer(5)).unwrap_err(),
            garbled("HTTP 404 with a body that is not KiotViet's")
        );
    }
    let said = |code: &str, message: &str| {
        format!(r#"{{"responseStatus":{{"errorCode":"{code}","message":"{message}"}}}}"#)
    };
    let (customers, invoices) = ("KvValidateCustomerException", "KvValidateInvoiceException");
    for (body, customer_gone, invoice_gone) in [
        (said("Kv", "Khách hàng không tồn tại"), true, false),
        (said("Kv", "Hóa đơn đã bị xóa"), false, true),
        (said("Kv", "Hoá đơn không tồn tại"), false, true),
        (said(customers, "Không tìm thấy dữ liệu"), true, false),
        (said(invoices, "Not found"), false, true),
        (said(customers, "Dữ liệu sai"), false, false),
        (
            said("Kv", "Không có quyền xem khách hàng, hóa đơn"),
            false,
            false,
        ),
        (said("Kv", "Chi nhánh không tồn tại"), false, false),
    ] {
        let found = ask!(&Script::answering(420, &body), customer(5));
        assert_eq!(found == Ok(None), customer_gone, "{body}");
        let found = ask!(&Script::answering(420, &body), invoice(5));
        assert_eq!(found == Ok(None), invoice_gone, "{body}");
    }
    let list = ask!(&Script::answering(404, ""), users()).unwrap_err();
    assert_eq!(list, garbled("there is nothing at this address (404)"));
}

#[test]
fn each_failure_has_its_meaning_and_fate() {
    let token_gone = r#"{"responseStatus":{"errorCode":"TokenException","message":"hết hạn"}}"#;
    let invalid = r#"{"ResponseStatus":{"ErrorCode":"KvValidateCustomerException","Message":"SĐT 0912345678 sai"}}"#;
    let refused = |status| KiotVietError::Refused {
        status,
        code: "KvValidateCustomerException".into(),
        message: "SĐT [hidden] sai".into(),
    };
    let unauthorized = |reason: &str| KiotVietError::Unauthorized {
        reason: reason.into(),
    };
    let busy = |status| KiotVietError::Busy {
        status,
        retry_after: None,
    };
    let strange =
        |status: u16| garbled(&format!("HTTP {status} with a body that is not KiotViet's"));
    for (status, body, error, fate) in [
        (401, "", unauthorized("HTTP 401"), Fate::RETRY),
        (401, "<html>", unauthorized("HTTP 401"), Fate::RETRY),
        (420, token_gone, unauthorized("hết hạn"), Fate::RETRY),
        (200, token_gone, unauthorized("hết hạn"), Fate::RETRY),
        (420, invalid, refused(420), Fate::Dead),
        (400, invalid, refused(400), Fate::Dead),
        (200, invalid, refused(200), Fate::Dead),
        (403, "", KiotVietError::NoRight, Fate::RETRY),
        (429, "", busy(429), Fate::RETRY),
        (500, invalid, busy(500), Fate::RETRY),
        (503, "<html>", busy(503), Fate::RETRY),
        (400, "<html>", strange(400), Fate::RETRY),
        (302, "", strange(302), Fate::RETRY),
        (200, "<html>", strange(200), Fate::RETRY),
        (200, "", strange(200), Fate::RETRY),
        (200, "[]", strange(200), Fate::RETRY),
    ] {
        let got = ask!(&Script::answering(status, body), customer(5)).unwrap_err();
        assert_eq!((&got, got.fate()), (&error, fate), "{status} {body}");
    }
    let got = ask!(&Script::failing(HttpError::Timeout), customer(5)).unwrap_err();
    assert_eq!(
        (&got, got.fate()),
        (&KiotVietError::Unreachable(HttpError::Timeout), Fate::RETRY)
    );
    let denied = ask!(&Script::failing(HttpError::Denied), customer(5)).unwrap_err();
    let words = denied.to_string();
    assert!(
        words.contains("calls to kiotviet_api_url") && words.contains("{{ kiotviet_api_url }}"),
        "{words}"
    );
}

#[test]
fn retry_after_is_honoured() {
    let script = Script::default().then_after(429, "120", "");
    let after = Some(Duration::from_secs(120));
    let error = ask!(&script, customer(5)).unwrap_err();
    assert_eq!(error.fate(), Fate::Retry { after });
}

#[test]
fn an_error_shows_neither_token_nor_personal_values() {
    let body = r#"{"responseStatus":{"errorCode":"X","message":"an@x.vn 0912345678"}}"#;
    let error = ask!(&Script::answering(420, body), customer(5)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "KiotViet refuses (420 X): [hidden] [hidden]"
    );
    let other = ask!(
        &Script::answering(200, r#"{"id":5,"createdDate":"1995-99-99"}"#),
        customer(5)
    )
    .unwrap_err();
    assert_eq!(
        other.to_string(),
        "KiotViet's record cannot be read: the field `createdDate` is not a time"
    );
    assert_eq!(other.fate(), Fate::Dead);
}

#[test]
fn every_page_of_users_is_read_an_empty_one_in_the_middle_included() {
    let script = Script::default()
        .then(
            200,
            r#"{"total":250,"pageSize":100,"data":[{"id":1,"givenName":"A"},{"id":2}]}"#,
        )
        .then(200, r#"{"total":250,"pageSize":100,"data":[]}"#)
        .then(
            200,
            r#"{"total":250,"pageSize":100,"data":[{"id":2},{"id":3,"mobilePhone":"09"}]}"#,
        );
    let users = ask!(&script, users()).unwrap();
    assert_eq!(
        users.iter().map(|user| user.id).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let pages =
        [0, 100, 200].map(|n| format!("GET https://api.test/users?pageSize=100&currentItem={n}"));
    assert_eq!(script.calls(), pages);
}

#[test]
fn a_smaller_page_size_of_kiotviets_own_skips_no_record() {
    let script = Script::default()
        .then(200, r#"{"total":21,"pageSize":20,"data":[{"id":1}]}"#)
        .then(200, r#"{"total":21,"pageSize":20,"data":[{"id":2}]}"#);
    assert_eq!(ask!(&script, users()).unwrap().len(), 2);
    assert!(script.calls()[1].ends_with("currentItem=20"));
}

#[test]
fn without_a_total_a_short_page_is_the_last() {
    let full = format!(r#"{{"data":[{}]}}"#, vec![r#"{"id":1}"#; 100].join(","));
    let script = Script::answering(200, &full).then(200, r#"{"data":[{"id":7}]}"#);
    assert_eq!(ask!(&script, users()).unwrap().len(), 2);
    assert_eq!(
        ask!(&Script::answering(200, "{}"), users()),
        Err(garbled("the field `data` is missing"))
    );
}

#[test]
fn where_no_size_is_told_the_next_page_follows_the_rows_that_came() {
    let script = Script::answering(200, r#"{"total":3,"data":[{"id":1},{"id":2}]}"#)
        .then(200, r#"{"total":3,"data":[{"id":3}]}"#);
    assert_eq!(ask!(&script, users()).unwrap().len(), 3);
}

#[test]
fn a_page_of_which_no_row_can_be_told_apart_is_no_empty_one() {
    let from: Timestamp = "2026-10-05T00:00:00Z".parse().unwrap();
    for rows in [r#"{"invoiceId":7}"#, r#"{"id":"a-b"},{"id":-1}"#] {
        let body = format!(r#"{{"total":1,"pageSize":100,"data":[{rows}]}}"#);
        let page = ask!(
            &Script::answering(200, &body),
            customers_modified_since(from, 0)
        );
        assert!(matches!(page, Err(KiotVietError::Garbled { .. })), "{rows}");
    }
}

#[test]
fn a_row_that_names_no_record_is_passed_over() {
    let rows = r#"{"total":2,"pageSize":100,"data":[{"id":-1,"totalRevenue":5},{"id":0},{},{"id":7,"createdDate":"?"}]}"#;
    let from: Timestamp = "2026-10-05T00:00:00Z".parse().unwrap();
    let page = ask!(
        &Script::answering(200, rows),
        customers_modified_since(from, 0)
    )
    .unwrap();
    let ids: Vec<i64> = page.items.iter().map(|item| item.id).collect();
    assert_eq!(ids, [7]);
}

#[test]
fn a_list_without_end_is_given_up() {
    let endless = r#"{"total":999999999,"data":[{"id":1}]}"#;
    let script = (0..MAX_PAGES).fold(Script::default(), |script, _| script.then(200, endless));
    assert_eq!(
        ask!(&script, users()),
        Err(garbled("the list does not end"))
    );
}

#[test]
fn branches_prove_the_shop_with_one_page() {
    let script = Script::answering(200, r#"{"total":3,"data":[{"id":1}]}"#);
    assert_eq!(ask!(&script, branches()), Ok(Some(3)));
    assert_eq!(
        script.calls(),
        ["GET https://api.test/branches?pageSize=100&currentItem=0"]
    );
}

#[test]
fn webhooks_are_listed_registered_and_removed() {
    let script = Script::default()
        .then(200, r#"{"total":1,"data":[{"id":5,"type":"customer.update","url":"https://u","isActive":false}]}"#)
        .then(201, r#"{"id":6,"type":"invoice.update","url":"https://u","isActive":true,"retailerId":1}"#)
        .then(200, r#"{"message":"Hủy đăng ký webhook thành công"}"#)
        .then(404, "")
        .then(204, "")
        .then(404, "<html>");
    let listed = ask!(&script, webhooks()).unwrap();
    assert_eq!((listed[0].id, listed[0].is_active), (5, false));
    let made = ask!(
        &script,
        register_webhook("invoice.update", "https://u", &Secret::new("s"), "d")
    )
    .unwrap();
    assert_eq!(made.id, 6);
    assert_eq!(
        script.sent(1),
        json!({"Webhook": {"Type": "invoice.update", "Url": "https://u", "IsActive": true, "Description": "d", "Secret": "s"}})
    );
    for removed in [true, true, true, false] {
        assert_eq!(ask!(&script, delete_webhook(6)).is_ok(), removed);
    }
    assert_eq!(script.calls()[1], "POST https://api.test/webhooks");
    assert_eq!(script.calls()[2], "DELETE https://api.test/webhooks/6");
}

#[test]
fn changed_records_come_page_by_page() {
    let body = r#"{"total":101,"pageSize":100,"data":[{"id":1,"code":"HD1","createdDate":"2026-10-05T09:30:15",
        "modifiedDate":"2026-10-06T09:30:15.1"}]}"#;
    let script = Script::answering(200, body).then(200, body);
    let from = "2026-10-05T02:30:15.9Z".parse().unwrap();
    let first = ask!(&script, invoices_modified_since(from, 0)).unwrap();
    assert_eq!((first.total, first.next_offset), (101, Some(100)));
    assert_eq!(first.items[0].code, "HD1");
    assert_eq!(
        first.items[0].created_at,
        Some("2026-10-05T02:30:15Z".parse().unwrap())
    );
    assert_eq!(
        first.items[0].modified_at,
        Some("2026-10-06T02:30:15.1Z".parse().unwrap())
    );
    let last = ask!(&script, customers_modified_since(from, 100)).unwrap();
    assert_eq!(last.next_offset, None);
    let query = "lastModifiedFrom=2026-10-05T02%3A30%3A15Z&orderBy=id&orderDirection=Asc";
    assert_eq!(
        script.calls(),
        [
            format!("GET https://api.test/invoices?pageSize=100&currentItem=0&{query}"),
            format!("GET https://api.test/customers?pageSize=100&currentItem=100&{query}")
        ]
    );
}
