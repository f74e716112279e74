//! What each member of KiotViet's payloads holds (manual 2.11). Names are compared in lower case. A
//! member that stands in none of these lists counts as free text.

/// What a member holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A record's number, or a list of them.
    Id,
    /// A record's code: `KH000123`, `HD000123.01`.
    Code,
    /// A person's or company's name.
    Name,
    /// Phone numbers, as people typed them.
    Phone,
    /// E-mail addresses.
    Email,
    /// Digits that belong to a person: a tax code, a bank account.
    Digits,
    /// A day of birth.
    Birthday,
    /// A moment of the shop's business, kept.
    Moment,
    /// An amount, a quantity, a state: kept if it is a number.
    Amount,
    /// One of KiotViet's own words, kept if it is known.
    Word,
    /// `customer.update.500123456`.
    Action,
    /// The .NET type.
    TypeName,
    /// Anything else.
    Text,
}

/// What a member of this name holds.
pub(super) fn sort(name: &str) -> Sort {
    let name = name.to_lowercase();
    match name.as_str() {
        "__type" => Sort::TypeName,
        "action" => Sort::Action,
        "removeid" | "removeids" | "removedids" | "data" => Sort::Id,
        "code" | "customercode" | "productcode" | "deliverycode" | "ordercode" | "branchcode"
        | "barcode" => Sort::Code,
        "name" | "customername" | "soldbyname" | "receiver" | "organization" | "givenname"
        | "username" | "contactname" | "createdbyname" => Sort::Name,
        "contactnumber" | "subcontactnumber" | "subnumber" | "mobilephone" | "phone" | "tel" => {
            Sort::Phone
        }
        "email" => Sort::Email,
        "taxcode" | "bankaccount" | "identificationnumber" => Sort::Digits,
        "birthdate" => Sort::Birthday,
        "purchasedate" | "modifieddate" | "createddate" | "transdate" | "timestamp" => Sort::Moment,
        "attempt" | "total" | "totalpayment" | "totaltax" | "discount" | "discountratio"
        | "price" | "subtotal" | "quantity" | "returnquantity" | "amount" | "survalue"
        | "surchargevalue" | "status" | "type" | "cost" | "onhand" | "reserved" | "weight"
        | "length" | "width" | "height" | "pricecodpayment" => Sort::Amount,
        "statusvalue" | "method" => Sort::Word,
        id if id.ends_with("id") || id.ends_with("uuid") => Sort::Id,
        _ => Sort::Text,
    }
}

/// KiotViet's name for a walk-in.
pub(super) const WALK_IN: &str = "Khách lẻ";

/// KiotViet's own words for states and ways of paying.
const WORDS: [&str; 17] = [
    "Hoàn thành",
    "Đã hủy",
    "Đã huỷ",
    "Đang xử lý",
    "Không giao được",
    "Phiếu tạm",
    "Đang giao hàng",
    "Đã xác nhận",
    "Đã thanh toán",
    "Chưa thanh toán",
    "Chờ xử lý",
    "Cash",
    "Card",
    "Transfer",
    "Voucher",
    "Point",
    "COD",
];

/// Whether a text is one of them.
pub(super) fn is_word(text: &str) -> bool {
    WORDS.contains(&text)
}

/// What a webhook may be about (KiotViet's manual, 2.11).
const TYPES: [&str; 15] = [
    "customer.update",
    "customer.delete",
    "product.update",
    "product.delete",
    "stock.update",
    "order.update",
    "invoice.update",
    "pricebook.update",
    "pricebook.delete",
    "pricebookdetail.update",
    "pricebookdetail.delete",
    "category.update",
    "category.delete",
    "branch.update",
    "branch.delete",
];

/// The kind of an action, and the retailer's number behind it.
pub(super) fn action(text: &str) -> Option<(&'static str, &str)> {
    TYPES.iter().find_map(|kind| {
        let rest = text.get(..kind.len())?;
        let same = rest.eq_ignore_ascii_case(kind);
        let rest = text.get(kind.len()..)?;
        match rest.strip_prefix('.') {
            _ if !same => None,
            Some(retailer) => Some((*kind, retailer)),
            None => rest.is_empty().then_some((*kind, "")),
        }
    })
}

/// Prefixes of KiotViet's own codes; a prefix that a person typed may be a name.
const PREFIXES: [&str; 16] = [
    "HD", "KH", "SP", "DH", "TT", "TTHD", "VD", "CN", "KHSPE", "KHTTS", "KHLZD", "HDSPE", "HDTTS",
    "HDLZD", "DHSPE", "PN",
];

/// Whether a code may begin with it.
pub(super) fn is_prefix(letters: &str) -> bool {
    PREFIXES.contains(&letters)
}
