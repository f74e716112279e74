//! What an event's reason means, in a plain sentence, and for a dead letter what to do about it.

use super::words::{Lang, Text};
use crate::rules::verdict::Reason;

/// A dead letter's word, what it means, and what to do.
struct Death {
    word: &'static str,
    means: Text,
    mend: Text,
}

const fn death(word: &'static str, means: Text, mend: Text) -> Death {
    Death { word, means, mend }
}

const DEATHS: [Death; 10] = [
    death(
        "getfly_refused",
        Text::new(
            "Getfly từ chối tạo bản ghi này. Lý do của Getfly nằm trong phần Ghi chú.",
            "Getfly refuses to create this record. Getfly's own words are among the notes.",
        ),
        Text::new(
            "Sửa khách hàng hoặc hóa đơn trên KiotViet (hoặc thiết lập trên Getfly) theo lý do đó, rồi bấm Thử lại. Nếu không cần nữa, hãy đóng sự kiện.",
            "Mend the customer or invoice on KiotViet (or the settings in Getfly) accordingly, then try again. Dismiss it if it is not needed.",
        ),
    ),
    death(
        "kiotviet_refused",
        Text::new(
            "KiotViet từ chối cho đọc bản ghi này. Lý do của KiotViet nằm trong phần Ghi chú.",
            "KiotViet refuses to give this record. KiotViet's own words are among the notes.",
        ),
        Text::new(
            "Kiểm tra kết nối và quyền trong Thiết lập kết nối API trên KiotViet, rồi bấm Thử lại.",
            "Look at the connection and its rights on KiotViet (Thiết lập kết nối API), then try again.",
        ),
    ),
    death(
        "getfly_unavailable",
        Text::new(
            "Getfly không trả lời suốt hơn ba ngày.",
            "Getfly did not answer for more than three days.",
        ),
        Text::new(
            "Kiểm tra Getfly có hoạt động không và Getfly API Key còn đúng không, rồi bấm Thử lại.",
            "Make sure that Getfly works and its API key is still right, then try again.",
        ),
    ),
    death(
        "kiotviet_unavailable",
        Text::new(
            "KiotViet không trả lời suốt hơn ba ngày, hoặc không chấp nhận kết nối này.",
            "KiotViet did not answer for more than three days, or does not accept this connection.",
        ),
        Text::new(
            "Kiểm tra cửa hàng trong mục Cửa hàng, kết nối lại nếu cần, rồi bấm Thử lại.",
            "Look at the shop under Shops, connect it again if need be, then try again.",
        ),
    ),
    death(
        "creation_date_missing",
        Text::new(
            "KiotViet không cho biết ngày tạo, nên không phân biệt được mới hay cũ.",
            "KiotViet does not tell when it was created, so new and old cannot be told apart.",
        ),
        Text::new(
            "Nếu là bản ghi mới, hãy nhập tay vào Getfly rồi đóng sự kiện.",
            "If it is new, enter it in Getfly by hand and dismiss the event.",
        ),
    ),
    death(
        "absurd_amount",
        Text::new(
            "Số tiền hoặc số lượng trên hóa đơn lớn bất thường nên không thể tính được.",
            "An amount or quantity on the invoice is too large to be computed.",
        ),
        Text::new(
            "Kiểm tra hóa đơn trên KiotViet, sửa lại, rồi bấm Thử lại.",
            "Look at the invoice on KiotViet, mend it, then try again.",
        ),
    ),
    death(
        "bad_signature",
        Text::new(
            "Chữ ký của webhook bị thiếu hoặc sai, nên không được tin cậy.",
            "The delivery's signature is missing or wrong, so it is not trusted.",
        ),
        Text::new(
            "Nếu cửa hàng không đổi gì, đây có thể là yêu cầu giả mạo: hãy đóng sự kiện. Nếu lặp lại nhiều, bấm Đăng ký lại cho webhook của cửa hàng.",
            "If nothing was changed at the shop it may be forged: dismiss it. If it happens often, register the shop's webhook again.",
        ),
    ),
    death(
        "unreadable",
        Text::new(
            "Nội dung nhận được không phải là webhook của KiotViet, hoặc không đọc được.",
            "What came is not a KiotViet webhook, or it cannot be read.",
        ),
        Text::new(
            "Thường không cần làm gì: hãy đóng sự kiện. Nếu thiếu khách hàng hoặc hóa đơn, dùng Lấy dữ liệu cũ.",
            "Mostly nothing: dismiss it. If a customer or invoice is missing, use Older data.",
        ),
    ),
    death(
        "too_many_items",
        Text::new(
            "Một lần gửi có quá nhiều mục nên không tách ra được.",
            "One delivery has too many items to be taken apart.",
        ),
        Text::new(
            "Dùng Lấy dữ liệu cũ cho khoảng thời gian này, rồi đóng sự kiện.",
            "Use Older data for this time, then dismiss the event.",
        ),
    ),
    death(
        "damaged_entry",
        Text::new(
            "Bản ghi trong kho lưu trữ bị hỏng và không đọc được.",
            "The entry in the store is damaged and cannot be read.",
        ),
        Text::new(
            "Báo cho người cài đặt ứng dụng. Dùng Lấy dữ liệu cũ để tìm lại những gì còn thiếu.",
            "Tell whoever installed the application. Use Older data to find what is missing.",
        ),
    ),
];

