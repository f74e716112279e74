//! What an event's reason means, in a plain sentence, and for a dead letter what to do about it.

use super::text::{Lang, Text, text};
use crate::{journal::dead_reason::DeadReason, rules::verdict::Reason};

/// What a dead letter's reason means, and what to do about it.
pub struct Death {
    /// What it means.
    pub means: Text,
    /// What to do about it.
    pub mend: Text,
}

const fn death(means: Text, mend: Text) -> Death {
    Death { means, mend }
}

/// What is told of a dead letter.
pub fn death_of(reason: DeadReason) -> Death {
    match reason {
        DeadReason::GetflyRefused => death(
            text!(
                "Getfly từ chối tạo bản ghi này. Lý do của Getfly nằm trong phần Ghi chú.",
                "Getfly refuses to create this record. Getfly's own words are among the notes.",
            ),
            text!(
                "Sửa khách hàng hoặc hóa đơn trên KiotViet (hoặc thiết lập trên Getfly) theo lý do đó, rồi ấn Thử lại. Nếu không cần nữa, hãy đóng sự kiện.",
                "Mend the customer or invoice on KiotViet (or the settings in Getfly) accordingly, then try again. Dismiss it if it is not needed.",
            ),
        ),
        DeadReason::KiotvietRefused => death(
            text!(
                "KiotViet từ chối cho đọc bản ghi này. Lý do của KiotViet nằm trong phần Ghi chú.",
                "KiotViet refuses to give this record. KiotViet's own words are among the notes.",
            ),
            text!(
                "Kiểm tra kết nối và quyền trong Thiết lập kết nối API trên KiotViet, rồi ấn Thử lại.",
                "Look at the connection and its rights on KiotViet (Thiết lập kết nối API), then try again.",
            ),
        ),
        DeadReason::GetflyUnavailable => death(
            text!(
                "Getfly không trả lời suốt hơn ba ngày.",
                "Getfly did not answer for more than three days.",
            ),
            text!(
                "Kiểm tra Getfly có hoạt động không và Getfly API Key còn đúng không, rồi ấn Thử lại.",
                "Make sure that Getfly works and its API key is still right, then try again.",
            ),
        ),
        DeadReason::KiotvietUnavailable => death(
            text!(
                "KiotViet không trả lời suốt hơn ba ngày, hoặc không chấp nhận kết nối này.",
                "KiotViet did not answer for more than three days, or does not accept this connection.",
            ),
            text!(
                "Kiểm tra cửa hàng trong mục Cửa hàng, kết nối lại nếu cần, rồi ấn Thử lại.",
                "Look at the shop under Shops, connect it again if need be, then try again.",
            ),
        ),
        DeadReason::RecordUnreadable => death(
            text!(
                "Bản ghi trên KiotViet có một trường không đọc được. Tên trường nằm trong phần Ghi chú.",
                "A field of KiotViet's record cannot be read. The notes name it.",
            ),
            text!(
                "Sửa trường đó trên KiotViet rồi ấn Thử lại.",
                "Mend that field on KiotViet, then try again.",
            ),
        ),
        DeadReason::EditOrSale => death(
            text!(
                "Mã hóa đơn giống một bản sửa của hóa đơn khác, nhưng ngày bán khác nhau.",
                "The invoice's code looks like another one's edit, but the days of sale differ.",
            ),
            text!(
                "Hãy xem hai hóa đơn trên KiotViet rồi cho biết: bản sửa không tạo đơn hàng thứ hai, đơn bán riêng tạo đơn hàng.",
                "Look at both invoices on KiotViet, then say which it is: an edit makes no second order, a sale of its own makes its order.",
            ),
        ),
        DeadReason::LinkedAccountGone => death(
            text!(
                "Getfly không còn khách hàng mà anh/chị đã liên kết thủ công.",
                "Getfly no longer has the account that you linked by hand.",
            ),
            text!(
                "Hãy liên kết với khách hàng khác, hoặc bỏ liên kết để tìm lại theo email và số điện thoại; sự kiện sẽ được thử lại.",
                "Link another account, or undo the link so that it is searched by e-mail and phone again; the event is then tried again.",
            ),
        ),
        DeadReason::CreationDateMissing => death(
            text!(
                "KiotViet không cho biết ngày tạo, nên không phân biệt được mới hay cũ.",
                "KiotViet does not tell when it was created, so new and old cannot be told apart.",
            ),
            text!(
                "Nếu là bản ghi mới, hãy nhập tay vào Getfly rồi đóng sự kiện.",
                "If it is new, enter it in Getfly by hand and dismiss the event.",
            ),
        ),
        DeadReason::AbsurdAmount => death(
            text!(
                "Số tiền hoặc số lượng trên hóa đơn lớn bất thường nên không thể tính được.",
                "An amount or quantity on the invoice is too large to be computed.",
            ),
            text!(
                "Kiểm tra hóa đơn trên KiotViet, sửa lại, rồi ấn Thử lại.",
                "Look at the invoice on KiotViet, mend it, then try again.",
            ),
        ),
        DeadReason::TooManyNumbers => death(
            text!(
                "Khách hàng có quá nhiều số điện thoại và email để tìm theo từng số trên Getfly.",
                "The customer has too many phone numbers and e-mails to look for each of them in Getfly.",
            ),
            text!(
                "Xóa bớt số điện thoại hoặc email của khách hàng trên KiotViet, rồi ấn Thử lại.",
                "Take some of the customer's numbers or e-mails away on KiotViet, then try again.",
            ),
        ),
        DeadReason::BadSignature => death(
            text!(
                "Chữ ký của webhook bị thiếu hoặc sai, nên không được tin cậy.",
                "The delivery's signature is missing or wrong, so it is not trusted.",
            ),
            text!(
                "Nếu cửa hàng không đổi gì, đây có thể là yêu cầu giả mạo: hãy đóng sự kiện. Nếu sự kiện nào cũng vậy, hãy đặt signature_policy thành observe rồi ấn Thử lại.",
                "If nothing was changed at the shop it may be forged: dismiss it. If all are so, set signature_policy to observe and try them again.",
            ),
        ),
        DeadReason::Unreadable => death(
            text!(
                "Nội dung nhận được không phải là webhook của KiotViet, hoặc không đọc được.",
                "What came is not a KiotViet webhook, or it cannot be read.",
            ),
            text!(
                "Thường không cần làm gì: hãy đóng sự kiện. Nếu thiếu khách hàng hoặc hóa đơn, dùng Lấy dữ liệu cũ.",
                "Mostly nothing: dismiss it. If a customer or invoice is missing, use Older data.",
            ),
        ),
        DeadReason::TooManyItems => death(
            text!(
                "Một lần gửi có rất nhiều mục nên được giữ nguyên, chưa tách ra.",
                "One delivery has so many items that it was kept whole.",
            ),
            text!(
                "Ấn Thử lại để tách thành từng mục. Nếu vẫn không được, dùng Lấy dữ liệu cũ cho khoảng thời gian này, rồi đóng sự kiện.",
                "Try again: it is taken apart then. If that fails, use Older data for this time, then dismiss the event.",
            ),
        ),
        DeadReason::DamagedEntry => death(
            text!(
                "Bản ghi trong kho lưu trữ bị hỏng và không đọc được.",
                "The entry in the store is damaged and cannot be read.",
            ),
            text!(
                "Báo cho người cài đặt ứng dụng. Dùng Lấy dữ liệu cũ để tìm lại những gì còn thiếu.",
                "Tell whoever installed the application. Use Older data to find what is missing.",
            ),
        ),
    }
}

