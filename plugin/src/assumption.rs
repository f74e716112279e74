//! What is taken for granted about the two vendors and the hosts, one row each: the table of
//! `docs/assumptions.md` explains them by these ids. What traffic shows confirms or contradicts one, through
//! [`Http::saw`](crate::world::Http::saw).

use serde::{Deserialize, Serialize};

/// Whom an assumption is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum About {
    /// KiotViet.
    KiotViet,
    /// Getfly.
    Getfly,
    /// The hosts that the component runs in.
    Hosts,
}

impl About {
    /// As the table writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KiotViet => "KiotViet",
            Self::Getfly => "Getfly",
            Self::Hosts => "Hosts",
        }
    }
}

/// Names each assumption, its id, whom it is about, whether traffic shows it, and what it says in Vietnamese and English.
macro_rules! assumptions {
    ($($name:ident $id:literal $about:ident $shown:ident $vi:literal $en:literal,)*) => {
        /// One assumption. The store counts them by their place here: a new one goes to the end.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Assumption {
            $(#[doc = $en] #[serde(rename = $id)] $name,)*
        }

        impl Assumption {
            /// All of them, in their order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its id in the API and in the table of `docs/assumptions.md`.
            pub fn id(self) -> &'static str {
                self.row().0
            }

            /// Whom it is about.
            pub fn about(self) -> About {
                self.row().1
            }

            /// Whether traffic can show that it holds, or that it does not.
            pub fn is_shown(self) -> bool {
                self.row().2
            }

            /// What it says, in Vietnamese and in English.
            pub fn said(self) -> (&'static str, &'static str) {
                self.row().3
            }

            /// Its place in [`Self::ALL`].
            pub fn place(self) -> usize {
                self as usize
            }

            fn row(self) -> (&'static str, About, bool, (&'static str, &'static str)) {
                match self {
                    $(Self::$name => ($id, About::$about, assumptions!(@ $shown), ($vi, $en)),)*
                }
            }
        }
    };
    (@ shown) => { true };
    (@ unshown) => { false };
}

