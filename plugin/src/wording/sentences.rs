//! The journal's facts in sentences: in Vietnamese here, in English as the API has them, in both with times as
//! Vietnam's clocks show them. A fact without a sentence does not compile.

use crate::{
    getfly::{error::GetflyError, refusal::Detail},
    journal::{
        evidence::{Evidence, NewSince},
        note::{Broken, Note},
        record::Told,
        trouble::{Source, Target, Trouble},
        webhook::Webhook,
    },
    kiotviet::{envelope::NotAnEnvelope, error::KiotVietError},
    rules::{
        money::Money,
        remark::{Remainder, Remark},
        sale::EditOrSale,
        verdict::Reason,
    },
    seal::SealError,
    time::Timestamp,
    wording::{money, reasons, text::Lang, times::shown},
    world::HttpError,
};

/// A sentence, and whether it is in the reader's language: what an earlier version kept is English.
pub struct Sentence {
    /// The sentence.
    pub words: String,
    /// Whether it is in the reader's language.
    pub ours: bool,
}

/// A fact that is told in a sentence.
pub trait Fact {
    /// In this language.
    fn sentence(&self, lang: Lang) -> Sentence;
}

fn time(at: Timestamp) -> String {
    shown(at).unwrap_or_else(|| at.to_string())
}

impl Fact for Note {
    fn sentence(&self, lang: Lang) -> Sentence {
        match lang {
            Lang::En => ours(self.english(time)),
            Lang::Vi => Sentence {
                words: note(self),
                ours: !matches!(self, Self::Text(_)),
            },
        }
    }
}

impl Fact for Trouble {
    fn sentence(&self, lang: Lang) -> Sentence {
        match lang {
            Lang::En => ours(self.english(time)),
            Lang::Vi => Sentence {
                words: trouble(self),
                ours: !matches!(self, Self::Text(_)),
            },
        }
    }
}

impl Fact for Evidence {
    fn sentence(&self, lang: Lang) -> Sentence {
        match lang {
            Lang::En => ours(self.english(time)),
            Lang::Vi => Sentence {
                words: evidence(self),
                ours: !matches!(self, Self::Text(_)),
            },
        }
    }
}

impl Fact for Told<'_> {
    fn sentence(&self, lang: Lang) -> Sentence {
        match (lang, self) {
            (_, Self::Note(note)) => note.sentence(lang),
            (Lang::En, told) => ours(told.english(time)),
            (Lang::Vi, Self::LastFailure(why)) => ours(format!("Lỗi gần nhất: {}", trouble(why))),
        }
    }
}

fn ours(words: String) -> Sentence {
    Sentence { words, ours: true }
}

