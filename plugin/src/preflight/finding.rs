//! What a preflight finds: what it is, what would come of it, and what to do, in Vietnamese and in English.

use crate::journal::connection_name::Side;
use serde::{Deserialize, Serialize};

/// What a key may or may not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Customers, or accounts.
    Customers,
    /// Invoices.
    Invoices,
    /// Orders.
    Orders,
    /// Products.
    Products,
    /// Users.
    Users,
    /// Webhooks.
    Webhooks,
}

impl Resource {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Customers => ("khách hàng", "customers"),
            Self::Invoices => ("hóa đơn", "invoices"),
            Self::Orders => ("đơn hàng", "orders"),
            Self::Products => ("sản phẩm", "products"),
            Self::Users => ("người dùng", "users"),
            Self::Webhooks => ("webhook", "webhooks"),
        }
    }
}

/// Which record of Getfly's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// An account.
    Account,
    /// An order.
    Order,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Getfly has version 3 of its API only.
    OldGetfly,
    /// A side refuses the key itself.
    KeyRefused {
        /// Which side.
        side: Side,
    },
    /// A side does not let the key read something.
    NoRight {
        /// Which side.
        side: Side,
        /// What.
        to: Resource,
    },
    /// Another bridge delivers for this shop.
    OtherBridge {
        /// From there.
        origin: String,
    },
    /// Sellers of whose phone there is no Getfly user (R13).
    SellersWithoutUser {
        /// How many.
        sellers: usize,
        /// Of how many.
        of: usize,
    },
    /// The shop's edition of KiotViet has no list of users (R13).
    UsersNotOffered,
    /// Getfly demands a field.
    RequiredField {
        /// Of which record.
        of: Of,
        /// Its name at Getfly.
        name: String,
    },
    /// Accounts of one phone or e-mail.
    DuplicateAccounts {
        /// How many share theirs with an older one.
        accounts: usize,
        /// Of how many that were looked at.
        of: usize,
    },
    /// Phones with blanks or signs inside, or with +84.
    PhonesStoredOtherwise {
        /// How many.
        phones: usize,
        /// Of how many that were looked at.
        of: usize,
    },
    /// Masked phones of the shop's customers.
    MaskedPhones {
        /// How many.
        phones: usize,
        /// Of how many that were looked at.
        of: usize,
    },
    /// The shop's own invoice codes end in a point and two digits.
    OwnCodes {
        /// One of them.
        example: String,
    },
    /// Products on invoices that KiotViet has deleted.
    DeletedProducts {
        /// Their codes, a few of them.
        codes: Vec<String>,
    },
    /// Getfly's own KiotViet integration has made records.
    OwnIntegration {
        /// How many traces there are.
        traces: usize,
    },
    /// Products of the last invoices that Getfly does not know.
    UnknownProducts {
        /// How many.
        unknown: usize,
        /// Of how many.
        of: usize,
        /// A few of their codes.
        codes: Vec<String>,
    },
}

/// A finding in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What it is.
    pub what: String,
    /// What would come of it.
    pub then: &'static str,
    /// What to do.
    pub mend: &'static str,
}

impl Finding {
    /// Whether events would fail for it, rather than lose a detail.
    pub fn is_bad(&self) -> bool {
        match self {
            Self::OldGetfly
            | Self::KeyRefused { .. }
            | Self::OtherBridge { .. }
            | Self::RequiredField { .. }
            | Self::OwnIntegration { .. } => true,
            Self::NoRight { to, .. } => !matches!(to, Resource::Users),
            Self::SellersWithoutUser { .. }
            | Self::UsersNotOffered
            | Self::DuplicateAccounts { .. }
            | Self::PhonesStoredOtherwise { .. }
            | Self::MaskedPhones { .. }
            | Self::OwnCodes { .. }
            | Self::DeletedProducts { .. }
            | Self::UnknownProducts { .. } => false,
        }
    }

