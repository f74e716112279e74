//! The worker's and the upstreams' sentences, which are kept in English, as the page shows them: in
//! Vietnamese where they are known, and with times as Vietnam's clocks show them.

use crate::{
    admin::page::{reasons, times::shown, words::Lang},
    time::Timestamp,
};

/// Sentences in English and Vietnamese; `{}` stands for what differs, in the same order in both.
const PHRASES: [(&str, &str); 81] = [
    (
        "KiotViet created {} at {}; the order webhook was switched on at {}",
        "KiotViet tạo {} lúc {}; webhook đơn hàng được bật lúc {}",
    ),
    (
        "KiotViet created it at {}; the customer webhook was switched on at {}",
        "KiotViet tạo lúc {}; webhook khách hàng được bật lúc {}",
    ),
    (
        "accounts in Getfly with the same e-mail or phone: {}",
        "Số khách hàng trên Getfly trùng email hoặc số điện thoại: {}",
    ),
    (
        "Getfly has the account {} already",
        "Getfly đã có khách hàng {}",
    ),
    (
        "R12: no manager, because the customer came by its own event",
        "R12: không có người phụ trách, vì khách hàng được tạo từ webhook khách hàng",
    ),
    (
        "R12: no manager, because the customer webhook is on",
        "R12: không có người phụ trách, vì webhook khách hàng đang bật",
    ),
    (
        "R5: a walk-in (Khách lẻ); no account is created",
        "R5: khách lẻ, không tạo khách hàng",
    ),
    (
        "Executor: Getfly user {}, who has the seller's phone number.",
        "Người thực hiện: người dùng Getfly số {}, có cùng số điện thoại với người bán.",
    ),
    (
        "No executor: the invoice names no seller.",
        "Không có người thực hiện: hóa đơn không ghi người bán.",
    ),
    (
        "No executor: KiotViet does not list the seller (an admin, or removed).",
        "Không có người thực hiện: KiotViet không cung cấp tài khoản người bán (admin hoặc đã xóa).",
    ),
    (
        "No executor: the seller has no usable phone number on KiotViet.",
        "Không có người thực hiện: người bán chưa có số điện thoại dùng được trên KiotViet.",
    ),
    (
        "No executor: no Getfly user has the seller's phone number.",
        "Không có người thực hiện: không có người dùng Getfly nào trùng số điện thoại người bán.",
    ),
    (
        "the order's reply was lost; it was found by its code",
        "Không nhận được trả lời khi tạo đơn hàng; đã tìm lại theo mã",
    ),
    (
        "the account's reply was lost; it was found by its code",
        "Không nhận được trả lời khi tạo khách hàng; đã tìm lại theo mã",
    ),
    (
        "Getfly refused a second account with this phone or e-mail; the first one was linked",
        "Getfly không nhận khách hàng thứ hai cùng số điện thoại hoặc email; đã liên kết khách hàng đầu tiên",
    ),
    (
        "account {}: customer_created",
        "Khách hàng {}: vừa được tạo",
    ),
    (
        "account {}: already_synced",
        "Khách hàng {}: đã có từ trước",
    ),
    (
        "account {}: linked_by_email",
        "Khách hàng {}: liên kết theo email",
    ),
    (
        "account {}: linked_by_phone",
        "Khách hàng {}: liên kết theo số điện thoại",
    ),
    (
        "R7: a masked phone number was left out",
        "R7: bỏ qua một số điện thoại bị che",
    ),
    (
        "R7: a masked e-mail address was left out",
        "R7: bỏ qua một địa chỉ email bị che",
    ),
    (
        "KiotViet's {} cannot be read and was left out",
        "Không đọc được {} trên KiotViet nên bỏ qua",
    ),
    (
        "KiotViet's record cannot be read: {}",
        "Không đọc được bản ghi trên KiotViet: {}",
    ),
    (
        "{} is not cancelled on KiotViet, so this is a sale of its own",
        "Hóa đơn {} chưa bị hủy trên KiotViet, nên đây là một hóa đơn riêng",
    ),
    (
        "KiotViet has no invoice {}, so this is a sale of its own",
        "KiotViet không có hóa đơn {}, nên đây là một hóa đơn riêng",
    ),
    (
        "R6: the code {} was used by another sale before; this one is ordered as {}",
        "R6: mã {} đã dùng cho một hóa đơn khác; hóa đơn này có mã đơn hàng {}",
    ),
    (
        "{} looks like an edit of {}, which was sold on another day or on a day that is not known",
        "{} giống một bản sửa của {}, nhưng hóa đơn đó bán vào ngày khác hoặc không rõ ngày",
    ),
    (
        "R11: not enrolled in the campaign, because the customer has no phone",
        "R11: chưa đưa vào chiến dịch, vì khách hàng không có số điện thoại",
    ),
    (
        "R11: enrolled in the campaign",
        "R11: đã đưa vào chiến dịch",
    ),
    (
        "R11: whether it was enrolled in the campaign is unknown: {}",
        "R11: chưa rõ đã đưa vào chiến dịch hay chưa: {}",
    ),
    (
        "the item has no readable Id",
        "Mục này không có Id đọc được",
    ),
    ("last failure: {}", "Lỗi gần nhất: {}"),
    ("the connection was removed", "Kết nối đã bị xóa"),
    ("signature missing", "Thiếu chữ ký"),
    ("signature did not match", "Chữ ký không khớp"),
    (
        "signature not checked: the connection's secrets cannot be opened",
        "Chưa kiểm tra được chữ ký: không giải mã được Mã bảo mật của kết nối",
    ),
    (
        "KiotViet's total is {}, this order adds up to {}: a difference of {}.",
        "Tổng tiền trên KiotViet là {}, đơn hàng này cộng được {}: chênh lệch {}.",
    ),
    (
        "Rounding: KiotViet's total is {}, this order added up to {}; {} went into the order's discount.",
        "Làm tròn: tổng tiền trên KiotViet là {}, đơn hàng này cộng được {}; phần lẻ {} tính vào giảm giá của đơn hàng.",
    ),
    (
        "Rounding: KiotViet's total is {}, this order added up to {}; {} went into the order's tax.",
        "Làm tròn: tổng tiền trên KiotViet là {}, đơn hàng này cộng được {}; phần lẻ {} tính vào thuế của đơn hàng.",
    ),
    (
        "Rounding: KiotViet's total is {}, this order added up to {}; {} went into the order's surcharge.",
        "Làm tròn: tổng tiền trên KiotViet là {}, đơn hàng này cộng được {}; phần lẻ {} tính vào thu khác của đơn hàng.",
    ),
    (
        "KiotViet's {} has no createdDate, so new and old cannot be told apart",
        "Bản ghi KiotViet ({}) không có ngày tạo, nên không phân biệt được mới và cũ",
    ),
    (
        "Getfly refuses the API key ({})",
        "Getfly từ chối API Key ({})",
    ),
    ("Getfly refuses ({}): {}", "Getfly từ chối ({}): {}"),
    (
        "Getfly is busy or down ({})",
        "Getfly đang bận hoặc ngừng hoạt động ({})",
    ),
    (
        "Getfly could not be reached: {}",
        "Không kết nối được Getfly: {}",
    ),
    (
        "Getfly's answer cannot be read: {}",
        "Không đọc được trả lời của Getfly: {}",
    ),
    (
        "KiotViet does not accept the token: {}",
        "KiotViet không chấp nhận phiên truy cập: {}",
    ),
    (
        "KiotViet refuses the credentials: {}",
        "KiotViet từ chối thông tin kết nối: {}",
    ),
    ("KiotViet refuses ({}): {}", "KiotViet từ chối ({}): {}"),
    (
        "KiotViet's settings do not let this connection do that (403)",
        "Thiết lập trên KiotViet không cho phép kết nối này làm việc đó (403)",
    ),
    (
        "KiotViet is busy or down ({})",
        "KiotViet đang bận hoặc ngừng hoạt động ({})",
    ),
    (
        "KiotViet could not be reached: {}",
        "Không kết nối được KiotViet: {}",
    ),
    (
        "KiotViet had switched the webhook off; it was last seen sound at {}",
        "KiotViet đã tắt webhook; lần cuối thấy hoạt động là {}",
    ),
    (
        "KiotViet had switched the webhook off",
        "KiotViet đã tắt webhook",
    ),
    (
        "the webhook had been deleted on KiotViet; it was last seen sound at {}",
        "Webhook đã bị xóa trên KiotViet; lần cuối thấy hoạt động là {}",
    ),
    (
        "the webhook had been deleted on KiotViet",
        "Webhook đã bị xóa trên KiotViet",
    ),
    (
        "read back: KiotViet had not delivered it",
        "Được đọc lại: KiotViet đã không gửi",
    ),
    ("from a backfill", "Từ việc lấy dữ liệu cũ"),
    (
        "from must be earlier than to, and than now.",
        "Ngày bắt đầu phải trước ngày kết thúc và không ở tương lai.",
    ),
    (
        "{}. Try again in a minute.",
        "{}. Hãy thử lại sau một phút.",
    ),
    (
        "the webhook delivered to another address than public_url; it was last seen sound at {}",
        "Webhook gửi đến địa chỉ khác với public_url; lần cuối thấy hoạt động là {}",
    ),
    (
        "the webhook delivered to another address than public_url",
        "Webhook gửi đến địa chỉ khác với public_url",
    ),
    (
        "R13: no executor, because the list of users cannot be read; give the right to it in {}: {}",
        "R13: không có người thực hiện, vì không đọc được danh sách người dùng; hãy cấp quyền này trên {}: {}",
    ),
    (
        "R13: no executor, because the list of users has failed for five minutes: {}",
        "R13: không có người thực hiện, vì danh sách người dùng bị lỗi suốt năm phút: {}",
    ),
    ("created without the {}: {}", "Đã tạo nhưng bỏ qua {}: {}"),
    (
        "R3: Getfly has no product {}; its line goes under {}",
        "R3: Getfly không có sản phẩm {}; dòng hàng được ghi theo sản phẩm {}",
    ),
    (
        "R3: Getfly has no product {}; its line goes by its name alone (fallback_product_code names another product)",
        "R3: Getfly không có sản phẩm {}; dòng hàng chỉ ghi tên (có thể đặt sản phẩm thay thế bằng fallback_product_code)",
    ),
    (
        "R7: Getfly no longer has the account {}; the customer was matched again",
        "R7: Getfly không còn khách hàng {}; đã tìm lại khách hàng phù hợp",
    ),
    (
        "R7: too many accounts hold the e-mail address as a part of theirs; the first {} were compared",
        "R7: quá nhiều khách hàng có email chứa địa chỉ này; chỉ so {} khách hàng đầu tiên",
    ),
    (
        "the code {} is used and belongs to no account in Getfly, perhaps to a deleted one; created as {}",
        "Mã {} đã được dùng nhưng Getfly không còn khách hàng đó, có thể đã bị xóa; đã tạo với mã {}",
    ),
    (
        "Getfly stored {} under its own code {}",
        "Getfly đã lưu {} theo mã riêng {}",
    ),
    (
        "R5: Getfly made the account {} for walk-ins; it is used from now on",
        "R5: Getfly đã tạo khách hàng {} cho khách lẻ; từ nay dùng khách hàng này",
    ),
    (
        "R5: Getfly attached a walk-in's order to the account {}; further ones get an account of their own",
        "R5: Getfly đã gắn đơn của khách lẻ vào khách hàng {}; các đơn sau có khách hàng riêng",
    ),
    (
        "R5: Getfly no longer has the account {} for walk-ins",
        "R5: Getfly không còn khách hàng {} dành cho khách lẻ",
    ),
    (
        "KiotViet no longer has the invoice's customer; the order goes like a walk-in's, with the name in its terms",
        "KiotViet không còn khách hàng của hóa đơn; đơn được tạo như khách lẻ, tên ghi trong điều khoản",
    ),
    (
        "there is nothing at this address of Getfly's (404)",
        "Getfly không có gì ở địa chỉ này (404)",
    ),
    (
        "the host does not allow calls to {}: allow this origin in allowed_outbound_hosts ({} in spin.toml)",
        "Máy chủ không cho phép gọi ra {}: hãy thêm địa chỉ này vào allowed_outbound_hosts ({} trong spin.toml)",
    ),
    (
        "Getfly 4.x with API v3 only: this tenant does not have API 6.1, which the bridge needs. Ask Getfly for version 6.0; events wait until then and use up no attempt",
        "Getfly 4.x, chỉ có API v3: bản này không có API 6.1 mà ứng dụng cần. Hãy yêu cầu Getfly nâng lên bản 6.0; các sự kiện chờ đến lúc đó và không mất lần thử nào",
    ),
    (
        "R13: {}'s list of users ({}) cannot be read since {}; orders go without executor until its right to read users is given",
        "R13: không đọc được danh sách người dùng của {} ({}) từ {}; đơn hàng không có người thực hiện cho đến khi cấp quyền xem người dùng",
    ),
    ("no answer in time", "không trả lời kịp thời"),
    ("the connection failed: {}", "kết nối bị lỗi: {}"),
];