fn note(note: &Note) -> String {
    let plain = match note {
        Note::SignatureMissing => "Thiếu chữ ký",
        Note::SignatureWrong => "Chữ ký không khớp",
        Note::SignatureUnchecked => {
            "Chưa kiểm tra được chữ ký: không giải mã được Mã bảo mật của kết nối"
        }
        Note::NotADelivery(why) => not_an_envelope(*why),
        Note::StillNotADelivery(why) => {
            return format!("Vẫn không đọc được: {}", not_an_envelope(*why));
        }
        Note::BodySealed => "Không giải mã được nội dung với master_key hiện tại",
        Note::AcceptedAnew { events } => return format!("Đã nhận lại thành {events} sự kiện"),
        Note::AcceptedPartly { events, left } => {
            return format!(
                "Đã nhận lại {events} mục thành sự kiện; còn {left} mục, hãy ấn Thử lại lần nữa"
            );
        }
        Note::NothingKept => "Chỉ được đếm, không lưu nội dung nên không thể thử lại; hãy đóng lại",
        Note::OnlyCounted { deliveries, hash } => {
            return format!(
                "Trong giờ này còn {deliveries} lượt gửi bị từ chối, chỉ được đếm; lượt đầu có SHA-256 {hash}. Lần đọc danh sách tiếp theo sẽ đọc lại những gì chúng có thể đã báo"
            );
        }
        Note::FromRetry => "Được nhận do có người ấn Thử lại",
        Note::ReadBack => "Được đọc lại: KiotViet đã không gửi",
        Note::UsersNotOffered => {
            "R13: không có người thực hiện, vì KiotViet F&B không có danh sách người dùng"
        }
        Note::ReadFor { seq } => {
            return format!("Đã đến trước khi bản ghi của KiotViet được đọc cho sự kiện {seq}");
        }
        Note::NotThereLately => "Không có chữ ký, và vài phút trước KiotViet không có mã này",
        Note::FromBackfill => "Từ việc lấy dữ liệu cũ",
        Note::EntryDamaged { .. } => "Không đọc được bản ghi trong kho lưu trữ",
        Note::ConnectionRemoved => "Kết nối đã bị xóa",
        Note::WebhookBroken { how, sound_at } => return webhook_broken(*how, *sound_at),
        Note::Rules(about) => return remark(about),
        Note::Executor { user_id } => {
            return format!(
                "Người thực hiện: người dùng Getfly số {user_id}, có cùng số điện thoại với người bán."
            );
        }
        Note::NoSeller => "Không có người thực hiện: hóa đơn không ghi người bán.",
        Note::SellerUnlisted => {
            "Không có người thực hiện: KiotViet không cung cấp tài khoản người bán (admin hoặc đã xóa)."
        }
        Note::SellerWithoutPhone => {
            "Không có người thực hiện: người bán chưa có số điện thoại dùng được trên KiotViet."
        }
        Note::NobodyWithThatPhone => {
            "Không có người thực hiện: không có người dùng Getfly nào trùng số điện thoại người bán."
        }
        Note::UsersRefused { side, why } => {
            return format!(
                "R13: không có người thực hiện, vì không đọc được danh sách người dùng; hãy cấp quyền này trên {}: {}",
                side.as_str(),
                trouble(why)
            );
        }
        Note::UsersFailing { why } => {
            return format!(
                "R13: không có người thực hiện, vì danh sách người dùng bị lỗi suốt năm phút: {}",
                trouble(why)
            );
        }
        Note::WalkIn => "R5: khách lẻ, không tạo khách hàng",
        Note::CustomerGone => {
            "KiotViet không còn khách hàng của hóa đơn; đơn hàng được tạo như của khách lẻ, tên khách ghi trong điều khoản"
        }
        Note::WalkInAccountMade { code } => {
            return format!(
                "R5: Getfly đã tạo khách hàng {code} cho khách lẻ; từ nay khách hàng này được dùng"
            );
        }
        Note::WalkInAttached { code } => {
            return format!(
                "R5: Getfly đã gắn đơn hàng khách lẻ vào khách hàng {code}; các đơn sau dùng một khách hàng riêng"
            );
        }
        Note::WalkInAccountGone { code } => {
            return format!("R5: Getfly không còn khách hàng {code} dành cho khách lẻ");
        }
        Note::CodeReused { invoice, order } => {
            return format!(
                "R6: mã {invoice} đã dùng cho một hóa đơn khác; hóa đơn này có mã đơn hàng {order}"
            );
        }
        Note::PartsCut { compared } => {
            return format!(
                "R7: quá nhiều khách hàng có email chứa địa chỉ này; đã so sánh {compared} khách hàng đầu tiên"
            );
        }
        Note::AccountGone { code } => {
            return format!(
                "R7: Getfly không còn khách hàng {code}; đã tìm lại khách hàng phù hợp"
            );
        }
        Note::SecondAccountRefused => {
            "Getfly không nhận khách hàng thứ hai cùng số điện thoại hoặc email; đã liên kết khách hàng đầu tiên"
        }
        Note::NoManagerWhileOn => "R12: không có người phụ trách, vì webhook khách hàng đang bật",
        Note::NoManagerOwnEvent => {
            "R12: không có người phụ trách, vì khách hàng được tạo từ webhook khách hàng"
        }
        Note::AccountReplyLost => "Không nhận được trả lời khi tạo khách hàng; đã tìm lại theo mã",
        Note::Answered {
            is: EditOrSale::Edit,
        } => "R6: người dùng xác nhận đây là bản sửa",
        Note::Answered {
            is: EditOrSale::Sale,
        } => "R6: người dùng xác nhận đây là đơn bán riêng",
        Note::SameDeadLetter { event } => {
            return format!(
                "Đã có sự kiện #{event} đang chờ xử lý cho bản ghi này: hãy xử lý sự kiện đó"
            );
        }
        Note::DismissedBefore { event } => {
            return format!("Bản ghi này đã được đóng trước đó, tại sự kiện #{event}");
        }
        Note::ContactsShared => {
            "R7: người liên hệ của nhiều khách hàng có số điện thoại này, nên không liên kết với ai"
        }
        Note::LinkedByContact => {
            "R7: số điện thoại hoặc email là của người liên hệ của khách hàng này, và không của khách hàng nào khác"
        }
        Note::FoundInIndex => {
            "R7: tìm kiếm của Getfly không cho thấy khách hàng này; danh mục khách hàng của ứng dụng đã tìm ra, và đã đọc lại trên Getfly"
        }
        Note::OrderReplyLost => "Không nhận được trả lời khi tạo đơn hàng; đã tìm lại theo mã",
        Note::ChangedAfter { order, pushed, now } => {
            let dong = |total: &Option<String>| {
                total
                    .as_deref()
                    .map_or("không rõ".to_owned(), money::of_text)
            };
            let pushed = dong(pushed);
            return match now {
                Some(_) => format!(
                    "Hóa đơn được sửa trên KiotViet sau khi đã đẩy đơn {order}: lúc đẩy {pushed}, bây giờ {}. Hãy sửa trên Getfly",
                    dong(now)
                ),
                None => format!(
                    "Hóa đơn bị hủy trên KiotViet sau khi đã đẩy đơn {order} ({pushed}). Hãy sửa trên Getfly"
                ),
            };
        }
        Note::ChangeTold => "Đã ghi trao đổi về việc sửa này trên khách hàng Getfly của đơn hàng",
        Note::ChangeNotTold { why } => {
            return format!(
                "Chưa ghi được trao đổi về việc sửa này trên Getfly: {}",
                trouble(why)
            );
        }
        Note::ChangeWithoutAccount => {
            "Chưa ghi trao đổi về việc sửa này trên Getfly: không thấy khách hàng của đơn hàng"
        }
        Note::ChangePerhapsTold { why: Some(why) } => {
            return format!(
                "Chưa rõ Getfly đã ghi trao đổi về việc sửa này hay chưa, và sẽ không ghi lại: {}",
                trouble(why)
            );
        }
        Note::ChangePerhapsTold { why: None } => {
            "Chưa rõ Getfly đã ghi trao đổi về việc sửa này hay chưa, và sẽ không ghi lại: lần xử lý trước bị ngắt, hoặc kho lưu trữ được khôi phục"
        }
        Note::OrderWasThere => {
            "Getfly đã có đơn hàng này, từ trước khi kho lưu trữ được tạo mới hoặc khôi phục"
        }
        Note::OrdersAccount { code, reason } => {
            return format!("Khách hàng {code}: {}", came_about(*reason));
        }
        Note::CodeUsed { used, next } => {
            return format!(
                "Mã {used} đã được dùng nhưng không thuộc khách hàng nào trên Getfly, có lẽ của khách hàng đã xóa; được tạo với mã {next}"
            );
        }
        Note::CreatedWithout { detail, why } => {
            return format!("Được tạo không có {}: {}", left_out(*detail), trouble(why));
        }
        Note::StoredUnder { sent, code } => {
            return format!("Getfly lưu {sent} dưới mã riêng {code}");
        }
        Note::TotalDiffers { getfly, ours } => {
            return format!(
                "R3: Tổng đơn hàng trên Getfly là {}, còn ứng dụng đã gửi {}",
                money::of_text(getfly),
                money::of_text(ours)
            );
        }
        Note::ProductUnder { code, fallback } => {
            return format!(
                "R3: Getfly không có sản phẩm {code}; dòng này dùng sản phẩm {fallback}"
            );
        }
        Note::ProductByName { code } => {
            return format!(
                "R3: Getfly không có sản phẩm {code}; dòng này chỉ ghi tên (có thể đặt sản phẩm thay thế bằng fallback_product_code)"
            );
        }
        Note::ProductDeleted { code, fallback } => {
            let goes = match fallback {
                Some(fallback) => format!("dùng sản phẩm {fallback}"),
                None => "chỉ ghi tên (có thể đặt sản phẩm thay thế bằng fallback_product_code)"
                    .to_owned(),
            };
            return format!(
                "R3: KiotViet đã xóa sản phẩm {code}, Getfly không có sản phẩm cùng mã và cùng tên; dòng này {goes}"
            );
        }
        Note::Enrolled => "R11: đã đưa vào chiến dịch",
        Note::NotEnrolled => "R11: chưa đưa vào chiến dịch, vì khách hàng không có số điện thoại",
        Note::EnrolmentUnknown { why } => {
            return format!(
                "R11: chưa rõ đã đưa vào chiến dịch hay chưa: {}",
                trouble(why)
            );
        }
        Note::Failed(why) => return trouble(why),
        Note::Text(text) => text,
    };
    plain.to_owned()
}