    /// In Vietnamese.
    pub fn vietnamese(&self) -> Told {
        let (then, mend) = self.follows().0;
        let what = match self {
            Self::OldGetfly => "Getfly này chỉ có API phiên bản 3".to_owned(),
            Self::KeyRefused { side } => format!("{} từ chối khóa kết nối", side.as_str()),
            Self::NoRight { side, to } => {
                format!("{} không cho đọc {}", side.as_str(), to.words().0)
            }
            Self::OtherBridge { origin } => {
                format!("Một cầu nối khác tại {origin} cũng nhận webhook của cửa hàng này")
            }
            Self::UsersNotOffered => "KiotViet F&B không có danh sách người dùng".to_owned(),
            Self::SellersWithoutUser { sellers, of } => format!(
                "{sellers} trong {of} nhân viên bán hàng không có người dùng Getfly cùng số điện thoại"
            ),
            Self::RequiredField {
                of: Of::Account,
                name,
            } => {
                format!("Getfly bắt buộc khách hàng phải có {name}")
            }
            Self::RequiredField {
                of: Of::Order,
                name,
            } => {
                format!("Getfly bắt buộc đơn hàng phải có {name}")
            }
            Self::DuplicateAccounts { accounts, of } => format!(
                "{accounts} trong {of} khách hàng mới nhất trên Getfly trùng số điện thoại hoặc email với khách hàng khác"
            ),
            Self::PhonesStoredOtherwise { phones, of } => format!(
                "{phones} trong {of} số điện thoại trên Getfly được lưu có khoảng trắng, dấu hoặc +84"
            ),
            Self::MaskedPhones { phones, of } => {
                format!("KiotViet che số điện thoại của {phones} trong {of} khách hàng mới nhất")
            }
            Self::OwnCodes { example } => {
                format!("Mã hóa đơn của cửa hàng có dạng {example}, giống mã của hóa đơn đã sửa")
            }
            Self::DeletedProducts { codes } => format!(
                "Hóa đơn gần đây có hàng đã bị xóa trên KiotViet: {}",
                codes.join(", ")
            ),
            Self::OwnIntegration { traces } => {
                format!("Getfly có {traces} bản ghi do kết nối KiotViet của chính Getfly tạo")
            }
            Self::UnknownProducts { unknown, of, codes } => format!(
                "Getfly không có {unknown} trong {of} mã hàng của các hóa đơn gần đây: {}",
                codes.join(", ")
            ),
        };
        Told { what, then, mend }
    }

    /// In English.
    pub fn english(&self) -> Told {
        let (then, mend) = self.follows().1;
        let what = match self {
            Self::OldGetfly => "this Getfly has version 3 of its API only".to_owned(),
            Self::KeyRefused { side } => format!("{} refuses the key", side.as_str()),
            Self::NoRight { side, to } => {
                format!("{} does not let {} be read", side.as_str(), to.words().1)
            }
            Self::OtherBridge { origin } => {
                format!("another bridge at {origin} gets this shop's webhooks too")
            }
            Self::UsersNotOffered => "KiotViet F&B has no list of users".to_owned(),
            Self::SellersWithoutUser { sellers, of } => {
                format!("{sellers} of {of} sellers have no Getfly user of the same phone")
            }
            Self::RequiredField {
                of: Of::Account,
                name,
            } => {
                format!("Getfly demands the field {name} of an account")
            }
            Self::RequiredField {
                of: Of::Order,
                name,
            } => {
                format!("Getfly demands the field {name} of an order")
            }
            Self::DuplicateAccounts { accounts, of } => format!(
                "{accounts} of Getfly's newest {of} accounts share a phone or an e-mail with another one"
            ),
            Self::PhonesStoredOtherwise { phones, of } => {
                format!("{phones} of {of} phones in Getfly are stored with blanks, signs or +84")
            }
            Self::MaskedPhones { phones, of } => {
                format!("KiotViet masks the phones of {phones} of the newest {of} customers")
            }
            Self::OwnCodes { example } => {
                format!("the shop's invoice codes look like {example}, as an edited invoice's do")
            }
            Self::DeletedProducts { codes } => format!(
                "the last invoices have products that were deleted on KiotViet: {}",
                codes.join(", ")
            ),
            Self::OwnIntegration { traces: 1 } => {
                "Getfly has 1 record that its own KiotViet integration made".to_owned()
            }
            Self::OwnIntegration { traces } => {
                format!("Getfly has {traces} records that its own KiotViet integration made")
            }
            Self::UnknownProducts { unknown, of, codes } => format!(
                "Getfly does not have {unknown} of {of} product codes of the last invoices: {}",
                codes.join(", ")
            ),
        };
        Told { what, then, mend }
    }

