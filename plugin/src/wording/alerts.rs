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

/// The message's lines; `page` is where people see more.
pub fn message(lang: Lang, outgoing: &Outgoing, page: &str) -> String {
    let mut lines = vec!["KiotViet → Getfly".to_owned()];
    lines.extend(outgoing.items.iter().map(|item| line(lang, item)));
    if outgoing.all_well {
        lines.push(ALL_WELL.of(lang).to_owned());
    }
    lines.push(format!("{page}/"));
    lines.join("\n")
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
            if vi {
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