fn not_an_envelope(why: NotAnEnvelope) -> &'static str {
    match why {
        NotAnEnvelope::TooManyItems => "Có quá nhiều mục",
        NotAnEnvelope::NotJson => "Không phải JSON",
        NotAnEnvelope::NotAnObject => "Không phải một đối tượng JSON",
        NotAnEnvelope::NoNotifications => "Không có Notifications lẫn RemoveId",
        NotAnEnvelope::NotAList => "Notifications không phải danh sách",
    }
}

fn webhook_broken(how: Broken, sound_at: Option<Timestamp>) -> String {
    let what = match how {
        Broken::SwitchedOff => "KiotViet đã tắt webhook",
        Broken::Elsewhere => "Webhook gửi đến địa chỉ khác với public_url",
        Broken::Deleted => "Webhook đã bị xóa trên KiotViet",
    };
    match sound_at {
        Some(at) => format!("{what}; lần cuối thấy hoạt động là {}", time(at)),
        None => what.to_owned(),
    }
}

fn remark(remark: &Remark) -> String {
    let dong = |amount: &Money| money::shown(*amount);
    match remark {
        Remark::MaskedPhone => "R7: bỏ qua một số điện thoại bị che".to_owned(),
        Remark::MaskedEmail => "R7: bỏ qua một địa chỉ email bị che".to_owned(),
        Remark::Unreadable { member } => {
            format!("Không đọc được {member} trên KiotViet nên bỏ qua")
        }
        Remark::PriceRaised {
            product_code,
            price,
            unit,
        } => format!(
            "Dòng {product_code}: KiotViet tính cao hơn đơn giá × số lượng, nên đơn giá là {} thay vì {}.",
            dong(price),
            dong(unit)
        ),
        Remark::LineTotalUnclear {
            product_code,
            total,
            quantity,
        } => format!(
            "Dòng {product_code}: thành tiền {} trên KiotViet không thể quy ra đơn giá với số lượng {quantity}.",
            dong(total)
        ),
        Remark::Rounded {
            total,
            before,
            rest,
            into,
        } => {
            let into = match into {
                Remainder::Discount => "giảm giá",
                Remainder::Tax => "thuế",
                Remainder::Surcharge => "thu khác",
            };
            format!(
                "Làm tròn: tổng tiền trên KiotViet là {}, đơn hàng này cộng được {}; phần lẻ {} tính vào {into} của đơn hàng.",
                dong(total),
                dong(before),
                dong(rest)
            )
        }
        Remark::Difference {
            total,
            computed,
            difference,
        } => format!(
            "Tổng tiền trên KiotViet là {}, đơn hàng này cộng được {}: chênh lệch {}.",
            dong(total),
            dong(computed),
            dong(difference)
        ),
    }
}

