//! What an alert says of each cause, in both languages.

use crate::{
    journal::{
        alerts::{Cause, Item, Outcome, Outgoing},
        trouble::Trouble,
        webhook::Webhook,
    },
    time::Timestamp,
    wording::{
        reasons::death_of,
        sentences::{Fact, Sentence},
        text::Lang,
        text::Text,
        text::text,
        times::shown,
    },
};

/// Nothing stands any more.
const ALL_WELL: Text = text!("Mọi thứ lại ổn.", "All is well again.");
/// Before the time.
const SINCE: Text = text!("từ", "since");
/// What begins the line of a cause that is over.
const OVER: Text = text!("Đã xong", "Over");
/// A test.
const TEST: Text = text!(
    "Đây là tin thử: cảnh báo của cầu nối KiotViet → Getfly đến được đây.",
    "This is a test: alerts of the KiotViet → Getfly bridge arrive here.",
);

/// Why a message is not known to have arrived.
impl Fact for Outcome {
    fn sentence(&self, lang: Lang) -> Sentence {
        let words = match (lang, self) {
            (Lang::En, outcome) => outcome.why().unwrap_or_default(),
            (Lang::Vi, Self::Arrived) => String::new(),
            (Lang::Vi, Self::Answered(status)) => {
                format!("nơi nhận ở alert_origin trả lời {status}")
            }
            (Lang::Vi, Self::NotAllowed) => {
                "máy chủ không cho phép gọi đến alert_origin: hãy thêm địa chỉ này vào allowed_outbound_hosts".to_owned()
            }
            (Lang::Vi, Self::Refused(why)) => why.clone(),
            (Lang::Vi, Self::NoAnswer(_)) => "nơi nhận ở alert_origin không trả lời".to_owned(),
        };
        Sentence {
            words,
            ours: lang == Lang::En || !matches!(self, Self::Refused(_)),
        }
    }
}

/// The text of a test message.
pub fn test(lang: Lang) -> &'static str {
    TEST.of(lang)
}

/// The message's lines, at most `most` characters of them; `page` is where people see more.
pub fn message(lang: Lang, outgoing: &Outgoing, page: &str, most: usize) -> String {
    let mut lines = vec!["KiotViet → Getfly".to_owned()];
    let mut last = vec![format!("{page}/")];
    if outgoing.all_well {
        last.insert(0, ALL_WELL.of(lang).to_owned());
    }
    let length = |lines: &[String]| -> usize {
        // Receivers count as JavaScript does.
        let units = lines.iter().map(|line| line.encode_utf16().count() + 1);
        units.sum()
    };
    let all = outgoing.items.len();
    let mut left = most.saturating_sub(length(&lines) + length(&last) + length(&[more(lang, all)]));
    let items: &[Item] = if outgoing.brief { &[] } else { &outgoing.items };
    let mut told = 0;
    for item in items {
        let line = [line(lang, item)];
        let Some(rest) = left.checked_sub(length(&line)) else {
            break;
        };
        left = rest;
        told += 1;
        lines.extend(line);
    }
    if told < all {
        lines.push(more(lang, all - told));
    }
    lines.append(&mut last);
    lines.join("\n")
}

/// What a message has no room for.
fn more(lang: Lang, count: usize) -> String {
    match lang {
        Lang::Vi => format!("… và {count} việc nữa"),
        Lang::En => format!("… and {count} more"),
    }
}

fn line(lang: Lang, item: &Item) -> String {
    let mut words = cause(lang, &item.cause, item.count);
    if let Some(why) = item.why.as_ref().filter(|_| !item.is_over()) {
        words = format!("{words} {}", sentence(lang, why));
    }
    if item.is_over() {
        format!("✓ {}: {words}", OVER.of(lang))
    } else {
        let since = time(item.since);
        format!("• {words} ({} {since})", SINCE.of(lang))
    }
}

fn sentence(lang: Lang, why: &Trouble) -> String {
    why.sentence(lang).words
}

fn time(at: Timestamp) -> String {
    shown(at).unwrap_or_else(|| at.to_string())
}