/// What stands for the `{}` of `pattern` in `text`; none when they differ otherwise.
fn captured<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut parts = pattern.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    for part in parts {
        let (value, after) = if part.is_empty() {
            (rest, "")
        } else {
            rest.split_once(part)?
        };
        found.push(value);
        rest = after;
    }
    rest.is_empty().then_some(found)
}

fn filled(template: &str, values: &[&str], lang: Lang) -> String {
    let mut values = values.iter();
    let mut out = String::new();
    for (nth, part) in template.split("{}").enumerate() {
        if nth > 0 {
            out.push_str(&sentence(lang, values.next().unwrap_or(&"")).0);
        }
        out.push_str(part);
    }
    out
}

/// Times of the API in a text, as Vietnam's clocks show them.
fn times(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let bare = word.trim_end_matches([';', ',', '.']);
        match bare.parse::<Timestamp>().ok().and_then(shown) {
            Some(shown) => word.replacen(bare, &shown, 1),
            None => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A sentence for people, and whether it is in their language.
pub(super) fn sentence(lang: Lang, text: &str) -> (String, bool) {
    if lang == Lang::Vi {
        if let Some(known) = reasons::explained(text) {
            return (known.to_owned(), true);
        }
        for (english, vietnamese) in PHRASES {
            if let Some(values) = captured(english, text) {
                return (filled(vietnamese, &values, lang), true);
            }
        }
    }
    (times(text), lang == Lang::En)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_phrase_have_the_same_gaps() {
        for (english, vietnamese) in PHRASES {
            let gaps = |text: &str| text.matches("{}").count();
            assert_eq!(gaps(english), gaps(vietnamese), "{english}");
            assert_ne!(english, vietnamese);
        }
    }

    #[test]
    fn sentences_are_told_in_vietnamese_with_vietnams_times() {
        let english = "KiotViet created HD1 at 2026-10-05T03:00:00.12Z; the order webhook was switched on at 2026-10-05T02:00:00Z";
        assert_eq!(
            sentence(Lang::Vi, english),
            ("KiotViet tạo HD1 lúc 05/10/2026 10:00; webhook đơn hàng được bật lúc 05/10/2026 09:00".to_owned(), true)
        );
        assert_eq!(
            sentence(Lang::En, english).0,
            "KiotViet created HD1 at 05/10/2026 10:00; the order webhook was switched on at 05/10/2026 09:00"
        );
        assert_eq!(
            sentence(Lang::Vi, "last failure: Getfly is busy or down (503)").0,
            "Lỗi gần nhất: Getfly đang bận hoặc ngừng hoạt động (503)"
        );
        assert_eq!(
            sentence(Lang::Vi, "something new"),
            ("something new".to_owned(), false)
        );
    }
}