/// How an order's account came about.
fn came_about(reason: Reason) -> &'static str {
    match reason {
        Reason::CustomerCreated => "vừa được tạo",
        Reason::AlreadySynced => "đã có từ trước",
        Reason::LinkedByEmail => "liên kết theo email",
        Reason::LinkedByPhone => "liên kết theo số điện thoại",
        Reason::OrderCreated
        | Reason::CustomerWebhookOff
        | Reason::OrderWebhookOff
        | Reason::CreatedBeforeConnection
        | Reason::InvoiceEdited
        | Reason::InvoiceCancelled
        | Reason::NotSyncedType
        | Reason::DeletedOnKiotviet
        | Reason::WebhookRegisteredAgain => reasons::explain(Lang::Vi, reason),
    }
}

fn left_out(detail: Detail) -> &'static str {
    match detail {
        Detail::Manager => "người phụ trách",
        Detail::Executor => "người thực hiện",
        Detail::Source => "nguồn",
        Detail::Gender => "giới tính",
        Detail::Birthday => "sinh nhật",
        Detail::TaxCode => "mã số thuế",
        Detail::Address => "địa chỉ",
        Detail::Phone => "số điện thoại",
        Detail::Email => "email",
    }
}

fn trouble(why: &Trouble) -> String {
    match why {
        Trouble::KiotViet(e) => kiotviet(e),
        Trouble::Getfly(e) => getfly(e),
        Trouble::OldGetfly => {
            "Getfly 4.x chỉ có API v3: địa chỉ Getfly này chưa có API 6.1 mà ứng dụng cần. Hãy đề nghị Getfly nâng cấp lên phiên bản 6.0; trong lúc đó các sự kiện chờ và không mất lần thử nào".to_owned()
        }
        Trouble::Sealed(SealError::OtherKey) => {
            "Dữ liệu được mã hóa bằng một master_key khác".to_owned()
        }
        Trouble::Sealed(SealError::Damaged) => "Dữ liệu mã hóa bị hỏng".to_owned(),
        Trouble::ConnectionUnreadable { .. } => {
            "Không đọc được kết nối; hãy kết nối lại cửa hàng".to_owned()
        }
        Trouble::Stopped { .. } => "Đang xử lý thì phải dừng, sẽ tự làm tiếp".to_owned(),
        Trouble::NoReadableId => "Mục này không có Id đọc được".to_owned(),
        Trouble::AnotherGetfly { kept, asked } => format!(
            "getfly_url là {asked}, nhưng khách hàng và đơn hàng của kho lưu trữ này ở {kept}: chưa gửi gì, các webhook nhận được vẫn được giữ lại. Hãy xác nhận đây là cùng một Getfly với địa chỉ mới, đặt lại getfly_url, hoặc dùng kho lưu trữ riêng"
        ),
        Trouble::AnotherBridge { origin } => format!(
            "Một cầu nối KiotViet → Getfly khác, với kho lưu trữ riêng, cũng đang đăng ký cho cửa hàng này tại {origin}: mọi thứ có thể bị tạo hai lần. Hãy tắt webhook ở đó, hoặc xóa đăng ký đó trên KiotViet"
        ),
        Trouble::LinkedAccountGone { code } => format!(
            "Khách hàng được liên kết thủ công với khách hàng {code}, nhưng Getfly không còn khách hàng này"
        ),
        Trouble::EditOrSale { code, base } => format!(
            "{code} giống một bản sửa của {base}, nhưng hóa đơn đó bán vào ngày khác hoặc không rõ ngày"
        ),
        Trouble::AccountWithoutCode { id } => format!(
            "Khách hàng số {id} trên Getfly là khách này nhưng chưa có mã, mà đơn hàng cần mã khách hàng: hãy đặt mã cho khách hàng đó trên Getfly rồi thử lại"
        ),
        Trouble::UsersUnread {
            side,
            subject,
            since,
        } => format!(
            "R13: không đọc được danh sách người dùng của {} ({subject}) từ {}; đơn hàng không có người thực hiện cho đến khi cấp quyền xem người dùng",
            side.as_str(),
            time(*since)
        ),
        Trouble::NoCreationDate { of } => {
            let of = match of {
                Source::Customer => "Khách hàng",
                Source::Invoice => "Hóa đơn",
            };
            format!("{of} trên KiotViet không có ngày tạo, nên không phân biệt được mới và cũ")
        }
        Trouble::TooManyNumbers { most } => format!(
            "Khách hàng có hơn {most} số điện thoại và email, quá nhiều để tìm theo từng số"
        ),
        Trouble::AbsurdAmount => {
            "Một số tiền trong bản ghi này vượt quá mức tính được (trên 10^18)".to_owned()
        }
        Trouble::EveryFormRefused { of } => {
            let of = match of {
                Target::Account => "khách hàng",
                Target::Order => "đơn hàng",
            };
            format!("Getfly từ chối {of} này dưới mọi hình thức")
        }
        Trouble::NotShown { until } => format!(
            "KiotViet chưa hiển thị bản ghi này; sẽ hỏi lại lúc {}",
            time(*until)
        ),
        Trouble::Unsettled { until } => {
            format!("Lần thử trước chưa có kết quả chắc chắn trước {}", time(*until))
        }
        Trouble::Text(text) => text.clone(),
    }
}

