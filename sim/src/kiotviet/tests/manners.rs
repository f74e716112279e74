use super::*;

impl World {
    fn set(&self, change: impl FnOnce(&mut Settings)) {
        self.shop.update_settings(change);
    }

    async fn ids(&self, path: &str) -> Vec<i64> {
        let page = self.get(path).await;
        let rows = page["data"].as_array().expect("data").iter();
        rows.filter_map(|row| row["id"].as_i64()).collect()
    }
}

#[tokio::test]
async fn lists_may_be_cut_short_have_an_empty_page_and_begin_with_a_summary() {
    let world = world();
    for _ in 0..3 {
        world.shop.create_customer(named("Khách"));
    }
    let [a, b, c] = [20_000_001, 20_000_002, 20_000_003];
    world.set(|s| s.pages.largest = 2);
    assert_eq!(world.ids("/customers?pageSize=100").await, [a, b]);
    world.set(|s| s.pages.hidden = 3);
    assert!(world.ids("/customers?currentItem=2").await.is_empty());
    assert_eq!(world.ids("/customers?currentItem=4").await, [c]);
    assert_eq!(world.get("/customers").await["total"], 6);
    world.set(|s| s.pages.summary = true);
    assert_eq!(world.ids("/customers").await, [-1, a, b]);
    assert_eq!(world.ids("/branches").await, [1001]);
}

#[tokio::test]
async fn what_was_deleted_has_its_mark() {
    let world = world();
    let id = world.shop.create_customer(named("Khách Thử"));
    let first = world.shop.create_invoice(sale(Some(id)));
    world.shop.edit_invoice(first, |_| ());
    world.shop.delete_customer(id);
    let path = format!("/invoices/{first}");
    assert_eq!(world.get(&path).await["customerName"], "Khách Thử");
    world.set(|s| {
        s.marks_deleted = true;
        s.deleted_products = vec!["SP000033".to_owned()];
    });
    let marked = world.get(&path).await;
    assert_eq!(marked["code"], "HD000001{DEL}");
    assert_eq!(marked["customerName"], "Khách Thử{DEL}");
    assert_eq!(marked["customerCode"], "KH000001{DEL}");
    let line = &marked["invoiceDetails"][0];
    assert_eq!(line["productCode"], "SP000033{DEL}");
    assert_eq!(line["productName"], "Sản phẩm thử{DEL}");
    let by_code = world.get("/invoices/code/HD000001.01").await;
    assert_eq!(by_code["code"], "HD000001.01");
}

#[tokio::test]
async fn times_codes_and_phones_have_the_shops_form() {
    let world = world();
    world.set(|s| {
        s.own_codes = Some("8.".to_owned());
        s.masks_phones = true;
        s.times = Times::WithOffset;
    });
    let first = world.shop.create_invoice(sale(None));
    let second = world.shop.create_invoice(sale(None));
    let edit = world.shop.edit_invoice(second, |_| ()).expect("edited");
    let code = |id| world.shop.invoice(id).expect("there").code;
    assert_eq!([first, second, edit].map(code), ["8.01", "8.02", "8.02.01"]);
    let customers = [0, 1].map(|_| world.shop.create_customer(named("Khách")));
    let shown = world.get(&format!("/customers/{}", customers[0])).await;
    assert_eq!(shown["contactNumber"], "0900 000 001 - 0900000002");
    assert_eq!(shown["createdDate"], "2026-10-05T09:00:00.1230000+07:00");
    world.set(|s| s.times = Times::WholeSeconds);
    let shown = world.get(&format!("/customers/{}", customers[1])).await;
    assert_eq!(shown["contactNumber"], "0900 *** 001 - 0900000002");
    assert_eq!(shown["createdDate"], "2026-10-05T09:00:00");
}

#[tokio::test]
async fn a_second_webhook_of_a_type_may_be_refused() {
    let world = world();
    world.set(|s| s.one_webhook_a_type = true);
    let body = r#"{"Webhook":{"Type":"invoice.update","Url":"https://app.example/hook"}}"#;
    assert_eq!(world.call("POST", "/webhooks", body).await.0, 200);
    let (status, refused) = world.call("POST", "/webhooks", body).await;
    assert_eq!(status, 420);
    assert_eq!(refused["responseStatus"]["message"], "Webhook đã tồn tại");
    assert_eq!(world.shop.webhooks().len(), 1);
}