/// A cause in a sentence. `count` is how many dead letters there are.
pub fn cause(lang: Lang, cause: &Cause, count: u64) -> String {
    let vi = lang == Lang::Vi;
    match cause {
        Cause::DeadLetters { connection, reason } => {
            let means = death_of(*reason).means.of(lang);
            if count == 0 && vi {
                format!("{connection}: không còn sự kiện nào như thế này. {means}")
            } else if count == 0 {
                format!("{connection}: no such event is left. {means}")
            } else if vi {
                format!("{connection}: {count} sự kiện cần anh/chị xử lý. {means}")
            } else {
                let events = if count == 1 {
                    "event needs"
                } else {
                    "events need"
                };
                format!("{connection}: {count} {events} you. {means}")
            }
        }
        Cause::GetflyFails if vi => "Getfly không nhận được dữ liệu.".to_owned(),
        Cause::GetflyFails => "Getfly does not take what it is sent.".to_owned(),
        Cause::KiotVietFails { connection } if vi => {
            format!("{connection}: KiotViet không trả dữ liệu.")
        }
        Cause::KiotVietFails { connection } => {
            format!("{connection}: KiotViet does not answer as it should.")
        }
        Cause::WebhookInactive {
            connection,
            webhook,
        } => match (webhook, vi) {
            (Webhook::Customer, true) => {
                format!(
                    "{connection}: webhook khách hàng đang tắt trên KiotViet và chưa bật lại được."
                )
            }
            (Webhook::Order, true) => {
                format!(
                    "{connection}: webhook đơn hàng đang tắt trên KiotViet và chưa bật lại được."
                )
            }
            (Webhook::Customer, false) => {
                format!(
                    "{connection}: the customer webhook is off at KiotViet and could not be switched on."
                )
            }
            (Webhook::Order, false) => {
                format!(
                    "{connection}: the order webhook is off at KiotViet and could not be switched on."
                )
            }
        },
        Cause::PollFails { connection } if vi => {
            format!("{connection}: không đọc được hóa đơn của cửa hàng F&B này.")
        }
        Cause::PollFails { connection } => {
            format!("{connection}: the invoices of this F&B shop cannot be read.")
        }
        Cause::AnotherBridge { connection } if vi => {
            format!("{connection}: một cầu nối khác cũng đang nhận dữ liệu của cửa hàng này.")
        }
        Cause::AnotherBridge { connection } => {
            format!("{connection}: another bridge takes this shop's data, too.")
        }
        Cause::AnotherGetfly if vi => "getfly_url là một Getfly khác; chưa gửi gì.".to_owned(),
        Cause::AnotherGetfly => "getfly_url is another Getfly; nothing is sent.".to_owned(),
        Cause::Contradicted { assumption } if vi => {
            format!("Giả định không đúng ở đây: {}.", assumption.said().0)
        }
        Cause::Contradicted { assumption } => {
            format!("An assumption does not hold here: {}.", assumption.said().1)
        }
        Cause::Silence { connection } if vi => {
            format!("{connection}: không có gì đến trong giờ bán hàng thường ngày.")
        }
        Cause::Silence { connection } => {
            format!("{connection}: nothing comes at hours at which it usually sells.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{connection_name::ConnectionName, webhook::Webhook};

    #[test]
    fn a_long_message_is_cut_at_a_whole_line_and_says_how_much_is_left() {
        let items = (0..20).map(|n| Item {
            cause: Cause::WebhookInactive {
                connection: ConnectionName::parse(&format!("shop-{n}")).unwrap(),
                webhook: Webhook::Order,
            },
            since: Timestamp::UNIX_EPOCH,
            count: 1,
            why: Some(Trouble::Text("x".repeat(200))),
            told_before: None,
        });
        let outgoing = Outgoing {
            number: 1,
            at: Timestamp::UNIX_EPOCH,
            items: items.collect(),
            all_well: false,
            brief: false,
        };
        for lang in [Lang::Vi, Lang::En] {
            let whole = message(lang, &outgoing, "https://a.test", usize::MAX);
            let cut = message(lang, &outgoing, "https://a.test", 2_000);
            assert!(cut.encode_utf16().count() <= 2_000, "{cut}");
            let told = cut.lines().filter(|line| line.starts_with('•')).count();
            assert!((5..20).contains(&told), "{cut}");
            assert!(cut.contains(&more(lang, 20 - told)), "{cut}");
            for line in cut.lines().filter(|line| line.starts_with('•')) {
                assert!(whole.contains(line));
            }
            let brief = Outgoing {
                brief: true,
                ..outgoing.clone()
            };
            let brief = message(lang, &brief, "https://a.test", 2_000);
            assert!(brief.contains(&more(lang, 20)), "{brief}");
            assert_eq!(brief.lines().count(), 3);
        }
    }
}