const UNKNOWN: Death = death(
    "",
    Text::new(
        "Sự kiện này cần người xem xét. Lý do nằm trong phần Ghi chú.",
        "This event needs a person. The notes say why.",
    ),
    Text::new(
        "Đọc phần Ghi chú, sửa nguyên nhân rồi bấm Thử lại, hoặc đóng sự kiện.",
        "Read the notes, mend the cause and try again, or dismiss the event.",
    ),
);

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

/// What an ended event's reason means; none for a word that is not one.
pub(super) fn explain(lang: Lang, word: &str) -> Option<&'static str> {
    let reason = Reason::ALL.into_iter().find(|r| r.as_str() == word)?;
    Some(match lang {
        Lang::Vi => vietnamese(reason),
        Lang::En => reason.explain(),
    })
}

/// What a dead letter's reason means, and what to do.
pub(super) fn death_of(word: &str) -> (Text, Text) {
    let found = DEATHS.iter().find(|d| d.word == word).unwrap_or(&UNKNOWN);
    (found.means, found.mend)
}

/// The rules' names, R1 first.
const RULES: [Text; 14] = [
    Text::new("Kết nối", "Connect"),
    Text::new(
        "Khách hàng mới thành khách hàng Getfly",
        "A new customer becomes an account",
    ),
    Text::new(
        "Hóa đơn mới thành đơn hàng Getfly",
        "A new invoice becomes an order",
    ),
    Text::new("Khi tắt webhook khách hàng", "Customer webhook off"),
    Text::new("Khách lẻ", "Walk-in (Khách lẻ)"),
    Text::new("Chỉ tạo mới, không cập nhật", "Create only, never update"),
    Text::new("Liên kết, không tạo trùng", "Link, do not duplicate"),
    Text::new(
        "Nhiều số hoặc email giữ chung một trường",
        "Merged values stay one field",
    ),
    Text::new("Số 0 ở đầu", "Leading zero"),
    Text::new("Chỉ nhận hóa đơn", "Invoices only"),
    Text::new("Marketing Automation", "Marketing automation"),
    Text::new("Người phụ trách", "In charge (người phụ trách)"),
    Text::new("Người thực hiện", "Who carried it out (người thực hiện)"),
    Text::new("Nguồn KiotViet", "Source KiotViet"),
];

/// The name of a rule, by its number `R1` to `R14`.
pub(super) fn rule(word: &str) -> Option<Text> {
    let number: usize = word.strip_prefix('R')?.parse().ok()?;
    RULES.get(number.checked_sub(1)?).copied()
}