fn kiotviet(e: &KiotVietError) -> String {
    match e {
        KiotVietError::Unauthorized { reason } => {
            format!("KiotViet không chấp nhận phiên truy cập: {reason}")
        }
        KiotVietError::CredentialsRefused { reason } => {
            format!("KiotViet từ chối thông tin kết nối: {reason}")
        }
        KiotVietError::Refused {
            status,
            code,
            message,
        } => format!("KiotViet từ chối ({status} {code}): {message}"),
        KiotVietError::NotOffered => {
            "Phiên bản KiotViet này không có danh sách đó (404)".to_owned()
        }
        KiotVietError::NoRight => {
            "Thiết lập trên KiotViet không cho phép kết nối này làm việc đó (403)".to_owned()
        }
        KiotVietError::Busy { status, .. } => {
            format!("KiotViet đang bận hoặc ngừng hoạt động ({status})")
        }
        KiotVietError::Unreachable(e) => format!("Không kết nối được KiotViet: {}", http(e)),
        KiotVietError::Unreadable {
            field: Some(field), ..
        } => format!("Không đọc được trường {field} của bản ghi trên KiotViet"),
        KiotVietError::Unreadable { field: None, .. } => {
            "Không đọc được bản ghi trên KiotViet".to_owned()
        }
        KiotVietError::Denied { variable } => denied(&variable.to_string()),
        KiotVietError::Garbled { .. } => "Không đọc được trả lời của KiotViet".to_owned(),
    }
}

