//! Claims: on days when something is wrong, the page says what, in both languages and on a 360-pixel screen: webhooks that
//! are off, a Getfly that refuses its key, a retry that is refused again. What both systems
//! have now, a backfill, a preflight and the assumptions are read there too. Axe-core finds nothing on any of them. How:
//! as the day in `browser`.

use crate::{
    axe::{Axe, looked_at},
    browser::{connects, logs_in},
    town::{Town, in_a_browser, town, wait_for},
    webdriver::Browser,
};
use anyhow::{Context, Result, ensure};
use host_test::shop::{customer, hoa, sale};
use http::Method;
use sim::{Fault, FaultRule, When};

const WIDE: u32 = 360;

/// The page that is open says this in Vietnamese and in English, fits the screen, and axe-core finds nothing on it. It is
/// in Vietnamese afterwards.
async fn says(browser: &Browser, name: &str, [vi, en]: [&str; 2]) -> Result<()> {
    for (words, other, suffix) in [(vi, "English", ""), (en, "Tiếng Việt", "-english")] {
        browser.see(words).await?;
        let name = format!("bad-day-{name}{suffix}");
        let found = looked_at(browser, &Axe::installed(), WIDE, &name).await?;
        ensure!(found.is_empty(), "axe-core: {found}");
        browser.click(&format!("//a[.={other:?}]")).await?;
    }
    browser.see(vi).await
}

/// Opens a page repeatedly, as a person would, until it says this.
async fn opens_until(town: &Town, browser: &Browser, page: &str, words: &str) -> Result<()> {
    for _ in 0..300 {
        browser.go(&town.at(page)).await?;
        let shown = browser
            .eval("document.querySelector('main').innerText")
            .await?;
        if shown.as_str().is_some_and(|shown| shown.contains(words)) {
            return Ok(());
        }
    }
    browser.see(words).await
}

/// Connected, and nothing is switched on.
async fn is_off(town: &Town, browser: &Browser) -> Result<()> {
    for webhook in ["customer", "order"] {
        browser.go(&town.at("/ui/shops/cuahangthu")).await?;
        browser
            .click(&format!("//*[@id='{webhook}']//button[.='Tắt']"))
            .await?;
        browser.see("Đã lưu thay đổi").await?;
    }
    browser.go(&town.at("/")).await?;
    let words = [
        "Đã kết nối nhưng chưa bật webhook nào",
        "Connected, but no webhook is on",
    ];
    says(browser, "off", words).await?;
    browser.press("Bật webhook").await?;
    for webhook in ["customer", "order"] {
        browser
            .click(&format!("//*[@id='{webhook}']//button[.='Bật']"))
            .await?;
        browser.see("Đã lưu thay đổi").await?;
    }
    Ok(())
}

/// Getfly refuses its key: red on the overview with what waits, and on the event.
async fn is_paused(town: &Town, browser: &Browser) -> Result<()> {
    let refuses = FaultRule::new(Fault::Status(401, None));
    let rule = town.getfly_faults.add(refuses);
    let id = town.vendors.kiotviet.create_customer(hoa());
    town.vendors.kiotviet.create_invoice(sale(Some(id)));
    town.deliver().await;
    let words = [
        "Getfly từ chối API Key (401)",
        "Getfly refuses the API key (401)",
    ];
    opens_until(town, browser, "/", "2 sự kiện đang chờ").await?;
    says(browser, "paused", words).await?;
    browser.go(&town.at("/ui/events/1")).await?;
    says(browser, "waits", words).await?;
    let red = "document.querySelector('main .danger') !== null";
    ensure!(browser.eval(red).await? == true, "it is red");
    town.getfly_faults.remove(rule);
    wait_for(town, browser, "done", 2).await
}

/// What both systems have now.
async fn reads(town: &Town, browser: &Browser) -> Result<()> {
    browser.go(&town.at("/ui/events")).await?;
    browser.click("//main//a[contains(., 'HD000001')]").await?;
    browser.press("Đọc dữ liệu hiện tại").await?;
    let words = ["Đơn giá", "Price"];
    says(browser, "live", words).await?;
    browser.see("0912345678").await
}

/// Getfly refuses a customer, and again when a person tries it.
async fn is_refused(town: &Town, browser: &Browser) -> Result<()> {
    let refuse = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/account");
    town.getfly_faults.add(refuse.when(When::First(3)));
    let new = customer("Anh Bền", "0987 654 312");
    town.vendors.kiotviet.create_customer(new);
    town.deliver().await;
    wait_for(town, browser, "dead", 1).await?;
    browser
        .click("//main//a[contains(@class, 'event')]")
        .await?;
    browser.press("Thử lại").await?;
    browser.see("Đã thử lại, nhưng vẫn chưa được:").await?;
    let green = "document.querySelector('main .alert.good') === null";
    ensure!(browser.eval(green).await? == true, "nothing is green");
    // What came of it is told once, and not again in the other language.
    let words = ["Getfly từ chối tạo bản ghi này", "Getfly refuses to create"];
    says(browser, "refused-again", words).await?;
    browser.click("//a[.='English']").await?;
    browser.press("Try again").await?;
    browser.see("It was tried again, and still fails:").await?;
    browser.click("//a[.='Tiếng Việt']").await
}

/// A backfill from its command to its outcomes.
async fn is_backfilled(town: &Town, browser: &Browser) -> Result<()> {
    browser
        .go(&town.at("/ui/shops/cuahangthu/backfill"))
        .await?;
    browser
        .eval("document.querySelector('[name=from]').value = '2026-10-01'")
        .await?;
    browser.press("Bắt đầu lấy").await?;
    browser.see("Tiến độ").await?;
    let page = "/ui/shops/cuahangthu/backfill";
    opens_until(town, browser, page, "Đã xong").await?;
    says(browser, "backfilled", ["Đã xong", "Done"]).await
}

/// What a new tenant is looked over for.
async fn is_looked_over(town: &Town, browser: &Browser) -> Result<()> {
    browser
        .go(&town.at("/ui/shops/cuahangthu/preflight"))
        .await?;
    says(browser, "preflight", ["Kiểm tra trước", "Preflight"]).await?;
    browser.go(&town.at("/ui/assumptions")).await?;
    says(
        browser,
        "assumptions",
        ["Giả định về KiotViet", "What is assumed of KiotViet"],
    )
    .await
}

async fn story(browser: &Browser) -> Result<()> {
    let town = town().await?;
    browser.screen(WIDE, 780, true).await?;
    logs_in(&town, browser).await.context("logging in")?;
    connects(&town, browser).await.context("connecting")?;
    is_off(&town, browser).await.context("off")?;
    is_paused(&town, browser).await.context("paused")?;
    reads(&town, browser).await.context("reading")?;
    is_refused(&town, browser).await.context("refused")?;
    is_backfilled(&town, browser).await.context("a backfill")?;
    is_looked_over(&town, browser).await.context("looking")
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_bad_day_the_page_says_what_is_wrong() {
    in_a_browser(story).await;
}