/// A problem's `type` in a sentence of the page's own; none where the API's words must do.
pub(super) fn problem(kind: &str) -> Option<Text> {
    let text = match kind {
        "not-found" => Text::new(
            "Địa chỉ không đúng, hoặc trang không còn nữa.",
            "The address is wrong, or the page is gone.",
        ),
        "method-not-allowed" => Text::new(
            "Hãy quay lại và bấm nút trên trang.",
            "Go back and use the button on the page.",
        ),
        "form-expired" => Text::new(
            "Biểu mẫu đã hết hạn và chưa có gì được lưu. Hãy quay lại và bấm lại một lần nữa; nếu biểu mẫu hiện bên dưới thì những gì đã nhập vẫn còn.",
            "The form had expired and nothing was saved. Go back and press the button once more; where a form is shown below, what you typed is kept.",
        ),
        "form-from-elsewhere" => Text::new(
            "Yêu cầu đến từ một trang web khác nên không được thực hiện. Hãy thao tác trên chính trang này.",
            "The request came from another website, so it was not carried out. Use the buttons on this page.",
        ),
        "kiotviet-refused-credentials" => Text::new(
            "KiotViet từ chối Tên cửa hàng, ClientId hoặc Mã bảo mật. Hãy so lại với trang Thiết lập kết nối API và nhập lại.",
            "KiotViet refuses the shop name, ClientId or security code. Compare them with the page Thiết lập kết nối API and enter them again.",
        ),
        "kiotviet-no-right" => Text::new(
            "KiotViet chưa cấp quyền cho kết nối này. Trên KiotViet, tại Thiết lập kết nối API: tích chọn “Cho phép truy xuất thông tin khách hàng, hóa đơn, đặt hàng từ gian hàng của bạn” và Hoạt động, sau đó ấn Lưu.",
            "KiotViet does not give this connection the right. On KiotViet, in Thiết lập kết nối API: tick “Cho phép truy xuất thông tin khách hàng, hóa đơn, đặt hàng từ gian hàng của bạn” and Hoạt động, then press Lưu.",
        ),
        "kiotviet-refused" => Text::new("KiotViet từ chối yêu cầu này.", "KiotViet refused."),
        "kiotviet-unreachable" => Text::new(
            "KiotViet không trả lời như mong đợi. Hãy thử lại sau một phút.",
            "KiotViet does not answer as it should. Try again in a minute.",
        ),
        "getfly-refused" => Text::new(
            "Getfly từ chối yêu cầu này. Kiểm tra Getfly API Key.",
            "Getfly refused. Look at its API key.",
        ),
        "getfly-unreachable" => Text::new(
            "Getfly không trả lời như mong đợi. Hãy thử lại sau một phút.",
            "Getfly does not answer as it should. Try again in a minute.",
        ),
        "store-unavailable" => Text::new(
            "Kho lưu trữ không trả lời. Hãy thử lại sau một phút; nếu vẫn lỗi, báo cho người cài đặt ứng dụng.",
            "The key-value store does not answer. Try again in a minute; if it goes on, tell whoever installed the application.",
        ),
        "unknown-connection" => Text::new("Không có cửa hàng này.", "There is no such shop."),
        "unknown-event" => Text::new(
            "Không có sự kiện số này, hoặc đã quá hạn lưu giữ.",
            "There is no event of this number, or it was kept long enough and removed.",
        ),
        "not-a-dead-letter" => Text::new(
            "Sự kiện này không còn cần xử lý.",
            "This event no longer needs attention.",
        ),
        "webhooks-are-on" => Text::new(
            "Kết nối này đang bật webhook cho cửa hàng khác. Hãy tắt webhook trước.",
            "This connection's webhooks are on for another shop. Switch them off first.",
        ),
        "webhooks-are-off" => Text::new(
            "Cửa hàng này chưa bật webhook nào. Hãy bật webhook khách hàng, webhook đơn hàng hoặc cả hai trước: chỉ những gì chúng đẩy về mới được lấy.",
            "No webhook of this shop is on. Switch on the customer webhook, the order webhook or both first: what they bring is what is brought over.",
        ),
        "backfill-running" => Text::new(
            "Đang lấy dữ liệu cũ của cửa hàng này. Hãy đợi xong hoặc dừng lại trước.",
            "Older data of this shop is being brought over. Wait for its end, or stop it first.",
        ),
        "secrets-cannot-be-opened" => Text::new(
            "Không giải mã được Mã bảo mật đã lưu với master_key hiện tại. Hãy nhập lại ClientId và Mã bảo mật bên dưới.",
            "The kept security code cannot be opened with this master_key. Enter ClientId and security code again below.",
        ),
        "unreadable" => Text::new(
            "Nội dung này không phải là webhook của KiotViet.",
            "This is not a KiotViet webhook.",
        ),
        "body-too-large" => Text::new(
            "Nội dung quá lớn, tối đa 5 MiB.",
            "It is too large; at most 5 MiB.",
        ),
        "invalid-request" => Text::new(
            "Có thông tin còn thiếu hoặc chưa đúng.",
            "Something is missing or wrong.",
        ),
        _ => return None,
    };
    Some(text)
}

/// How to set a variable, for the required ones.
pub(super) fn variable(name: &str) -> Option<Text> {
    let text = match name {
        "getfly_url" => Text::new(
            "Địa chỉ Getfly của anh/chị, ví dụ https://shop.getflycrm.com, không có dấu / ở cuối.",
            "Your Getfly address, e.g. https://shop.getflycrm.com, without a slash at its end.",
        ),
        "getfly_api_key" => Text::new(
            "Lấy trong Getfly: Cài đặt › Tích hợp › Tích hợp phần mềm khác › Getfly API Key.",
            "Take it from Getfly: Cài đặt › Tích hợp › Tích hợp phần mềm khác › Getfly API Key.",
        ),
        "public_url" => Text::new(
            "Địa chỉ mà KiotViet gọi đến ứng dụng này, ví dụ https://bridge.example.vn, không có dấu / ở cuối.",
            "Where KiotViet reaches this application, e.g. https://bridge.example.vn, without a slash at its end.",
        ),
        "admin_token" => Text::new(
            "Một chuỗi ngẫu nhiên từ 16 ký tự trở lên, dùng để đăng nhập trang này.",
            "A random text of at least 16 characters; it opens this page.",
        ),
        "master_key" => Text::new(
            "32 byte ngẫu nhiên dạng Base64, ví dụ kết quả của lệnh: openssl rand -base64 32",
            "32 random bytes in Base64, e.g. the output of: openssl rand -base64 32",
        ),
        _ => return None,
    };
    Some(text)
}

