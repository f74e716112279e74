//! The API's problems and the configuration's variables in sentences for people, with how to mend them.

use super::words::{SHOP_DAMAGED, Text, text};

/// A problem's `type` in a sentence of the page's own; none where the API's words must do.
pub(super) fn problem(kind: &str) -> Option<Text> {
    let text = match kind {
        "not-found" => text!(
            "Địa chỉ không đúng, hoặc trang không còn nữa.",
            "The address is wrong, or the page is gone.",
        ),
        "method-not-allowed" => text!(
            "Hãy quay lại và ấn nút trên trang.",
            "Go back and use the button on the page.",
        ),
        "form-expired" => text!(
            "Biểu mẫu đã hết hạn và chưa có gì được lưu. Hãy quay lại và ấn lại một lần nữa; nếu biểu mẫu hiện bên dưới thì những gì đã nhập vẫn còn.",
            "The form had expired and nothing was saved. Go back and press the button once more; where a form is shown below, what you typed is kept.",
        ),
        "form-from-elsewhere" => text!(
            "Yêu cầu đến từ một trang web khác nên không được thực hiện. Hãy thao tác trên chính trang này.",
            "The request came from another website, so it was not carried out. Use the buttons on this page.",
        ),
        "kiotviet-refused-credentials" => text!(
            "KiotViet từ chối Tên cửa hàng, ClientId hoặc Mã bảo mật. Hãy so lại với trang Thiết lập kết nối API và nhập lại.",
            "KiotViet refuses the shop name, ClientId or security code. Compare them with the page Thiết lập kết nối API and enter them again.",
        ),
        "kiotviet-of-fnb" => text!(
            "ClientId và Mã bảo mật này là của một cửa hàng KiotViet F&B (nhà hàng), không phải bán lẻ. Hãy chọn F&B, hoặc dán địa chỉ đăng nhập fnb.kiotviet.vn/<tên cửa hàng>.",
            "This ClientId and security code are of a shop of KiotViet F&B (restaurants), not of retail. Choose F&B, or paste the log-in address fnb.kiotviet.vn/<shop>.",
        ),
        "kiotviet-of-retail" => text!(
            "ClientId và Mã bảo mật này là của một cửa hàng KiotViet bán lẻ, không phải F&B. Hãy chọn Bán lẻ, hoặc dán địa chỉ đăng nhập <tên cửa hàng>.kiotviet.vn.",
            "This ClientId and security code are of a shop of KiotViet bán lẻ (retail), not of F&B. Choose retail, or paste the log-in address <shop>.kiotviet.vn.",
        ),
        "kiotviet-hotel" => text!(
            "Đây là địa chỉ đăng nhập của KiotViet Hotel (khách sạn), có API khác. Kết nối được cửa hàng KiotViet bán lẻ, đăng nhập tại <tên cửa hàng>.kiotviet.vn, và F&B, đăng nhập tại fnb.kiotviet.vn/<tên cửa hàng>.",
            "This is the log-in address of KiotViet Hotel, which has another API. Shops of KiotViet bán lẻ (retail), which log in at <shop>.kiotviet.vn, and of F&B, which log in at fnb.kiotviet.vn/<shop>, can be connected.",
        ),
        "host-denies-call" => text!(
            "Máy chủ chạy ứng dụng không cho phép gọi ra địa chỉ này. Hãy báo cho người cài đặt ứng dụng: thêm địa chỉ vào allowed_outbound_hosts trong spin.toml.",
            "The application's host does not let calls to this address out. Tell whoever installed the application to allow it in allowed_outbound_hosts in spin.toml.",
        ),
        "kiotviet-no-right" => text!(
            "KiotViet chưa cấp quyền cho kết nối này. Trên KiotViet, tại Thiết lập kết nối API: tích chọn “Cho phép truy xuất thông tin khách hàng, hóa đơn, đặt hàng từ gian hàng của bạn” và Hoạt động, sau đó ấn Lưu.",
            "KiotViet does not give this connection the right. On KiotViet, in Thiết lập kết nối API: tick “Cho phép truy xuất thông tin khách hàng, hóa đơn, đặt hàng từ gian hàng của bạn” and Hoạt động, then press Lưu.",
        ),
        "kiotviet-refused" => text!("KiotViet từ chối yêu cầu này.", "KiotViet refused."),
        "kiotviet-unreachable" => text!(
            "KiotViet không trả lời như mong đợi. Hãy thử lại sau một phút.",
            "KiotViet does not answer as it should. Try again in a minute.",
        ),
        "getfly-refused" => text!(
            "Getfly từ chối yêu cầu này. Kiểm tra Getfly API Key.",
            "Getfly refused. Look at its API key.",
        ),
        "getfly-unreachable" => text!(
            "Getfly không trả lời như mong đợi. Hãy thử lại sau một phút.",
            "Getfly does not answer as it should. Try again in a minute.",
        ),
        "newer-store" => text!(
            "Dữ liệu đã được một phiên bản mới hơn của ứng dụng ghi, nên phiên bản này không đọc và không ghi gì. KiotViet sẽ gửi lại những gì đang đến. Hãy báo cho người cài đặt ứng dụng: chạy lại phiên bản mới, hoặc khôi phục bản sao lưu trước khi nâng cấp.",
            "A newer version of the application wrote the data, so this version reads and writes nothing. KiotViet sends again what comes meanwhile. Tell whoever installed the application: start the newer version again, or put back the copy from before the upgrade.",
        ),
        "store-unavailable" => text!(
            "Kho lưu trữ không trả lời. Hãy thử lại sau một phút; nếu vẫn lỗi, báo cho người cài đặt ứng dụng.",
            "The key-value store does not answer. Try again in a minute; if it goes on, tell whoever installed the application.",
        ),
        "store-unfit" => text!(
            "Kho lưu trữ của máy chủ này không giữ đúng những gì đã ghi, nên chưa thể kết nối cửa hàng. Hãy báo cho người cài đặt ứng dụng; địa chỉ /healthz nói rõ lý do.",
            "This host's key-value store does not keep what it was given, so no shop can be connected. Tell whoever installed the application; /healthz says why.",
        ),
        "busy" => text!(
            "master_key đang được thay, và kết nối này có thể đang được mã hóa lại. Hãy thử lại sau một phút.",
            "master_key is being rotated, and this connection may be sealed anew. Try again in a minute.",
        ),
        "unknown-connection" => text!("Không có cửa hàng này.", "There is no such shop."),
        "unknown-event" => text!(
            "Không có sự kiện số này, hoặc đã quá hạn lưu giữ.",
            "There is no event of this number, or it was kept long enough and removed.",
        ),
        "not-a-dead-letter" => text!(
            "Sự kiện này không còn cần xử lý.",
            "This event no longer needs attention.",
        ),
        "nothing-asked" => text!(
            "Sự kiện này không hỏi đó là bản sửa hay đơn bán riêng.",
            "This event does not ask whether it is an edit or a sale.",
        ),
        "unknown-account" => text!(
            "Getfly không có khách hàng với mã này. Hãy sao chép mã từ trang khách hàng trên Getfly; khách hàng đã xóa hoặc đã gộp không còn mã.",
            "Getfly has no account with this code. Copy it from the account in Getfly; a deleted or merged one has none.",
        ),
        "no-customer" => text!(
            "Sự kiện này không có khách hàng để liên kết. Với khách lẻ, hãy đặt walk_in_account_code.",
            "This event has no customer to link. For walk-ins set walk_in_account_code.",
        ),
        "not-linked" => text!(
            "Khách hàng này chưa được liên kết thủ công.",
            "This customer is not linked by hand.",
        ),
        "day-too-large" => text!(
            "Ngày này có nhiều hóa đơn hoặc đơn hàng hơn mức đọc được trong một lần, nên chưa đọc hết và chưa đối chiếu được.",
            "This day has more sales or orders than are read at once, so it was not read whole and is not compared.",
        ),
        "too-many-links" => text!(
            "Cửa hàng này đã có quá nhiều liên kết thủ công. Hãy bỏ bớt liên kết khác trước.",
            "This shop has too many links by hand. Undo others first.",
        ),
        "another-getfly" => text!(
            "Getfly ở địa chỉ này không có khách hàng hoặc đơn hàng mà kho lưu trữ này đã tạo, nên đây là một Getfly khác. Hãy đặt lại getfly_url, hoặc dùng kho lưu trữ riêng.",
            "The Getfly at this address does not have what this store has created, so it is another one. Set getfly_url back, or use a store of its own.",
        ),
        "getfly-unconfirmed" => text!(
            "getfly_url đã đổi và chưa được xác nhận. Hãy xác nhận ở trang Tổng quan, hoặc đặt lại getfly_url.",
            "getfly_url was changed and is not confirmed. Confirm it on the overview, or set it back.",
        ),
        "another-shop" => text!(
            "Tên này là của cửa hàng khác. Hãy chọn tên khác hoặc ngắt kết nối cửa hàng kia trước.",
            "This name is another shop's. Choose another name, or disconnect that shop first.",
        ),
        "alert-not-sent" => text!(
            "Tin thử không đến nơi. Hãy kiểm tra các biến alert_origin, alert_path, alert_format và alert_chat.",
            "The test message did not arrive. Look at the variables alert_origin, alert_path, alert_format and alert_chat.",
        ),
        "changed-meanwhile" => text!(
            "Có người khác vừa thay đổi kết nối này cùng lúc. Hãy xem lại rồi đổi địa chỉ lần nữa nếu cần.",
            "Somebody else changed this connection at the same time. Look at it, and change the address again if need be.",
        ),
        "webhooks-are-off" => text!(
            "Cửa hàng này chưa bật webhook nào. Hãy bật webhook khách hàng, webhook đơn hàng hoặc cả hai trước: chỉ những gì chúng đẩy về mới được lấy.",
            "No webhook of this shop is on. Switch on the customer webhook, the order webhook or both first: what they bring is what is brought over.",
        ),
        "backfill-running" => text!(
            "Đang lấy dữ liệu cũ của cửa hàng này. Hãy đợi xong hoặc dừng lại trước.",
            "Older data of this shop is being brought over. Wait for its end, or stop it first.",
        ),
        "secrets-cannot-be-opened" => text!(
            "Không giải mã được Mã bảo mật đã lưu với master_key hiện tại. Hãy kết nối lại cửa hàng: nhập ClientId và Mã bảo mật.",
            "The kept security code cannot be opened with this master_key. Connect the shop again: enter ClientId and security code.",
        ),
        "damaged-connection" => SHOP_DAMAGED,
        "unreadable" => text!(
            "Nội dung này không phải là webhook của KiotViet.",
            "This is not a KiotViet webhook.",
        ),
        "too-many-fields" => text!(
            "Biểu mẫu có quá nhiều trường. Hãy dùng biểu mẫu trên trang này.",
            "The form has too many fields. Use the form on this page.",
        ),
        "body-too-large" => text!("Nội dung gửi lên quá lớn.", "What was sent is too large.",),
        "invalid-request" => text!(
            "Có thông tin còn thiếu hoặc chưa đúng.",
            "Something is missing or wrong.",
        ),
        _ => return None,
    };
    Some(text)
}

