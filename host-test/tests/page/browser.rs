//! Claims: a person who has never seen code connects a shop, switches its webhooks on, sees a sale,
//! mends a dead letter, and reads all that in both languages, also on a 360-pixel screen, in a real
//! browser without scripts of ours. How: headless Chromium over WebDriver, at the component in the
//! project's own host, between a simulated KiotViet and Getfly on loopback. Pictures of the pages are
//! left in `target/screenshots`.
//!
//! Needs Debian's chromium and chromium-driver; without them it says so, and fails only where `CI` is
//! set.

use crate::{
    axe::{Axe, looked_at},
    town::{Town, in_a_browser, picture, town, wait_for},
    webdriver::Browser,
};
use anyhow::{Context, Result, ensure};
use host_test::{
    shop::{customer, hoa, sale},
    variables::ADMIN_TOKEN,
};
use sim::{Fault, FaultRule, When};

pub(crate) async fn logs_in(town: &Town, browser: &Browser) -> Result<()> {
    browser.go(&town.at("/ui/events")).await?;
    browser.see("Mã quản trị").await?;
    browser.picture(&picture("log-in")).await?;
    browser.fill("token", "not-the-admin-token").await?;
    browser.press("Đăng nhập").await?;
    browser.see("Mã quản trị không đúng").await?;
    browser.fill("token", ADMIN_TOKEN).await?;
    browser.press("Đăng nhập").await?;
    browser.see("Không có sự kiện nào").await?;
    Ok(())
}

pub(crate) async fn connects(town: &Town, browser: &Browser) -> Result<()> {
    let settings = town.vendors.kiotviet.settings();
    browser.go(&town.at("/")).await?;
    browser.press("Kết nối cửa hàng đầu tiên").await?;
    browser.see("Các bước trên KiotViet").await?;
    let address = format!("https://{}.kiotviet.vn", settings.retailer);
    browser.fill("retailer", &address).await?;
    browser.fill("client_id", &settings.client_id).await?;
    browser.fill("client_secret", "a-wrong-code").await?;
    browser.press("Kết nối").await?;
    browser.see("KiotViet từ chối").await?;
    ensure!(
        browser.field("retailer").await? == address,
        "what was typed is kept"
    );
    ensure!(browser.field("client_id").await? == settings.client_id);
    ensure!(
        browser.field("client_secret").await?.is_empty(),
        "a secret is not"
    );
    browser.picture(&picture("connect-refused")).await?;
    browser
        .fill("client_secret", &settings.client_secret)
        .await?;
    browser.press("Kết nối").await?;
    browser
        .see("Đã kết nối. Bây giờ hãy bật các webhook")
        .await?;
    for webhook in ["customer", "order"] {
        browser
            .click(&format!("//*[@id='{webhook}']//button[.='Bật']"))
            .await?;
        browser.see("Đã lưu thay đổi").await?;
    }
    browser.go(&town.at("/ui/shops/cuahangthu")).await?;
    browser.see("Đang hoạt động").await?;
    browser.picture(&picture("shop")).await?;
    ensure!(town.vendors.kiotviet.webhooks().len() == 2);
    Ok(())
}