fn getfly(e: &GetflyError) -> String {
    match e {
        GetflyError::KeyRefused { status } => format!("Getfly từ chối API Key ({status})"),
        GetflyError::Refused(refusal) => {
            format!("Getfly từ chối ({}): {}", refusal.status, refusal.words())
        }
        GetflyError::Busy { status, .. } => {
            format!("Getfly đang bận hoặc ngừng hoạt động ({status})")
        }
        GetflyError::Unreachable(e) => format!("Không kết nối được Getfly: {}", http(e)),
        GetflyError::NothingThere => "Không có gì ở địa chỉ này của Getfly (404)".to_owned(),
        GetflyError::Denied => denied("getfly_url"),
        GetflyError::Garbled { .. } => "Không đọc được trả lời của Getfly".to_owned(),
        GetflyError::Untold { .. } => "Getfly không cho biết đã lưu bản ghi dưới mã nào".to_owned(),
    }
}

fn denied(variable: &str) -> String {
    format!(
        "Máy chủ không cho phép gọi đến {variable}: hãy thêm địa chỉ này vào allowed_outbound_hosts ({{{{ {variable} }}}} trong spin.toml)"
    )
}

fn http(e: &HttpError) -> String {
    match e {
        HttpError::Timeout => "không trả lời kịp thời".to_owned(),
        HttpError::Connection(_) | HttpError::NotSent(_) => "kết nối bị lỗi".to_owned(),
        HttpError::Denied => {
            "máy chủ không cho phép gọi đến địa chỉ này (allowed_outbound_hosts)".to_owned()
        }
        HttpError::TooLarge => "trả lời quá lớn".to_owned(),
        HttpError::LeaseEnded => "hết lượt làm việc trước khi gọi".to_owned(),
    }
}