/// How to set a variable.
pub(super) fn variable(name: &str) -> Option<Text> {
    let text = match name {
        "getfly_url" => text!(
            "Địa chỉ Getfly của anh/chị, ví dụ https://shop.getflycrm.com, không có dấu / ở cuối.",
            "Your Getfly address, e.g. https://shop.getflycrm.com, without a slash at its end.",
        ),
        "getfly_api_key" => text!(
            "Lấy trong Getfly: Cài đặt › Tích hợp › Tích hợp phần mềm khác › Getfly API Key.",
            "Take it from Getfly: Cài đặt › Tích hợp › Tích hợp phần mềm khác › Getfly API Key.",
        ),
        "public_url" => text!(
            "Địa chỉ mà KiotViet gọi đến ứng dụng này, ví dụ https://bridge.example.vn, không có dấu / ở cuối.",
            "Where KiotViet reaches this application, e.g. https://bridge.example.vn, without a slash at its end.",
        ),
        "admin_token" => text!(
            "Một chuỗi ngẫu nhiên từ 16 ký tự trở lên, dùng để đăng nhập trang này.",
            "A random text of at least 16 characters; it opens this page.",
        ),
        "metrics_token" | "drain_token" => text!(
            "Một chuỗi ngẫu nhiên khác từ 16 ký tự trở lên, chỉ mở một địa chỉ; hoặc để trống.",
            "Another random text of at least 16 characters, which opens one route only; or leave it empty.",
        ),
        "master_key" => text!(
            "32 byte ngẫu nhiên dạng Base64, ví dụ kết quả của lệnh: openssl rand -base64 32",
            "32 random bytes in Base64, e.g. the output of: openssl rand -base64 32",
        ),
        "kiotviet_api_url"
        | "kiotviet_auth_url"
        | "kiotviet_fnb_api_url"
        | "kiotviet_fnb_auth_url" => text!(
            "Địa chỉ API của KiotViet, chỉ gồm https:// và tên miền, không có đường dẫn hay dấu / ở cuối. Thường để trống.",
            "An origin of KiotViet's API, without a path or a slash at its end. Usually left empty.",
        ),
        "kiotviet_token_path" => text!(
            "Đường dẫn lấy mã truy cập của KiotViet, bắt đầu bằng dấu /, ví dụ /connect/token. Thường để trống.",
            "The path of KiotViet's token endpoint, beginning with a slash, e.g. /connect/token. Usually left empty.",
        ),
        "getfly_requests_per_second" => text!(
            "Số lượt gọi Getfly mỗi giây, từ 0.2 đến 100, ví dụ 2 hoặc 0.5.",
            "Calls to Getfly a second, from 0.2 to 100, e.g. 2 or 0.5.",
        ),
        "gender_codes" => text!(
            "Hai số khác nhau cho hai giới tính, ví dụ female=1,male=2.",
            "Two different numbers for the two genders, like female=1,male=2.",
        ),
        "signature_policy" => text!(
            "Một trong ba từ: auto, enforce hoặc observe.",
            "One of auto, enforce and observe.",
        ),
        "processing" => text!(
            "Một trong hai từ: background hoặc inline.",
            "One of background and inline.",
        ),
        "retention_days" => text!(
            "Số ngày giữ lịch sử, số nguyên từ 1 đến 3650.",
            "How many days the history is kept: a whole number from 1 to 3650.",
        ),
        "poll_seconds" => text!(
            "Số giây giữa hai lần đọc hóa đơn F&B, số nguyên từ 30 đến 3600.",
            "Seconds between two polls of an F&B shop's invoices: a whole number from 30 to 3600.",
        ),
        "keep_names" => text!(
            "true để giữ tên khách hàng và tổng tiền cùng sự kiện (được mã hóa), false nếu không.",
            "true keeps the customer's name and the total with an event, sealed; false does not.",
        ),
        "note_changes" => text!(
            "true để ghi trao đổi trên khách hàng Getfly khi hóa đơn được sửa hoặc hủy sau khi đẩy, false nếu không.",
            "true puts a comment at the Getfly account of a sale that was edited or cancelled after its order was made; false does not.",
        ),
        "ignored_emails" => text!(
            "Các địa chỉ email cách nhau bằng dấu phẩy, ví dụ khongco@gmail.com.",
            "E-mail addresses, parted by commas, like khongco@gmail.com.",
        ),
        "campaign_recipient_username" => text!(
            "Tên đăng nhập Getfly của người nhận cơ hội; cần có khi đặt customer_campaign_code.",
            "The Getfly login name of whoever receives the opportunity; needed with customer_campaign_code.",
        ),
        "alert_origin" => text!(
            "Địa chỉ nơi nhận cảnh báo, chỉ gồm https:// và tên miền, ví dụ https://hooks.slack.com.",
            "The origin of the alerts' receiver, e.g. https://hooks.slack.com.",
        ),
        "alert_path" => text!(
            "Phần còn lại của địa chỉ nhận cảnh báo, bắt đầu bằng dấu /, ví dụ /services/T000/B000/XXXX.",
            "The rest of the receiver's address, beginning with a slash, e.g. /services/T000/B000/XXXX.",
        ),
        "heartbeat_path" => text!(
            "Đường dẫn được gọi sau mỗi lần chạy tốt, bắt đầu bằng dấu /; hoặc để trống.",
            "The path that is requested after each good drain, beginning with a slash; or leave it empty.",
        ),
        "alert_format" => text!(
            "Một trong ba từ: json, slack hoặc telegram.",
            "One of json, slack and telegram.",
        ),
        "alert_chat" => text!(
            "Số của cuộc trò chuyện Telegram nhận tin.",
            "The number of the Telegram chat that gets the messages.",
        ),
        _ => return None,
    };
    Some(text)
}