assumptions! {
    CustomerSignature "customer_signature" KiotViet shown
        "Webhook khách hàng được ký bằng “sha1=” và HMAC-SHA-256 dạng hex"
        "A customer's delivery is signed with “sha1=” and HMAC-SHA-256 in hex",
    InvoiceSignature "invoice_signature" KiotViet shown
        "Webhook hóa đơn được ký bằng “sha1=” và HMAC-SHA-256 dạng hex"
        "An invoice's delivery is signed with “sha1=” and HMAC-SHA-256 in hex",
    CustomerCasing "customer_casing" KiotViet shown
        "Webhook khách hàng viết tên trường kiểu PascalCase"
        "A customer's delivery names its members in PascalCase",
    InvoiceCasing "invoice_casing" KiotViet shown
        "Webhook hóa đơn viết tên trường kiểu camelCase"
        "An invoice's delivery names its members in camelCase",
    KiotVietTimes "kiotviet_times" KiotViet shown
        "Giờ trong API không kèm múi giờ và là giờ Việt Nam"
        "Times in the API carry no offset and are Vietnam's",
    CreatedDate "created_date" KiotViet shown
        "Mọi khách hàng và hóa đơn đều có createdDate"
        "Every customer and invoice has its createdDate",
    EditCode "edit_code" KiotViet shown
        "Mã hóa đơn kết thúc bằng .NN là bản sửa của hóa đơn đã hủy cùng ngày bán"
        "An invoice code that ends in .NN is an edit of a cancelled invoice of the same day of sale",
    InvoiceTotal "invoice_total" KiotViet shown
        "Tổng hóa đơn = các dòng − giảm giá + thu khác + thuế"
        "An invoice's total is lines − discount + surcharges + tax",
    LineDiscount "line_discount" KiotViet shown
        "Giảm giá của dòng là cho một đơn vị; subTotal là thành tiền của dòng"
        "A line's discount is per unit, and subTotal is the line's total",
    DeletedMark "deleted_mark" KiotViet shown
        "{DEL} sau mã hoặc tên là hàng đã bị xóa"
        "{DEL} behind a code or name marks what was deleted",
    LocationName "location_name" KiotViet shown
        "locationName là “tỉnh - huyện”"
        "locationName is “province - district”",
    GoneRecord "gone_record" KiotViet shown
        "Bản ghi đã bị xóa được trả lời 404"
        "A record that is gone is answered 404",
    WebhooksSideBySide "webhooks_side_by_side" KiotViet shown
        "Có thể đăng ký nhiều webhook cùng loại"
        "Several webhooks of a type may stand side by side",
    ListedChanges "listed_changes" KiotViet shown
        "lastModifiedFrom liệt kê mọi bản ghi đã tạo hoặc sửa từ lúc đó"
        "lastModifiedFrom lists every record created or changed since then",
    DeliveredSoon "delivered_soon" KiotViet shown
        "Webhook đến trong vòng mười phút sau thay đổi"
        "A delivery comes within ten minutes of the change",
    PhonesWhole "phones_whole" KiotViet shown
        "Số điện thoại không bị che"
        "Phone numbers are not masked",
    KiotVietUsers "kiotviet_users" KiotViet shown
        "Đọc được danh sách người dùng của KiotViet"
        "KiotViet's list of users can be read",
    TokenLife "token_life" KiotViet shown
        "Token của KiotViet có hiệu lực ít nhất một giờ"
        "KiotViet's tokens live for an hour at least",
    KiotVietPages "kiotviet_pages" KiotViet shown
        "Danh sách của KiotViet trả đủ số dòng đã hỏi cho mỗi trang"
        "KiotViet's lists have pages as long as asked for",
    ApiVersion "api_version" Getfly shown
        "Getfly có API 6.1"
        "Getfly has version 6.1 of its API",
    GetflyUsers "getfly_users" Getfly shown
        "Đọc được danh sách người dùng của Getfly"
        "Getfly's list of users can be read",
    AccountCodeUnique "account_code_unique" Getfly shown
        "Mã khách hàng là duy nhất; tạo trùng mã bị từ chối"
        "account_code is unique, and a create with a used one is refused",
    RepeatedOrderCode "repeated_order_code" Getfly unshown
        "Getfly có thể nhận hai đơn cùng mã"
        "A repeated order_code may be accepted",
    SearchByText "search_by_text" Getfly shown
        "Tìm theo phone_office và email chỉ trả khách hàng có chứa nội dung đã hỏi"
        "Searches by phone_office and email answer only accounts that hold the text asked for",
    PhoneStored "phone_stored" Getfly shown
        "Số điện thoại trong Getfly được lưu liền, không có khoảng trắng hay dấu"
        "Getfly stores phones without blanks or signs inside",
    ContactNumbers "contact_numbers" Getfly shown
        "Danh sách khách hàng cho thấy số của người liên hệ ở phone_home hoặc phone_mobile"
        "A list of accounts shows contacts' numbers as phone_home or phone_mobile",
    AccountAnswer "account_answer" Getfly shown
        "Khi tạo khách hàng, Getfly trả lời 200 cùng mã"
        "A created account is answered 200 with its code",
    OrderAnswer "order_answer" Getfly shown
        "Khi tạo đơn hàng, Getfly trả lời 200 cùng mã"
        "A created order is answered 200 with its code",
    CodeKept "code_kept" Getfly shown
        "Getfly giữ mã mà ứng dụng gửi"
        "Getfly keeps the code that is sent",
    DuplicateWords "duplicate_words" Getfly shown
        "Getfly báo trùng bằng mã 400"
        "Getfly refuses a duplicate with 400",
    RefusalStatus "refusal_status" Getfly shown
        "Getfly từ chối bằng mã 4xx, không phải 200"
        "Getfly refuses with 4xx, not in a 200",
    RefusalForm "refusal_form" Getfly shown
        "Lời từ chối có dạng {message, errors: {trường: [lời]}}"
        "A refusal is {message, errors: {field: [words]}}",
    Gender "gender" Getfly shown
        "API 6.1 nhận giới tính khi tạo khách hàng"
        "Version 6.1 takes the gender of a new account",
    Details "details" Getfly shown
        "Getfly nhận người phụ trách, nguồn, ngày sinh, mã số thuế, địa chỉ, điện thoại và email được gửi"
        "Getfly takes manager, source, birthday, tax code, address, phone and e-mail as sent",
    UnknownAccount "unknown_account" Getfly shown
        "Đơn hàng có mã khách hàng không tồn tại bị từ chối; khách hàng đã xóa đọc ra 404"
        "An order's unknown account_code is refused, and a deleted account reads 404",
    OrderWithoutAccount "order_without_account" Getfly shown
        "Đơn hàng không có mã khách hàng được giữ nguyên, không gắn với ai"
        "An order without account_code is kept without an account",
    Products "products" Getfly shown
        "Getfly nhận mã hàng trên đơn hàng"
        "Getfly takes the product codes of orders",
    LineByName "line_by_name" Getfly shown
        "Dòng hàng có thể chỉ có tên, không có mã"
        "A line may go by its product's name alone",
    KeyRefusals "key_refusals" Getfly unshown
        "401 và 403 khi đọc là do API key"
        "401, and 403 to a read, are about the key",
    GetflyRate "getfly_rate" Getfly shown
        "Getfly chịu được getfly_requests_per_second lượt gọi mỗi giây"
        "Getfly bears getfly_requests_per_second calls a second",
    GetflyPages "getfly_pages" Getfly shown
        "Danh sách của Getfly trả đủ số dòng đã hỏi cho mỗi trang"
        "Getfly's lists have pages as long as asked for",
    GetflyTimes "getfly_times" Getfly shown
        "Getfly viết giờ dạng chữ, không phải số giây Unix"
        "Getfly writes times as text, not as Unix seconds",
    OrderTotal "order_total" Getfly shown
        "Tổng đơn hàng mà Getfly tính bằng tổng hóa đơn của KiotViet"
        "The total that Getfly computes for an order equals the KiotViet invoice's",
    LateEffect "late_effect" Getfly unshown
        "Yêu cầu không có trả lời có thể còn tác dụng trong 30 giây"
        "A request without an answer may take effect for 30 s",
    InlineStop "inline_stop" Hosts unshown
        "Với processing = inline, ứng dụng bị dừng sau khi trả lời"
        "Under processing = inline a guest is stopped after its answer",
    Clocks "clocks" Hosts unshown
        "Đồng hồ của các bản chạy lệch nhau dưới hai giây"
        "Clocks of instances differ by less than two seconds",
    FoundByCode "found_by_code" KiotViet shown
        "Tìm được hóa đơn bằng GET /invoices/code/{code}"
        "Invoices are found by GET /invoices/code/{code}",
    Editions "editions" KiotViet unshown
        "Cửa hàng bán lẻ đăng nhập tại <tên>.kiotviet.vn; F&B và khách sạn ở địa chỉ khác"
        "Retail shops log in at <shop>.kiotviet.vn, other editions elsewhere",
    TypesSignedApart "types_signed_apart" KiotViet unshown
        "Mỗi loại webhook được ký, hoặc không, riêng với nhau"
        "Each webhook type is signed, or not, by itself",
    ListedByCreation "listed_by_creation" Getfly shown
        "Tìm lại được bản ghi theo id và theo giờ tạo"
        "Records are found by id and by their time of creation",
    StoredInTime "stored_in_time" Getfly shown
        "Getfly lưu xong trong 25 giây"
        "Getfly stores a create within 25 s",
    NameKept "name_kept" Getfly unshown
        "Đơn hàng có mã khách hàng không đổi tên khách hàng đó"
        "An order that carries an account's code leaves that account's name as it is",
    OrdersCounted "orders_counted" Getfly shown
        "Getfly cho biết số đơn của một khách hàng"
        "Getfly tells how many orders an account has",
    ReadsSeeWrites "reads_see_writes" Getfly shown
        "Những gì Getfly vừa lưu đọc lại thấy ngay"
        "What Getfly stores, its reads show at once",
    ChangesListed "changes_listed" Getfly shown
        "Danh sách khách hàng lọc được theo updated_at"
        "A list of accounts is filtered by updated_at",
    AccountsSorted "accounts_sorted" Getfly shown
        "Danh sách khách hàng sắp xếp được theo số thứ tự"
        "A list of accounts is sorted by its numbers",
    FnbChanges "fnb_changes" KiotViet shown
        "Với KiotViet F&B, lastModifiedFrom liệt kê mọi hóa đơn đã tạo hoặc sửa từ lúc đó"
        "In KiotViet F&B lastModifiedFrom lists every invoice created or changed since then",
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_has_an_id_of_its_own_by_which_it_is_kept() {
        let ids: BTreeSet<&str> = Assumption::ALL.iter().map(|a| a.id()).collect();
        assert_eq!(ids.len(), Assumption::ALL.len());
        for (place, assumption) in Assumption::ALL.iter().enumerate() {
            assert_eq!(assumption.place(), place);
            let kept = serde_json::to_value(assumption).unwrap();
            assert_eq!(kept, assumption.id());
        }
    }
}