fn vietnamese(reason: Reason) -> &'static str {
    match reason {
        Reason::CustomerCreated => {
            "Khách hàng mới trên KiotViet, đã được tạo thành khách hàng trên Getfly."
        }
        Reason::OrderCreated => {
            "Hóa đơn mới trên KiotViet, đã được tạo thành đơn hàng trên Getfly."
        }
        Reason::LinkedByEmail => {
            "Trên Getfly đã có khách hàng cùng email, nên được liên kết và không tạo mới."
        }
        Reason::LinkedByPhone => {
            "Trên Getfly đã có khách hàng cùng số điện thoại, nên được liên kết và không tạo mới."
        }
        Reason::CustomerWebhookOff => {
            "Webhook khách hàng đang tắt, nên riêng khách hàng thì không được đẩy về."
        }
        Reason::OrderWebhookOff => "Webhook đơn hàng đang tắt, nên hóa đơn không được đẩy về.",
        Reason::CreatedBeforeConnection => {
            "Được tạo trên KiotViet trước khi bật webhook, nên đây là lần chỉnh sửa về sau, và chỉnh sửa không làm thay đổi Getfly."
        }
        Reason::AlreadySynced => {
            "Đã được đẩy về Getfly trước đó, và các thay đổi về sau trên KiotViet không làm thay đổi Getfly."
        }
        Reason::InvoiceEdited => {
            "Đây là bản chỉnh sửa của một hóa đơn cũ, và chỉnh sửa không làm thay đổi Getfly."
        }
        Reason::InvoiceCancelled => "Hóa đơn đã bị hủy trên KiotViet.",
        Reason::NotSyncedType => {
            "Chỉ khách hàng và hóa đơn được đẩy về Getfly, loại này thì không."
        }
        Reason::DeletedOnKiotviet => "KiotViet không còn bản ghi này.",
        Reason::WebhookRegisteredAgain => {
            "KiotViet không còn gửi webhook này, nên webhook đã được đăng ký lại, và những thay đổi trong lúc đó được đọc lại."
        }
    }
}