/// What the members of a plan are called.
const LABELS: [(&str, Text); 41] = [
    ("account", Text::new("Khách hàng", "Account")),
    ("account_code", Text::new("Mã khách hàng", "Account code")),
    ("address", Text::new("Địa chỉ", "Address")),
    ("birthday", Text::new("Sinh nhật", "Birthday")),
    ("by", Text::new("Căn cứ", "By")),
    ("campaign_code", Text::new("Mã chiến dịch", "Campaign code")),
    ("cash_discount", Text::new("Chiết khấu", "Discount")),
    ("code", Text::new("Mã", "Code")),
    ("create", Text::new("Tạo mới", "Create")),
    ("customer", Text::new("Khách hàng", "Customer")),
    (
        "customer_id",
        Text::new("Mã số trên KiotViet", "Number on KiotViet"),
    ),
    ("date", Text::new("Ngày", "Date")),
    ("description", Text::new("Mô tả", "Description")),
    ("discount", Text::new("Chiết khấu", "Discount")),
    ("email", Text::new("Email", "E-mail")),
    ("executor", Text::new("Người thực hiện", "Carried out by")),
    ("gender", Text::new("Giới tính", "Gender")),
    ("ignore", Text::new("Bỏ qua", "Ignore")),
    ("installation", Text::new("Thu khác", "Other charges")),
    ("invoice_code", Text::new("Mã hóa đơn", "Invoice code")),
    (
        "invoice_id",
        Text::new("Mã số trên KiotViet", "Number on KiotViet"),
    ),
    ("known", Text::new("Đã có trên Getfly", "Known in Getfly")),
    ("lines", Text::new("Sản phẩm", "Products")),
    ("link", Text::new("Liên kết", "Link")),
    ("manager", Text::new("Người phụ trách", "In charge")),
    ("name", Text::new("Tên", "Name")),
    ("order", Text::new("Đơn hàng", "Order")),
    (
        "order_is_there",
        Text::new("Đơn hàng đã có", "The order is there"),
    ),
    ("ours", Text::new("Đã tạo trước đó", "Created earlier")),
    ("phone", Text::new("Số điện thoại", "Phone")),
    ("price", Text::new("Đơn giá", "Price")),
    ("product_code", Text::new("Mã sản phẩm", "Product code")),
    ("product_name", Text::new("Tên sản phẩm", "Product name")),
    ("quantity", Text::new("Số lượng", "Quantity")),
    ("reason", Text::new("Lý do", "Reason")),
    ("remember", Text::new("Ghi nhớ", "Remember")),
    ("source", Text::new("Nguồn", "Source")),
    ("tax_code", Text::new("Mã số thuế", "Tax code")),
    ("terms", Text::new("Điều khoản", "Terms")),
    ("transport", Text::new("Phí vận chuyển", "Shipping")),
    ("vat", Text::new("Thuế", "Tax")),
];

/// A plan's member in words; its own name where it has none.
pub(super) fn label(lang: Lang, name: &str) -> &str {
    let found = LABELS.iter().find(|(n, _)| *n == name);
    found.map_or(name, |(_, text)| text.of(lang))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_sentence_in_both_languages() {
        for reason in Reason::ALL {
            let vietnamese = explain(Lang::Vi, reason.as_str()).unwrap();
            assert!(vietnamese.ends_with('.'), "{reason}");
            assert_ne!(Some(vietnamese), explain(Lang::En, reason.as_str()));
        }
        assert_eq!(explain(Lang::Vi, "no_such_reason"), None);
    }

    #[test]
    fn a_dead_letter_of_any_word_says_what_to_do() {
        for death in DEATHS.iter().chain([&UNKNOWN]) {
            for text in [death.means, death.mend] {
                assert!(
                    text.vi.ends_with('.') && text.en.ends_with('.'),
                    "{}",
                    death.word
                );
            }
        }
        assert_eq!(death_of("new_word").0, UNKNOWN.means);
    }

    #[test]
    fn rules_are_named_by_their_number() {
        assert_eq!(rule("R7").unwrap().en, "Link, do not duplicate");
        assert_eq!(rule("R14").unwrap().vi, "Nguồn KiotViet");
        for none in ["R0", "R15", "7", ""] {
            assert_eq!(rule(none), None);
        }
    }
}