/// A customer and a sale arrive; another customer is refused and becomes a dead letter.
async fn sells(town: &Town, browser: &Browser) -> Result<()> {
    let id = town.vendors.kiotviet.create_customer(hoa());
    town.vendors.kiotviet.create_invoice(sale(Some(id)));
    town.vendors.kiotviet.create_invoice(sale(None));
    town.vendors
        .kiotviet
        .edit_customer(id, |c| c.comments = Some("khách quen".to_owned()));
    town.deliver().await;
    wait_for(town, browser, "done", 4).await?;
    let refuse = FaultRule::new(Fault::ErrorsIn200).on(http::Method::POST, "/api/v6.1/account");
    town.getfly_faults.add(refuse.when(When::First(1)));
    town.vendors
        .kiotviet
        .create_customer(customer("Anh Bền", "0987 654 312"));
    town.deliver().await;
    wait_for(town, browser, "dead", 1).await?;
    ensure!(town.vendors.getfly.orders().len() == 2, "two orders");
    browser.go(&town.at("/ui/events")).await?;
    browser.see("HD000001").await?;
    browser.see("Chị Hoa · 300.000 đ").await?;
    browser.picture(&picture("events")).await?;
    browser.fill("q", "0912345678").await?;
    browser.press("Lọc").await?;
    browser.go(&town.at("/ui/events?q=0912345678")).await?;
    browser.see("Hóa đơn HD000001").await?;
    let found = "document.querySelectorAll('a.event').length";
    ensure!(browser.eval(found).await? == 3, "her events");
    browser.picture(&picture("found")).await?;
    browser.go(&town.at("/ui/events")).await?;
    browser.click("//main//a[contains(., 'HD000001')]").await?;
    browser
        .see("đã được tạo thành đơn hàng trên Getfly")
        .await?;
    browser.picture(&picture("event")).await?;
    browser.go(&town.at("/")).await?;
    browser.see("Không mất sự kiện nào").await?;
    let bars = "document.querySelectorAll('svg rect').length";
    ensure!(
        browser.eval(bars).await?.as_u64() > Some(60),
        "a month of bars"
    );
    browser.picture(&picture("overview")).await?;
    Ok(())
}

async fn mends(town: &Town, browser: &Browser) -> Result<()> {
    browser.press("Xem và xử lý").await?;
    browser.see("Getfly từ chối tạo bản ghi này").await?;
    browser.picture(&picture("dead-letters")).await?;
    browser
        .click("//main//a[contains(@class, 'event')]")
        .await?;
    browser.see("Cần làm gì").await?;
    browser.picture(&picture("dead-letter")).await?;
    browser.press("Thử lại").await?;
    browser.see("Đã thử lại: xong.").await?;
    browser.see("Đã tạo").await?;
    ensure!(
        town.vendors.getfly.accounts().len() == 2,
        "the account is there"
    );
    Ok(())
}

/// What came first is looked at, and the question answered.
async fn looks(town: &Town, browser: &Browser) -> Result<()> {
    browser.go(&town.at("/")).await?;
    browser
        .click("//main//a[contains(@href, '/first-day')]")
        .await?;
    browser
        .see("Những gì đã sang Getfly có đúng không?")
        .await?;
    browser.see("Getfly trả lời").await?;
    browser.picture(&picture("first-day-asked")).await?;
    browser.press("Đã xem, mọi thứ đúng").await?;
    browser.see("Đã xem, mọi thứ đúng:").await?;
    browser.go(&town.at("/")).await?;
    browser.see("Không mất sự kiện nào").await?;
    let asked = "document.querySelectorAll(\"main a[href*='/first-day']\").length";
    ensure!(browser.eval(asked).await? == 0, "asked once");
    Ok(())
}

/// A sale is edited after its order was made: the owner sees both totals and says that Getfly is corrected.
async fn corrects(town: &Town, browser: &Browser) -> Result<()> {
    let sold = &town.vendors.kiotviet;
    let id = sold.invoices().first().context("a sale")?.id;
    let edited = sold.edit_invoice(id, |i| i.lines[0].quantity = 3.into());
    edited.context("an edit")?;
    town.deliver().await;
    wait_for(town, browser, "done", 7).await?;
    browser.go(&town.at("/")).await?;
    browser.see("1 đơn đã sửa hoặc hủy trên KiotViet").await?;
    browser.go(&town.at("/ui/changed")).await?;
    browser.see("450.000 đ").await?;
    browser.picture(&picture("changed-list")).await?;
    browser.press("Đã sửa trên Getfly").await?;
    browser.see("Không có đơn nào cần sửa trên Getfly.").await?;
    browser.go(&town.at("/ui/reconciliation")).await?;
    browser.press("Đối chiếu").await?;
    browser.see("khác tổng tiền").await?;
    browser.picture(&picture("reconciled")).await?;
    Ok(())
}