/// What an ended event's reason means.
pub fn explain(lang: Lang, reason: Reason) -> &'static str {
    match lang {
        Lang::Vi => vietnamese(reason),
        Lang::En => reason.explain(),
    }
}

/// The rules' names, R1 first.
const RULES: [Text; 14] = [
    text!("Kết nối", "Connect"),
    text!(
        "Khách hàng mới thành khách hàng Getfly",
        "A new customer becomes an account",
    ),
    text!(
        "Hóa đơn mới thành đơn hàng Getfly",
        "A new invoice becomes an order",
    ),
    text!("Khi tắt webhook khách hàng", "Customer webhook off"),
    text!("Khách lẻ", "Walk-in (Khách lẻ)"),
    text!("Chỉ tạo mới, không cập nhật", "Create only, never update"),
    text!("Liên kết, không tạo trùng", "Link, do not duplicate"),
    text!(
        "Nhiều số hoặc email giữ chung một trường",
        "Merged values stay one field",
    ),
    text!("Số 0 ở đầu", "Leading zero"),
    text!("Chỉ nhận hóa đơn", "Invoices only"),
    text!("Marketing Automation", "Marketing automation"),
    text!("Người phụ trách", "In charge (người phụ trách)"),
    text!("Người thực hiện", "Who carried it out (người thực hiện)"),
    text!("Nguồn KiotViet", "Source KiotViet"),
];

/// The name of a rule, by its number `R1` to `R14`.
pub fn rule(word: &str) -> Option<Text> {
    let number: usize = word.strip_prefix('R')?.parse().ok()?;
    RULES.get(number.checked_sub(1)?).copied()
}