    /// What would come of it and what to do, in both languages.
    #[rustfmt::skip]
    fn follows(&self) -> ((&'static str, &'static str), (&'static str, &'static str)) {
        match self {
            Self::OldGetfly => (
                ("Chưa gửi được gì; mọi sự kiện chờ đến khi Getfly được nâng cấp.", "Yêu cầu Getfly nâng lên phiên bản 6.0."),
                ("Nothing can be sent; all events wait until Getfly is a newer one.", "Ask Getfly for version 6.0."),
            ),
            Self::KeyRefused { side: Side::Getfly } => (
                ("Chưa gửi được gì; mọi sự kiện được giữ và thử lại.", "Lấy lại Getfly API Key trong Cài đặt › Tích hợp và đặt getfly_api_key."),
                ("Nothing can be sent; all events are kept and tried again.", "Take the API key from Getfly's settings and set getfly_api_key."),
            ),
            Self::KeyRefused { side: Side::KiotViet } => (
                ("Không đọc được gì từ KiotViet; mọi sự kiện được giữ và thử lại.", "Kết nối lại cửa hàng với ClientId và Mã bảo mật đúng. Gian hàng bán lẻ (đăng nhập tại <tên>.kiotviet.vn) và F&B (fnb.kiotviet.vn/<tên>) kết nối được; Khách sạn (hotel.kiotviet.vn) thì không."),
                ("Nothing can be read from KiotViet; all events are kept and tried again.", "Connect the shop again with the right ClientId and security code. Shops of retail, which log in at <shop>.kiotviet.vn, and of F&B (fnb.kiotviet.vn/<shop>) can be connected; KiotViet Hotel (hotel.kiotviet.vn) cannot."),
            ),
            Self::NoRight { to: Resource::Users, .. } => (
                ("Đơn hàng được tạo mà không có người thực hiện, khách hàng không có người phụ trách.", "Cấp quyền đọc người dùng."),
                ("Orders go without executor, and accounts without manager.", "Give the right to read users."),
            ),
            Self::NoRight { to: Resource::Products, .. } => (
                ("Đơn hàng có mã hàng mà Getfly không biết sẽ bị từ chối và chờ anh/chị xử lý.", "Cấp quyền đọc sản phẩm."),
                ("An order with a product that Getfly does not know is refused, and waits for you.", "Give the right to read products."),
            ),
            Self::NoRight { side: Side::KiotViet, .. } => (
                ("Không đồng bộ được; sự kiện được giữ và thử lại.", "Trên KiotViet, tại Thiết lập kết nối API, tích chọn cho phép truy xuất khách hàng, hóa đơn, đặt hàng."),
                ("Nothing of that kind is carried over; events are kept and tried again.", "On KiotViet, in Thiết lập kết nối API, tick the access to customers, invoices and orders."),
            ),
            Self::NoRight { side: Side::Getfly, .. } => (
                ("Không đồng bộ được; sự kiện được giữ và thử lại.", "Trên Getfly, cấp quyền này cho API key."),
                ("Nothing of that kind is carried over; events are kept and tried again.", "In Getfly, give the API key this right."),
            ),
            Self::OtherBridge { .. } => (
                ("Khách hàng và đơn hàng có thể bị tạo hai lần.", "Tắt webhook ở cầu nối kia, hoặc xóa đăng ký của nó trên KiotViet."),
                ("Customers and orders may be created twice.", "Switch the webhooks off at the other one, or delete its registration on KiotViet."),
            ),
            Self::UsersNotOffered => (
                ("Đơn hàng không có người thực hiện, khách hàng không có người phụ trách.", "Không cần làm gì: phân công trên Getfly."),
                ("Orders go without executor, and accounts without manager.", "Nothing can be done on KiotViet: assign them in Getfly."),
            ),
            Self::SellersWithoutUser { .. } => (
                ("Đơn hàng của họ không có người thực hiện.", "Mở thẻ Nhân viên và sửa số điện thoại ở KiotViet hoặc Getfly."),
                ("Their orders go without executor.", "Open the tab Staff, and mend the phones on KiotViet or in Getfly."),
            ),
            Self::RequiredField { of: Of::Account, .. } => (
                ("Khách hàng không có trường này bị Getfly từ chối và chờ anh/chị xử lý.", "Trên Getfly, bỏ bắt buộc trường này; hoặc nhập đủ trên KiotViet."),
                ("A customer without it is refused by Getfly, and waits for you.", "In Getfly, do not demand it; or fill it in on KiotViet."),
            ),
            Self::RequiredField { of: Of::Order, .. } => (
                ("Đơn hàng không có trường này bị Getfly từ chối và chờ anh/chị xử lý.", "Trên Getfly, bỏ bắt buộc trường này."),
                ("An order without it is refused by Getfly, and waits for you.", "In Getfly, do not demand it."),
            ),
            Self::DuplicateAccounts { .. } => (
                ("Đơn hàng được gắn với khách hàng được tạo trước.", "Gộp các khách hàng trùng trên Getfly trước khi bật webhook."),
                ("Orders go to the account that was created first.", "Merge them in Getfly before the webhooks are switched on."),
            ),
            Self::PhonesStoredOtherwise { .. } => (
                ("Tìm kiếm của Getfly có thể không thấy các số này, và khách hàng có thể bị tạo lần nữa.", "Trên Getfly, sửa về dạng 0912345678, hoặc bật kiểm tra trùng số điện thoại."),
                ("Getfly's search may not find these, and an account may be created again.", "In Getfly, write them as 0912345678, or forbid duplicate phones."),
            ),
            Self::MaskedPhones { .. } => (
                ("Số bị che được bỏ qua; các khách hàng đó không được liên kết theo số điện thoại.", "Không cần làm gì nếu đó là khách từ sàn thương mại điện tử."),
                ("Masked numbers are left out, and these customers are not linked by phone.", "Nothing, where they come from a marketplace."),
            ),
            Self::OwnCodes { .. } => (
                ("Mỗi hóa đơn như vậy được so với hóa đơn gốc; nếu không rõ là bản sửa hay đơn mới, ứng dụng sẽ hỏi anh/chị.", "Không cần làm gì; xem các sự kiện cần xử lý."),
                ("Each is compared with the invoice it may be an edit of; where that is not clear, you are asked.", "Nothing; look at the events that need you."),
            ),
            Self::DeletedProducts { .. } => (
                ("Dòng hàng đó chỉ ghi tên, trừ khi Getfly có sản phẩm cùng mã và cùng tên.", "Có thể đặt fallback_product_code."),
                ("Their lines go by name alone, unless Getfly has a product of the same code and name.", "You may set fallback_product_code."),
            ),
            Self::OwnIntegration { .. } => (
                ("Mọi khách hàng và đơn hàng bị tạo hai lần, với mã khác nhau.", "Tắt kết nối KiotViet trong Getfly: Cài đặt › Tích hợp › Kiot Việt."),
                ("Every customer and order is created twice, under different codes.", "Switch Getfly's own KiotViet integration off, in its settings."),
            ),
            Self::UnknownProducts { .. } => (
                ("Nếu Getfly từ chối mã lạ, dòng hàng đó chỉ ghi tên; nếu Getfly cũng không nhận dòng không mã, đơn hàng chờ anh/chị xử lý.", "Tạo các sản phẩm này trên Getfly, hoặc đặt fallback_product_code."),
                ("Where Getfly refuses unknown codes, these lines go by name alone; where it takes no line without a code either, the order waits for you.", "Create these products in Getfly, or set fallback_product_code."),
            ),
        }
    }
}