async fn tries(town: &Town, browser: &Browser) -> Result<()> {
    let id = town
        .vendors
        .kiotviet
        .create_customer(customer("Chị Mai", "0900 111 222"));
    let payload = format!(
        r#"{{"Id":"1","Attempt":1,"Notifications":[{{"Action":"customer.update.500123456","Data":[{{"Id":{id}}}]}}]}}"#
    );
    browser.go(&town.at("/ui/try")).await?;
    browser.fill("code", "hd000001").await?;
    browser.press("Xem điều gì sẽ xảy ra").await?;
    browser.see("Hóa đơn HD000001").await?;
    browser.picture(&picture("try-code")).await?;
    browser.go(&town.at("/ui/try")).await?;
    browser.click("//summary[.='Nâng cao']").await?;
    browser.fill("payload", &payload).await?;
    browser.press("Xem điều gì sẽ xảy ra").await?;
    browser.see("Điều sẽ xảy ra").await?;
    browser.see("Chị Mai").await?;
    ensure!(
        browser.field("payload").await? == payload,
        "what was typed is kept"
    );
    browser.picture(&picture("try")).await?;
    ensure!(
        town.vendors.getfly.accounts().len() == 2,
        "nothing was written"
    );
    Ok(())
}

/// Every page, in the language that is chosen: nothing is wider than the screen, and axe-core finds nothing.
async fn fits(town: &Town, browser: &Browser, wide: u32, suffix: &str) -> Result<()> {
    let axe = Axe::installed();
    let mut found = String::new();
    for (name, path) in [
        ("overview", "/"),
        ("shops", "/ui/shops"),
        ("connect", "/ui/connect"),
        ("shop", "/ui/shops/cuahangthu"),
        ("disconnect", "/ui/shops/cuahangthu/disconnect"),
        ("first-day", "/ui/shops/cuahangthu/first-day"),
        ("staff", "/ui/shops/cuahangthu/staff"),
        ("backfill", "/ui/shops/cuahangthu/backfill"),
        ("events", "/ui/events"),
        ("event", "/ui/events/1"),
        ("nowhere", "/ui/events/999"),
        ("changed", "/ui/changed"),
        ("reconciliation", "/ui/reconciliation"),
        ("alerts", "/ui/alerts"),
        ("try", "/ui/try"),
    ] {
        browser.go(&town.at(path)).await?;
        let open = "document.querySelectorAll('details').forEach(d => d.open = true)";
        browser.eval(open).await?;
        found += &looked_at(browser, &axe, wide, &format!("{name}{suffix}")).await?;
    }
    ensure!(found.is_empty(), "axe-core: {found}");
    Ok(())
}

async fn story(browser: &Browser) -> Result<()> {
    let town = town().await?;
    browser.screen(1080, 800, false).await?;
    logs_in(&town, browser).await.context("logging in")?;
    connects(&town, browser).await.context("connecting")?;
    sells(&town, browser).await.context("a sale")?;
    mends(&town, browser).await.context("mending")?;
    looks(&town, browser).await.context("looking")?;
    corrects(&town, browser).await.context("correcting")?;
    tries(&town, browser).await.context("trying")?;
    fits(&town, browser, 1080, "-wide").await?;
    browser.screen(360, 780, true).await?;
    fits(&town, browser, 360, "-phone").await?;
    browser.dark(true).await?;
    browser.click("//a[.='English']").await?;
    browser.see("Nothing is written").await?;
    fits(&town, browser, 360, "-phone-english-dark").await?;
    browser.dark(false).await?;
    browser.screen(1080, 800, false).await?;
    browser.go(&town.at("/")).await?;
    browser.see("Nothing is lost").await?;
    browser.picture(&picture("overview-english")).await?;
    browser.click("//button[.='Log out']").await?;
    browser.see("You are logged out.").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_owner_connects_sees_and_mends_in_a_browser() {
    in_a_browser(story).await;
}
