//! The sync rules, seen from Getfly: which account a customer is, what is written, and what creates
//! nothing.

use super::{Verdict, in_getfly, same};
use host_test::shop::{On, TestShop, customer, hoa, sale};
use rust_decimal::Decimal;
use sim::{
    getfly::{Account, User},
    kiotviet::{Line, NewCustomer, NewInvoice, Staff},
};

fn seeded(code: &str, phone: &str, email: &str, created_at: &str) -> Account {
    Account {
        account_code: code.to_owned(),
        account_name: code.to_owned(),
        phone_office: phone.to_owned(),
        email: email.to_owned(),
        created_at: created_at.parse().ok(),
        ..Account::default()
    }
}

fn with(phone: &str, email: &str) -> NewCustomer {
    NewCustomer {
        email: Some(email.to_owned()),
        ..customer("Khách", phone)
    }
}

pub(super) async fn links() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    shop.getfly.update_settings(|s| s.max_limit = 1);
    for account in [
        seeded("A1", "0912345678", "", "2026-01-03T00:00:00Z"),
        seeded("A2", "+84 912345678", "", "2026-01-01T00:00:00Z"),
        seeded("A3", "912345678", "", "2026-01-02T00:00:00Z"),
        seeded("B1", "0987654312", "", "2026-01-01T00:00:00Z"),
        seeded("B2", "", "ba@example.vn", "2026-01-02T00:00:00Z"),
        seeded("C1", "", "lan@example.vn", "2026-01-01T00:00:00Z"),
    ] {
        shop.getfly.seed_account(account);
    }
    for (new, wanted) in [
        (customer("Khách", "0912 345 678"), "A2"),
        (with("0987654312", "ba@example.vn"), "B2"),
        (
            with("0911000001", "an@example.vn"),
            "KV-cuahangthu-20000003",
        ),
        (customer("Khách", "0999999999"), "KV-cuahangthu-20000004"),
        (customer("Khách", "0999999999"), "KV-cuahangthu-20000005"),
        (
            customer("Khách", "0911 000 002 - 0911 000 003"),
            "KV-cuahangthu-20000006",
        ),
        (customer("Khách", "0911000003"), "KV-cuahangthu-20000006"),
    ] {
        let what = format!("the account of {:?} {:?}", new.contact_number, new.email);
        shop.kiotviet.create_customer(new);
        shop.deliver().await;
        shop.settle().await;
        let event = shop.events().await.pop().unwrap_or_default();
        same(&what, event["account_code"].as_str(), Some(wanted))?;
    }
    in_getfly(&shop, 6 + 4, 0).await
}

pub(super) async fn fields() -> Verdict {
    let shop = TestShop::connected(On::Both).await;
    let seller = User::new(2, "nhanvien1", "Nhân Viên Một", "0900000501");
    shop.getfly.add_user(seller);
    for (phone, written) in [
        ("987 654 312", "0987654312"),
        ("0911 000 002 / 0911 000 003", "0911 000 002 / 0911 000 003"),
    ] {
        shop.kiotviet.create_customer(customer("Khách", phone));
        shop.deliver().await;
        let account = shop.getfly.accounts().pop().unwrap_or_default();
        same("phone in Getfly", &*account.phone_office, written)?;
    }

    // The invoice comes before its customer's own event.
    let buyer = shop.kiotviet.create_customer(hoa());
    let own = shop.kiotviet.take_deliveries();
    shop.kiotviet.create_invoice(sale(Some(buyer)));
    shop.deliver().await;
    let account = shop.getfly.accounts().pop().unwrap_or_default();
    same("manager", account.manager, None)?;
    for delivery in own {
        shop.app.request(shop.kiotviet.request(&delivery)).await;
    }
    in_getfly(&shop, 3, 1).await?;

    // A walk-in buys 0.3 kg.
    let coffee = Line::new("SP2", "Cà phê", Decimal::new(3, 1), 199_990.into());
    shop.kiotviet.create_invoice(NewInvoice {
        lines: vec![coffee],
        ..NewInvoice::default()
    });
    shop.deliver().await;
    in_getfly(&shop, 3, 2).await?;
    let order = shop.getfly.orders().pop();
    let total = order.as_ref().map(|o| o.total().normalize());
    same("order's total", total, Some(59_997.into()))?;
    let name = order.as_ref().map(|o| &*o.account_name);
    same("walk-in's name", name, Some("Khách lẻ"))?;
    a_new_sellers_first_sale().await
}

/// The shop's list of users was read a minute before the seller came.
async fn a_new_sellers_first_sale() -> Verdict {
    let shop = TestShop::connected(On::Orders).await;
    let sold_by = |id| NewInvoice {
        sold_by: Some(id),
        ..sale(None)
    };
    shop.kiotviet.create_invoice(sold_by(5001));
    shop.deliver().await;
    shop.pass(61).await;
    let seller = Staff::new(5002, "nv2", "Nhân Viên Hai", "0900 000 502");
    shop.kiotviet.add_staff(seller);
    let user = User::new(3, "nhanvien2", "Nhân Viên Hai", "0900000502");
    shop.getfly.add_user(user);
    shop.kiotviet.create_invoice(sold_by(5002));
    shop.deliver().await;
    same(
        "executor",
        last_executor(&shop).as_deref(),
        Some("nhanvien2"),
    )?;

    // Ten minutes later the seller is gone, and two others have the number.
    shop.pass(601).await;
    shop.getfly.change_users(|users| {
        users.retain(|user| user.user_name != "nhanvien2");
        users.push(User::new(4, "lan", "Lan", "0900000502"));
        users.push(User::new(5, "hai", "Nhân Viên Hai", "0900000502"));
    });
    shop.kiotviet.create_invoice(sold_by(5002));
    shop.deliver().await;
    same(
        "executor later",
        last_executor(&shop).as_deref(),
        Some("hai"),
    )
}

fn last_executor(shop: &TestShop) -> Option<String> {
    shop.getfly.orders().pop()?.assigned_username
}

pub(super) async fn only_new() -> Verdict {
    let shop = TestShop::unconnected();
    let old = shop.kiotviet.create_customer(hoa());
    shop.pass(5).await;
    shop.connect_with(On::Both).await;
    shop.pass(4).await;
    shop.kiotviet.edit_customer(old, |_| {});
    let sold = shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    in_getfly(&shop, 0, 1).await?;
    shop.kiotviet.edit_invoice(sold, |_| {});
    shop.deliver().await;
    let cancelled = shop.kiotviet.create_invoice(sale(None));
    shop.kiotviet.cancel_invoice(cancelled);
    shop.deliver().await;
    // KiotViet numbers its orders separately: one may have the number of some invoice.
    shop.app.set_variable("signature_policy", "observe");
    shop.kiotviet.create_invoice(sale(None));
    for delivery in shop.kiotviet.take_deliveries() {
        let told = shop.kiotviet.request(&delivery);
        let body = String::from_utf8_lossy(told.body()).replace("invoice.update", "order.update");
        shop.app.request(told.map(|_| body.into())).await;
    }
    shop.settle().await;
    in_getfly(&shop, 0, 1).await
}