/// What the members of a plan, and of what Getfly is sent and answers, are called.
const LABELS: [(&str, Text); 60] = [
    ("account", text!("Khách hàng", "Account")),
    ("account_code", text!("Mã khách hàng", "Account code")),
    ("address", text!("Địa chỉ", "Address")),
    ("birthday", text!("Sinh nhật", "Birthday")),
    ("by", text!("Căn cứ", "By")),
    ("campaign_code", text!("Mã chiến dịch", "Campaign code")),
    ("cash_discount", text!("Chiết khấu", "Discount")),
    ("code", text!("Mã", "Code")),
    ("create", text!("Tạo mới", "Create")),
    ("customer", text!("Khách hàng", "Customer")),
    (
        "customer_id",
        text!("Mã số trên KiotViet", "Number on KiotViet"),
    ),
    ("date", text!("Ngày", "Date")),
    ("description", text!("Mô tả", "Description")),
    ("discount", text!("Chiết khấu", "Discount")),
    ("email", text!("Email", "E-mail")),
    ("executor", text!("Người thực hiện", "Carried out by")),
    ("gender", text!("Giới tính", "Gender")),
    ("ignore", text!("Bỏ qua", "Ignore")),
    ("installation", text!("Thu khác", "Other charges")),
    ("invoice_code", text!("Mã hóa đơn", "Invoice code")),
    (
        "invoice_id",
        text!("Mã số trên KiotViet", "Number on KiotViet"),
    ),
    ("known", text!("Đã có trên Getfly", "Known in Getfly")),
    ("lines", text!("Sản phẩm", "Products")),
    ("link", text!("Liên kết", "Link")),
    ("manager", text!("Người phụ trách", "In charge")),
    ("name", text!("Tên", "Name")),
    ("order", text!("Đơn hàng", "Order")),
    (
        "order_is_there",
        text!("Đơn hàng đã có", "The order is there"),
    ),
    ("ours", text!("Đã tạo trước đó", "Created earlier")),
    ("phone", text!("Số điện thoại", "Phone")),
    ("price", text!("Đơn giá", "Price")),
    ("product_code", text!("Mã sản phẩm", "Product code")),
    ("product_name", text!("Tên sản phẩm", "Product name")),
    ("quantity", text!("Số lượng", "Quantity")),
    ("reason", text!("Lý do", "Reason")),
    ("source", text!("Nguồn", "Source")),
    ("tax_code", text!("Mã số thuế", "Tax code")),
    ("terms", text!("Điều khoản", "Terms")),
    ("transport", text!("Phí vận chuyển", "Shipping")),
    ("vat", text!("Thuế", "Tax")),
    ("account_name", text!("Tên khách hàng", "Account name")),
    ("account_phone", text!("Số điện thoại", "Phone")),
    ("account_email", text!("Email", "E-mail")),
    ("account_source_details", text!("Nguồn", "Source")),
    ("account_source_names", text!("Nguồn", "Source")),
    (
        "assigned_user_name",
        text!("Người thực hiện", "Carried out by"),
    ),
    (
        "assigned_username",
        text!("Người thực hiện", "Carried out by"),
    ),
    ("billing_address_street", text!("Địa chỉ", "Address")),
    ("created_at", text!("Tạo lúc", "Created at")),
    ("discount_amount", text!("Chiết khấu", "Discount")),
    ("mgr_display_name", text!("Người phụ trách", "In charge")),
    ("order_code", text!("Mã đơn hàng", "Order code")),
    ("order_date", text!("Ngày", "Date")),
    ("order_details", text!("Sản phẩm", "Products")),
    ("order_terms", text!("Điều khoản", "Terms")),
    ("phone_office", text!("Số điện thoại", "Phone")),
    ("real_amount", text!("Tổng tiền", "Total")),
    ("saved_order_details", text!("Sản phẩm", "Products")),
    ("sic_code", text!("Mã số thuế", "Tax code")),
    ("vat_amount", text!("Thuế", "Tax")),
];

/// A member in words; its own name where it has none.
pub fn label(lang: Lang, name: &str) -> &str {
    let found = LABELS.iter().find(|(n, _)| *n == name);
    found.map_or(name, |(_, text)| text.of(lang))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_sentence_in_both_languages() {
        for reason in Reason::ALL {
            let vietnamese = explain(Lang::Vi, reason);
            assert!(vietnamese.ends_with('.'), "{reason}");
            assert_ne!(vietnamese, explain(Lang::En, reason));
        }
    }

    #[test]
    fn every_dead_letter_says_what_to_do() {
        for reason in DeadReason::ALL {
            let death = death_of(reason);
            for Text(text) in [death.means, death.mend] {
                assert!(text.vi.ends_with('.') && text.en.ends_with('.'), "{reason}");
            }
        }
    }

    #[test]
    fn rules_are_named_by_their_number() {
        assert_eq!(rule("R7").unwrap().0.en, "Link, do not duplicate");
        assert_eq!(rule("R14").unwrap().0.vi, "Nguồn KiotViet");
        for none in ["R0", "R15", "7", ""] {
            assert_eq!(rule(none), None);
        }
    }
}