fn evidence(evidence: &Evidence) -> String {
    let given = |at: &Option<Timestamp>| at.map_or_else(|| "(không rõ)".to_owned(), time);
    match evidence {
        Evidence::CustomerCreated { at, since } => {
            format!("KiotViet tạo lúc {}; {}", given(at), new_since(*since))
        }
        Evidence::InvoiceCreated { code, at, since } => format!(
            "KiotViet tạo {code} lúc {}; {}",
            given(at),
            new_since(*since)
        ),
        Evidence::Wanted { from } => {
            format!("Việc lấy dữ liệu cũ bắt đầu từ {}", time(*from))
        }
        Evidence::OriginalStands { base } => {
            format!("Hóa đơn {base} chưa bị hủy trên KiotViet, nên đây là một hóa đơn riêng")
        }
        Evidence::NoOriginal { base } => {
            format!("KiotViet không có hóa đơn {base}, nên đây là một hóa đơn riêng")
        }
        Evidence::AccountIsThere { code } => format!("Getfly đã có khách hàng {code}"),
        Evidence::Matches { accounts } => {
            format!("Số khách hàng trên Getfly trùng email hoặc số điện thoại: {accounts}")
        }
        Evidence::Decided(reason) => reasons::explain(Lang::Vi, *reason).to_owned(),
        Evidence::Text(text) => text.clone(),
    }
}

fn new_since(since: NewSince) -> String {
    match since {
        NewSince::SwitchedOn(Webhook::Customer, at) => {
            format!("webhook khách hàng được bật lúc {}", time(at))
        }
        NewSince::SwitchedOn(Webhook::Order, at) => {
            format!("webhook đơn hàng được bật lúc {}", time(at))
        }
        NewSince::Backfill(from) => format!("việc lấy dữ liệu cũ bắt đầu từ {}", time(from)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{journal::connection_name::Side, rules::codes::InvoiceCode};

    fn words(fact: &impl Fact, lang: Lang) -> String {
        fact.sentence(lang).words
    }

    #[test]
    fn sentences_are_told_in_both_languages_with_vietnams_times() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let on = at("2026-10-05T02:00:00Z");
        let fact = Evidence::InvoiceCreated {
            code: InvoiceCode::new("HD1"),
            at: Some(at("2026-10-05T03:00:00.12Z")),
            since: NewSince::SwitchedOn(Webhook::Order, on),
        };
        assert_eq!(
            words(&fact, Lang::Vi),
            "KiotViet tạo HD1 lúc 05/10/2026 10:00; webhook đơn hàng được bật lúc 05/10/2026 09:00"
        );
        assert_eq!(
            words(&fact, Lang::En),
            "KiotViet created HD1 at 05/10/2026 10:00; the order webhook was switched on at 05/10/2026 09:00"
        );
        let why = Trouble::Getfly(GetflyError::Busy {
            status: 503,
            retry_after: None,
        });
        assert_eq!(
            words(&Told::LastFailure(&why), Lang::Vi),
            "Lỗi gần nhất: Getfly đang bận hoặc ngừng hoạt động (503)"
        );
        assert_eq!(
            words(&Told::LastFailure(&why), Lang::En),
            "last failure: Getfly is busy or down (503)"
        );
    }

    #[test]
    fn what_an_earlier_version_kept_is_marked_as_english() {
        let old = Note::Text("something old".to_owned());
        let told = old.sentence(Lang::Vi);
        assert_eq!((told.words.as_str(), told.ours), ("something old", false));
        assert!(old.sentence(Lang::En).ours);
        assert!(Note::WalkIn.sentence(Lang::Vi).ours);
        let side = Note::UsersRefused {
            side: Side::Getfly,
            why: Trouble::NoReadableId,
        };
        assert!(words(&side, Lang::Vi).contains("trên Getfly"));
    }
}
