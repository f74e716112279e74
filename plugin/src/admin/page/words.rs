//! Every text of the page, in Vietnamese and in English, in one table. Sentences about events are in
//! `wording/`.

pub(super) use crate::wording::text::{Lang, Text, text};

macro_rules! words {
    ($($name:ident: $vi:literal / $en:literal;)*) => {
        $(pub(super) const $name: Text = text!($vi, $en);)*
        #[cfg(test)]
        const ALL: &[(&str, Text)] = &[$((stringify!($name), $name)),*];
    };
}

words! {
    // The frame.
    OVERVIEW: "Tổng quan" / "Overview";
    SHOPS: "Cửa hàng" / "Shops";
    EVENTS: "Sự kiện" / "Events";
    TRY: "Xem thử" / "Try it";
    ALERTS: "Cảnh báo" / "Alerts";
    LOG_OUT: "Đăng xuất" / "Log out";
    LOG_OUT_EVERYWHERE: "Đăng xuất mọi nơi" / "Log out everywhere";
    OTHER_LANGUAGE: "English" / "Tiếng Việt";
    TAGLINE: "Khách hàng và hóa đơn KiotViet vào Getfly, mỗi thứ đúng một lần." / "KiotViet customers and invoices into Getfly, each exactly once.";
    SKIP: "Đến nội dung chính" / "Skip to content";
    BACK: "Quay lại" / "Back";
    YES: "Có" / "Yes";
    NO: "Không" / "No";

    // Alerts.
    ALERTS_OFF: "Chưa có ai được báo khi có sự cố: anh/chị phải tự mở trang này để biết." / "Nobody is told of trouble: you have to open this page to know.";
    ALERTS_HOW: "Người cài đặt có thể bật cảnh báo qua Slack, Telegram hoặc email bằng các biến alert_origin, alert_path, alert_format." / "Whoever runs the bridge can switch alerts on by Slack, Telegram or e-mail, with the variables alert_origin, alert_path and alert_format.";
    ALERT_FORMAT: "Gửi theo dạng" / "Sent as";
    ALERT_LAST: "Tin gần nhất" / "Last message";
    ALERT_NONE: "chưa gửi tin nào" / "none yet";
    ALERT_ARRIVED: "đã đến nơi" / "it arrived";
    ALERT_FAILED: "chưa đến nơi, sẽ tự gửi lại" / "it did not arrive, and is sent again";
    ALERT_TEST: "Gửi tin thử" / "Send a test message";
    ALERT_TEST_SENT: "Đã gửi tin thử và nơi nhận đã trả lời. Hãy xem tin có đến không." / "The test message was sent and the receiver answered. Look whether it is there.";
    ALERTS_STAND: "Đang có" / "Standing now";
    ALERTS_NOTHING: "Không có sự cố nào cần báo." / "Nothing to tell.";
    MUTE: "Không báo việc này nữa" / "Do not tell of this any more";
    MUTED: "Không báo nữa" / "Not told any more";
    UNMUTE: "Báo lại" / "Tell again";

    // Log in.
    LOG_IN: "Đăng nhập" / "Log in";
    ADMIN_TOKEN: "Mã quản trị (admin_token)" / "Admin token (admin_token)";
    ADMIN_TOKEN_HINT: "Mã đã đặt ở biến admin_token khi cài đặt ứng dụng. Phiên đăng nhập kéo dài 12 giờ." / "The text that was set as the variable admin_token when the application was installed. You stay logged in for 12 hours.";
    WRONG_TOKEN: "Mã quản trị không đúng. Kiểm tra xem có thừa hoặc thiếu ký tự không, rồi nhập lại." / "The admin token is wrong. Look for missing or extra characters and enter it again.";
    WEAK_TOKEN: "dễ bị đoán: quá ít ký tự khác nhau. Hãy đặt một chuỗi ngẫu nhiên, ví dụ kết quả của: openssl rand -base64 32." / "is easily guessed: it has too little variety. Set a random text, for example the output of: openssl rand -base64 32.";
    SESSION_OVER: "Phiên đăng nhập đã hết hạn và chưa có gì được lưu. Hãy đăng nhập lại; những gì đã nhập vẫn còn, trừ mật khẩu và Mã bảo mật." / "Your session is over and nothing was saved. Log in again; what you typed is kept, but for passwords and the security code.";
    LOGGED_OUT: "Anh/chị đã đăng xuất." / "You are logged out.";

    // Errors of the page itself.
    NOT_FOUND: "Không có trang này" / "There is no such page";
    WRONG_METHOD: "Trang này không mở được theo cách đó" / "This page cannot be opened that way";
    NOT_DONE: "Chưa thực hiện được" / "It was not done";
    WHAT_IT_SAID: "Chi tiết:" / "Details:";
    TRY_IN_A_MINUTE: "Hãy thử lại sau một phút." / "Try again in a minute.";
    FROM_TOO_LATE: "Ngày bắt đầu phải trước ngày kết thúc và không ở tương lai." / "from must be earlier than to, and than now.";

    // Configuration.
    SETUP: "Cần hoàn tất cài đặt" / "The installation needs attention";
    SETUP_MORE: "Các biến sau còn thiếu hoặc chưa đúng. Người cài đặt ứng dụng sửa chúng rồi khởi động lại. Trong lúc đó webhook vẫn được nhận và giữ lại." / "These variables are missing or malformed. Whoever installed the application sets them and starts it again. Deliveries are accepted and kept meanwhile.";
    SETUP_HOW: "Đặt biến bằng --variable tên=giá_trị, hoặc biến môi trường SPIN_VARIABLE_TÊN." / "Set a variable with --variable name=value, or as SPIN_VARIABLE_NAME in the environment.";

    // Overview.
    NO_SHOP: "Chưa kết nối cửa hàng nào" / "No shop is connected yet";
    NO_SHOP_MORE: "Kết nối cửa hàng KiotViet chỉ mất khoảng hai phút." / "Connecting a KiotViet shop takes about two minutes.";
    CONNECT_FIRST: "Kết nối cửa hàng đầu tiên" / "Connect the first shop";
    CONNECT_ANOTHER: "Kết nối thêm cửa hàng" / "Connect another shop";
    TODAY: "Hôm nay" / "Today";
    DAYS_30: "30 ngày gần đây" / "The last 30 days";
    AS_TABLE: "Xem dạng bảng" / "As a table";
    DAY: "Ngày" / "Day";
    NO_EVENTS_30: "Chưa có sự kiện nào trong 30 ngày." / "No events in 30 days.";
    CHART_TITLE: "Số sự kiện mỗi ngày theo kết quả" / "Events a day by outcome";
    LAST_EVENT: "Sự kiện gần nhất" / "Last event";
    CHECKED_AT: "Kiểm tra webhook lúc" / "Webhooks checked at";
    MISSED_AT: "KiotViet gửi thiếu, đã đọc lại lúc" / "Not delivered by KiotViet, read back at";
    WAITING: "Đang chờ" / "Waiting";
    DEAD_LETTERS: "Cần xử lý" / "Need attention";
    OLDEST_WAITING: "Chờ lâu nhất từ" / "Oldest waiting since";
    NEEDS_YOU: "sự kiện cần anh/chị xử lý" / "events need a person";
    NEEDS_YOU_1: "sự kiện cần anh/chị xử lý" / "event needs a person";
    SEE_THEM: "Xem và xử lý" / "See and settle them";
    ENDS_AT_ANSWER: "Máy chủ này dừng ứng dụng ngay khi trả lời, nên đơn hàng phải chờ đến lần chạy kế tiếp. Anh/chị hãy nhờ người vận hành đặt processing = inline." / "This host ends the application at its answer, so that sales wait for the next drain. Have processing set to inline.";
    WEAKER: "Kho dữ liệu của máy chủ này không có phép đếm nguyên tử: hai khách hàng cùng số điện thoại, hoặc hai lần gửi của một hóa đơn, đến đúng cùng một lúc có thể cùng được tạo trên Getfly. Mọi bảo đảm khác vẫn giữ nguyên." / "This host's key-value store has no atomics: two customers with one phone, or two deliveries of one invoice, that come at one instant may both be created in Getfly. Every other promise holds.";
    ACCOUNTS: "Khách hàng trên Getfly" / "Getfly's accounts";
    ACCOUNTS_MORE: "Để tìm khách hàng đã có dù số điện thoại được lưu theo cách nào, kể cả của người liên hệ. Ứng dụng chỉ giữ mã băm có khóa, không giữ số điện thoại hay email." / "So that an existing account is found however its phone is written, a contact person's too. Only keyed marks are kept, no phone and no e-mail.";
    ACCOUNTS_KNOWN: "Số khách hàng đã biết" / "Accounts known";
    ACCOUNTS_READ_AT: "Đọc hết danh sách lúc" / "All of them last read at";
    ACCOUNTS_READING: "Đang đọc, đã đọc được" / "Being read, so far";
    ACCOUNTS_FULL: "Getfly có nhiều khách hàng hơn mức lưu được; một số khách chỉ được tìm qua tìm kiếm của Getfly." / "Getfly has more accounts than there is room for; some are found by Getfly's own search only.";
    ACCOUNTS_UNSORTED: "Getfly không trả danh sách khách hàng theo thứ tự; toàn bộ danh sách được đọc lại mỗi ngày." / "Getfly lists its accounts in no certain order; all of them are read again every day.";
    ACCOUNTS_UNFILTERED: "Getfly không lọc được khách hàng theo thời điểm sửa; toàn bộ danh sách được đọc lại mỗi ngày." / "Getfly does not tell which accounts were changed; all of them are read again every day.";
    FAILS: "Đang lỗi." / "It fails.";
    FAILS_SINCE: "Từ lúc" / "Since";
    EVENTS_WAIT: "sự kiện đang chờ, không mất gì." / "events wait; nothing is lost.";
    EVENTS_WAIT_1: "sự kiện đang chờ, không mất gì." / "event waits; nothing is lost.";
    ASKED_AGAIN: "Sẽ tự thử lại lúc" / "Tried again at";
    UNREAD: "sự kiện mới nhận, chưa bắt đầu xử lý" / "events have arrived and not been begun";
    UNSEEN_SINCE: "Không kiểm tra được từ" / "Not to be checked since";
    ALL_OFF: "Đã kết nối nhưng chưa bật webhook nào: chưa có gì được đẩy về Getfly." / "Connected, but no webhook is on: nothing is brought to Getfly yet.";
    ALL_OFF_1: "Mở trang của cửa hàng này." / "Open this shop's page.";
    ALL_OFF_2: "Bật webhook khách hàng, webhook đơn hàng hoặc cả hai." / "Switch on the customer webhook, the order webhook or both.";
    ALL_OFF_3: "Bán thử một đơn trên KiotViet, rồi xem ở mục Sự kiện." / "Sell something on KiotViet, then look at the events.";
    ALL_OFF_BUTTON: "Bật webhook" / "Switch the webhooks on";
    RECONCILIATION: "Đối chiếu theo ngày" / "A day's reconciliation";
    RECONCILIATION_MORE: "So các hóa đơn bán trong ngày trên KiotViet với đơn hàng của ngày đó trên Getfly. Chỉ đọc, không ghi gì." / "KiotViet's sales of a day against Getfly's orders of that day. It only reads.";
    RECONCILE: "Đối chiếu" / "Compare";
    RECONCILED: "Hai bên khớp nhau." / "Both sides agree.";
    RECONCILE_UNREAD: "Chưa đọc được hóa đơn của cửa hàng này, nên chưa đối chiếu được." / "This shop's sales could not be read, so it is not compared.";
    AS_CSV: "Tải bảng CSV" / "As CSV";
    DIFFERENCE: "Khác nhau" / "Difference";
    KIOTVIET_TOTAL: "Tổng tiền KiotViet" / "KiotViet total";
    GETFLY_TOTAL: "Tổng tiền Getfly" / "Getfly total";
    MALE: "Nam" / "Male";
    FEMALE: "Nữ" / "Female";
    DIFFERS_BEFORE: "có trước khi bật webhook, nên không được đẩy" / "was there before the webhook was switched on, so it is not brought over";
    DIFFERS_MISSING: "không có đơn của ngày này trên Getfly" / "has no order of this day in Getfly";
    DIFFERS_TOTAL: "khác tổng tiền" / "has another total";
    DIFFERS_GONE: "không còn là hóa đơn của ngày này trên KiotViet (đã hủy, đã xóa hoặc khác ngày)" / "is no living sale of this day on KiotViet (cancelled, deleted or of another day)";
    DIFFERS_UNREADABLE: "không đọc được hóa đơn này từ KiotViet, nên không so được" / "KiotViet's invoice cannot be read, so it is not compared";
    CHANGED: "Đã sửa sau khi đẩy" / "Changed after the order";
    CHANGED_MORE: "Các hóa đơn bị sửa hoặc hủy trên KiotViet sau khi đơn hàng đã được đẩy về Getfly. Ứng dụng không bao giờ sửa đơn trên Getfly: anh/chị hãy sửa ở đó, rồi ấn “Đã sửa trên Getfly”." / "Invoices that were edited or cancelled on KiotViet after their order was made in Getfly. This application never changes an order in Getfly: correct it there, then press “Corrected in Getfly”.";
    CHANGED_NONE: "Không có đơn nào cần sửa trên Getfly." / "No order needs to be corrected in Getfly.";
    CHANGED_OPEN: "đơn đã sửa hoặc hủy trên KiotViet sau khi đẩy" / "orders were edited or cancelled on KiotViet after they were made";
    CHANGED_OPEN_1: "đơn đã sửa hoặc hủy trên KiotViet sau khi đẩy" / "order was edited or cancelled on KiotViet after it was made";
    CHANGED_AT: "Thấy lúc" / "Seen at";
    PUSHED_TOTAL: "Tổng tiền lúc đẩy" / "Total of the order";
    TOTAL_NOW: "Tổng tiền bây giờ" / "Total now";
    CANCELLED: "Đã hủy" / "Cancelled";
    CORRECTED: "Đã sửa trên Getfly" / "Corrected in Getfly";
    UNREAD_1: "sự kiện mới nhận, chưa bắt đầu xử lý" / "event has arrived and not been begun";
    EQUATION: "Không mất sự kiện nào" / "Nothing is lost";
    EQUATION_WRONG: "Số liệu không khớp" / "The numbers do not add up";
    EQUATION_MORE: "Mỗi sự kiện đã nhận kết thúc ở đúng một nơi:" / "Every event that was received ends in exactly one place:";
    EQUATION_MEND: "Hãy báo cho người cài đặt ứng dụng." / "Tell whoever installed the application.";
    RECEIVED: "Đã nhận" / "Received";

    // Webhooks.
    WEBHOOK_CUSTOMER: "Webhook khách hàng" / "Customer webhook";
    WEBHOOK_ORDER: "Webhook đơn hàng" / "Order webhook";
    HOOK_ACTIVE: "Đang hoạt động" / "Active";
    HOOK_BROKEN: "KiotViet đã tắt" / "Switched off by KiotViet";
    HOOK_MISSING: "KiotViet không còn webhook này" / "Gone from KiotViet";
    HOOK_ON: "Đang bật" / "On";
    HOOK_OFF: "Đang tắt" / "Off";
    SHOP_DAMAGED: "Không đọc được thông tin kết nối của cửa hàng này, nên chưa nhận được dữ liệu KiotViet gửi; KiotViet sẽ gửi lại. Hãy kết nối lại, rồi bật lại hai webhook." / "This shop's connection cannot be read, so what KiotViet sends is not accepted yet; it sends again. Connect the shop again, then switch both webhooks on again.";
    CONNECT_AGAIN: "Kết nối lại" / "Connect again";
    HOOK_LEFT: "Đã tắt, nhưng KiotViet vẫn còn đăng ký" / "Off, but still registered at KiotViet";
    HOOK_LEFT_MORE: "Lần tắt trước chưa hủy được đăng ký trên KiotViet. Ấn “Tắt” để hủy; nếu không, ứng dụng tự hủy trong lần kiểm tra tới (mười lăm phút một lần)." / "It could not be unregistered at KiotViet when it was switched off. Press “Switch off” to do so; else the next look (every quarter of an hour) does it.";

    // Shops and connecting.
    CONNECT: "Kết nối" / "Connect";
    CONNECT_TITLE: "Kết nối cửa hàng KiotViet" / "Connect a KiotViet shop";
    SHOP_NAME: "Tên cửa hàng" / "Shop name (Tên cửa hàng)";
    SHOP_NAME_HINT: "Tên kết nối trên KiotViet. Ví dụ link KiotViet là https://datta.kiotviet.vn thì nhập datta." / "The connection's name on KiotViet. If your address is https://datta.kiotviet.vn, enter datta.";
    POLLED: "đọc hóa đơn mỗi phút" / "invoices are read every minute";
    POLLED_EVERY: "đọc hóa đơn mỗi" / "invoices are read every";
    POLLED_AT: "lần cuối" / "last at";
    POLLED_MEANS: "KiotViet F&B không có webhook hóa đơn: khi bật, hóa đơn được đọc mỗi phút." / "KiotViet F&B has no invoice webhook: while this is on, invoices are read every minute.";
    EDITION: "Phần mềm KiotViet" / "KiotViet edition";
    EDITION_RETAIL: "Bán lẻ (<tên>.kiotviet.vn)" / "Retail (<shop>.kiotviet.vn)";
    EDITION_FNB: "F&B – nhà hàng, quán (fnb.kiotviet.vn/<tên>)" / "F&B – restaurants (fnb.kiotviet.vn/<shop>)";
    EDITION_HINT: "Nếu dán cả địa chỉ đăng nhập thì không cần chọn. F&B đang thử nghiệm: hóa đơn được đọc mỗi phút." / "Not needed where you paste the whole log-in address. F&B is experimental: invoices are read every minute.";
    CLIENT_ID: "ClientId" / "ClientId";
    SECRET: "Mã bảo mật" / "Security code (Mã bảo mật)";
    CLIENT_HINT: "Sao chép từ trang Thiết lập kết nối API của KiotViet." / "Copy it from KiotViet's page Thiết lập kết nối API.";
    SECRET_HINT: "Được mã hóa khi lưu và không bao giờ hiển thị lại." / "It is kept encrypted and never shown again.";
    SECRET_AGAIN: "Vì an toàn, Mã bảo mật không được giữ lại: hãy nhập lại." / "For safety the security code is not kept: enter it again.";
    STEPS: "Các bước trên KiotViet" / "The steps on KiotViet";
    STEP_1: "Đăng nhập quản lý KiotViet bằng tài khoản có quyền admin. Từ menu Thiết lập chọn Thiết lập cửa hàng, rồi Thiết lập kết nối API." / "Log in to KiotViet's management with an admin account. In the menu Thiết lập choose Thiết lập cửa hàng, then Thiết lập kết nối API.";
    STEP_2: "Tên kết nối: nhập giống địa chỉ gian hàng KiotViet." / "Tên kết nối: the same as the address of your KiotViet shop.";
    STEP_3: "Tích chọn “Cho phép truy xuất thông tin khách hàng, hóa đơn, đặt hàng từ gian hàng của bạn”." / "Tick “Cho phép truy xuất thông tin khách hàng, hóa đơn, đặt hàng từ gian hàng của bạn”.";
    STEP_4: "Ấn Tạo mã để sinh ra Mã bảo mật, tích chọn Hoạt động, sau đó ấn Lưu." / "Press Tạo mã to make the security code (Mã bảo mật), tick Hoạt động, then press Lưu.";
    STEP_5: "Sao chép Tên cửa hàng, ClientId và Mã bảo mật vào biểu mẫu này rồi ấn Kết nối." / "Copy shop name, ClientId and security code into this form and press Connect.";
    TICK_WARNING: "Nếu không tích chọn mục “Cho phép truy xuất thông tin khách hàng, hóa đơn, đặt hàng từ gian hàng của bạn”, thông tin từ KiotViet sẽ không đổ về Getfly." / "Unless “Cho phép truy xuất thông tin khách hàng, hóa đơn, đặt hàng từ gian hàng của bạn” is ticked, nothing comes from KiotViet to Getfly.";
    OWN_INTEGRATION: "Nếu Getfly của anh/chị đang dùng tích hợp Kiot Việt có sẵn (Cài đặt › Tích hợp › Kiot Việt), hãy tắt nó cho cửa hàng này: nếu cả hai cùng chạy, mỗi khách hàng và đơn hàng được tạo hai lần, với mã khác nhau." / "If your Getfly uses its own KiotViet integration (Cài đặt › Tích hợp › Kiot Việt), switch it off for this shop: where both run, every customer and order is created twice, under different codes.";
    CONNECTED: "Đã kết nối. Bây giờ hãy bật các webhook bên dưới." / "Connected. Now switch on the webhooks below.";
    CONNECTED_AT: "Kết nối lúc" / "Connected at";
    SIGNATURE: "Đã thấy chữ ký hợp lệ" / "Valid signature seen";
    SIGNATURE_NO: "KiotViet chưa gửi chữ ký hợp lệ nào. Sự kiện vẫn được xử lý, và mọi giá trị đều đọc lại từ KiotViet." / "KiotViet has not sent a valid signature yet. Events are processed all the same, and every value is read from KiotViet itself.";
    SIGNATURE_NO_ENFORCED: "KiotViet chưa gửi chữ ký hợp lệ nào. Vì signature_policy là enforce, nội dung nhận được mà không có chữ ký hợp lệ được giữ lại để anh/chị xem và không được xử lý." / "KiotViet has not sent a valid signature yet. As signature_policy is enforce, what comes without one is kept for you to look at and is not processed.";
    SIGNATURE_OBSERVED: "signature_policy là observe: webhook thiếu chữ ký hoặc chữ ký sai vẫn được xử lý, kèm ghi chú trong sự kiện. Mọi giá trị đều đọc lại từ KiotViet." / "signature_policy is observe: deliveries whose signature is missing or wrong are processed too, with a note on the event. Every value is read from KiotViet itself.";
    REGISTER_CUSTOMER: "Đăng ký Webhook tạo khách hàng" / "Register the webhook for new customers (Đăng ký Webhook tạo khách hàng)";
    REGISTER_ORDER: "Đăng ký Webhook tạo đơn hàng" / "Register the webhook for new orders (Đăng ký Webhook tạo đơn hàng)";
    CUSTOMER_ON_MEANS: "Khi bật: khách hàng tạo mới trên KiotViet được đẩy ngay về Getfly và không có người phụ trách." / "On: a customer created on KiotViet goes to Getfly at once, and nobody is in charge of it (người phụ trách).";
    CUSTOMER_OFF_MEANS: "Khi tắt: khách hàng chỉ được tạo khi có hóa đơn, và người thực hiện hóa đơn trở thành người phụ trách khách hàng." / "Off: a customer is created only with an invoice, and whoever carried out the invoice (người thực hiện) is put in charge of the customer (người phụ trách).";
    ORDER_ON_MEANS: "Khi bật: hóa đơn tạo mới trên KiotViet trở thành đơn hàng trên Getfly, người bán là người thực hiện đơn hàng." / "On: an invoice created on KiotViet becomes an order in Getfly, and its seller is the one who carried it out (người thực hiện).";
    ORDER_OFF_MEANS: "Khi tắt: không hóa đơn nào được đẩy về Getfly." / "Off: no invoice goes to Getfly.";
    ON_SINCE: "Bật từ" / "On since";
    SWITCH_ON: "Bật" / "Switch on";
    SWITCH_OFF: "Tắt" / "Switch off";
    REPAIR: "Đăng ký lại" / "Register again";
    SWITCHED: "Đã lưu thay đổi." / "The change is saved.";
    WAITING_WARNING: "Còn sự kiện đang chờ xử lý. Nếu tắt rồi bật lại, khách hàng và hóa đơn tạo trước lúc bật lại được coi là cũ và không được đẩy về. Nên đợi xử lý hết rồi hãy tắt. Số đang chờ:" / "Events are still waiting. After switching off and on again, customers and invoices created before that moment count as old and are not brought over. Better wait until all are processed. Waiting now:";
    WEBHOOKS_AGAIN: "Mã bí mật của webhook đã được tạo mới: hãy ấn “Đăng ký lại” cho từng webhook đang bật." / "The webhooks have new secrets: press “Register again” for each one that is on.";
    NEW_CREDENTIALS: "Đổi ClientId hoặc Mã bảo mật" / "Change ClientId or security code";
    DISCONNECT: "Ngắt kết nối" / "Disconnect";
    DISCONNECT_SURE: "Ngắt kết nối cửa hàng này?" / "Disconnect this shop?";
    DISCONNECT_MEANS: "Webhook được hủy đăng ký trên KiotViet, ClientId và Mã bảo mật bị xóa. Lịch sử sự kiện được giữ lại, dữ liệu trên Getfly không thay đổi." / "Its webhooks are unregistered at KiotViet, ClientId and security code are forgotten. The history of events stays, and nothing changes in Getfly.";
    DISCONNECTED: "Đã ngắt kết nối." / "Disconnected.";
    DISCONNECTED_PARTLY: "Đã ngắt kết nối, nhưng không hủy được webhook trên KiotViet: hãy xóa chúng tại Thiết lập kết nối API." / "Disconnected, but the webhooks could not be unregistered at KiotViet: remove them there, in Thiết lập kết nối API.";
    CONNECTION: "Kết nối" / "Connection";
    FIELD_MISSING: "Hãy điền mục này." / "Fill this in.";
    SHOP_NAME_WRONG: "Tên cửa hàng là phần đứng trước .kiotviet.vn, hoặc sau fnb.kiotviet.vn/ trong địa chỉ: chữ thường không dấu, số, dấu - hoặc _." / "The shop name is what stands before .kiotviet.vn, or after fnb.kiotviet.vn/, in the address: letters a-z, digits, - or _.";
    FORM_WRONG: "Chưa kết nối. Hãy sửa những mục được đánh dấu bên dưới." / "Not connected. Mend what is marked below.";
    MANAGE: "Quản lý" / "Manage";

    // Staff.
    STAFF: "Nhân viên" / "Staff";
    STAFF_MORE: "Người thực hiện đơn hàng được tìm theo số điện thoại: số của nhân viên trên KiotViet phải trùng với số trong tài khoản Getfly." / "Who carried out an order is found by phone: the seller's number on KiotViet must be the number of a Getfly user.";
    STAFF_ADMIN: "Tài khoản admin KiotViet không có trong danh sách này, vì KiotViet không cung cấp tài khoản admin qua API: hóa đơn do admin bán không có người thực hiện." / "KiotViet's admin accounts are not in this list, because KiotViet does not give them through its API: invoices sold by an admin have nobody who carried them out.";
    STAFF_TO_MEND: "Nhân viên chưa khớp" / "Sellers without a match";
    STAFF_ALL_FINE: "Tất cả nhân viên đều khớp với một người dùng Getfly." / "Every seller matches a Getfly user.";
    STAFF_MATCHED: "Nhân viên đã khớp" / "Sellers with a match";
    STAFF_NOT_OFFERED: "KiotViet F&B không có danh sách người dùng, nên đơn hàng không có người thực hiện." / "KiotViet F&B has no list of users, so orders have no executor.";
    STAFF_EMPTY: "KiotViet không có nhân viên nào." / "KiotViet lists no sellers.";
    STAFF_NO_PHONE: "Chưa có số điện thoại dùng được trên KiotViet. Thêm số vào tài khoản nhân viên trên KiotViet." / "No usable phone number on KiotViet. Add one to the seller's KiotViet account.";
    STAFF_NOBODY: "Không có người dùng Getfly nào có số này. Nhập số này vào tài khoản Getfly của nhân viên." / "No Getfly user has this number. Enter it in the seller's Getfly account.";
    STAFF_FRESH: "Danh sách được đọc lại tối đa mười phút một lần." / "The lists are at most ten minutes old.";
    GETFLY_USER: "Người dùng Getfly" / "Getfly user";
    NO_PHONE: "chưa có số" / "no number";

    // Events.
    ALL_SHOPS: "Tất cả cửa hàng" / "All shops";
    DEAD_REASON: "Lý do" / "Reason";
    ALL_REASONS: "Tất cả lý do" / "All reasons";
    ALL_STATES: "Tất cả trạng thái" / "All states";
    SHOP: "Cửa hàng" / "Shop";
    STATE: "Trạng thái" / "State";
    FILTER: "Lọc" / "Filter";
    NO_EVENTS: "Không có sự kiện nào." / "No events.";
    NO_EVENTS_HERE: "Không có sự kiện phù hợp trong phần này của lịch sử; hãy xem tiếp phần cũ hơn." / "No matching events in this part of the history; go on to the older ones.";
    OLDER: "Cũ hơn" / "Older";
    NEWER: "Mới hơn" / "Newer";
    EVENT: "Sự kiện" / "Event";
    RECEIVED_AT: "Nhận lúc" / "Received at";
    FINISHED_AT: "Kết thúc lúc" / "Ended at";
    ATTEMPTS: "Số lần thử lỗi" / "Failed attempts";
    NEXT_ATTEMPT: "Thử lại lúc" / "Next attempt at";
    ACCOUNT_CODE: "Mã khách hàng Getfly" / "Getfly account";
    ORDER_CODE: "Mã đơn hàng Getfly" / "Getfly order";
    RULE: "Quy tắc" / "Rule";
    WHAT_TO_DO: "Cần làm gì" / "What to do";
    NOTES: "Ghi chú" / "Notes";
    EVIDENCE: "Căn cứ" / "Evidence";
    MATCHES: "Khách hàng trùng trên Getfly" / "Getfly accounts that matched";
    MATCHED_EMAIL: "Trùng email" / "Same e-mail";
    MATCHED_PHONE: "Trùng số điện thoại" / "Same phone";
    MATCHED_CONTACT: "Trùng số điện thoại của người liên hệ" / "Same phone on a contact person";
    MATCHED_CONTACT_EMAIL: "Trùng email của người liên hệ" / "Same e-mail on a contact person";
    CHOSEN: "Được chọn" / "Chosen";
    CHOSEN_WHY: "Email được xét trước số điện thoại; nếu nhiều khách hàng trùng, khách được tạo trước trên Getfly được chọn." / "E-mail is looked at before phone; of several accounts, the one created first in Getfly is chosen.";
    CREATED_ON_GETFLY: "Tạo trên Getfly" / "Created in Getfly";
    DETAILS: "Chi tiết xử lý" / "How it went";
    CALLS: "Các lệnh gọi đã thực hiện" / "Calls that were made";
    NO_ANSWER: "không trả lời" / "no answer";
    RETRY: "Thử lại" / "Try again";
    LINK_BY_HAND: "Liên kết thủ công" / "Link by hand";
    LINKED_TO: "Khách hàng này được liên kết với khách hàng Getfly" / "This customer is linked to the Getfly account";
    LINK: "Liên kết" / "Link";
    UNLINK: "Bỏ liên kết" / "Undo the link";
    LINK_HINT: "Mã khách hàng như trên Getfly. Các đơn hàng sau này sẽ thuộc khách hàng đó; đơn đã tạo không đổi." / "The account's code as Getfly shows it. Later orders will be that account's; orders that exist stay as they are.";
    OTHER_ORDERS: "Đơn đã tạo thuộc khách hàng khác" / "Orders under another account";
    SAME_GETFLY: "Đây là cùng một Getfly" / "It is the same Getfly";
    LOOK_FOR: "Mã HD…, KH…, mã đơn hoặc số điện thoại" / "Code HD…, KH…, order code or phone";
    IS_EDIT: "Đây là bản sửa" / "It is an edit";
    IS_SALE: "Đây là đơn bán riêng" / "It is a sale";
    DISMISS: "Đóng, không cần xử lý" / "Dismiss, nothing to do";
    RETRY_ALL: "Thử lại tất cả" / "Try all again";
    RETRY_ALL_MORE: "Thử lại tối đa 200 sự kiện mỗi lần ấn. Những lượt sai chữ ký hoặc không đọc được chỉ được thử lại khi chọn đúng lý do đó ở trên." / "At most 200 events a click. Those with a wrong signature, or that cannot be read, only where that reason is chosen above.";
    ROTATE: "Đổi địa chỉ webhook" / "A new webhook address";
    ROTATE_MEANS: "Tạo địa chỉ và mật khẩu webhook mới, đăng ký lại với KiotViet và xóa đăng ký cũ. Hãy làm vậy khi địa chỉ có thể đã bị lộ. Địa chỉ cũ còn dùng được thêm một giờ sau khi KiotViet đã chuyển hẳn; ấn “Đổi và cắt ngay” để cắt địa chỉ cũ lập tức, những gì KiotViet gửi trong lúc chuyển sẽ được đọc lại từ danh sách." / "Makes a new address and secret, registers them at KiotViet and deletes the old registration. Do so when the address may have leaked. The old one stays valid for an hour after KiotViet has changed over; “Change and cut off now” ends it at once, and what KiotViet sends in between is read back from its lists.";
    ROTATE_BUTTON: "Đổi địa chỉ" / "Change the address";
    ROTATE_NOW_BUTTON: "Đổi và cắt ngay" / "Change and cut off now";
    FORMER_PATH_VALID: "Địa chỉ cũ hiện vẫn còn dùng được." / "The former address is still valid.";
    ROTATED: "Đã đổi địa chỉ webhook." / "The webhook's address is changed.";
    ROTATED_PARTLY: "Đã đổi địa chỉ, nhưng chưa đăng ký lại được với KiotViet. Ứng dụng tự thử lại trong vòng 15 phút." / "The address is changed, but it could not be registered at KiotViet yet. The application tries again within 15 minutes.";
    DISMISS_ALL: "Đóng tất cả" / "Dismiss all";
    DISMISS_ALL_MORE: "Đóng mọi sự kiện có lý do này, tối đa 1.000 mỗi lần ấn." / "All events of this reason, at most 1,000 a click.";
    DISMISSED_ALL: "Đã đóng. Danh sách được cập nhật sau ít phút." / "They are dismissed. The list follows in a few minutes.";
    RETRY_MORE: "Vẫn còn sự kiện cũ hơn cần xử lý." / "Older events still need attention.";
    RETRIED: "Đã yêu cầu thử lại. Kết quả hiện ra sau ít phút." / "They will be tried again. The outcome shows in a few minutes.";
    COMMAND_DONE: "Đã thực hiện." / "Done.";
    QUEUED_AGAIN: "Đã xếp hàng, chưa thử lại. Lý do cũ chưa phải là kết quả của lần này." / "Queued, not yet tried. An earlier reason is not what came of this.";
    RETRIED_DONE: "Đã thử lại: xong." / "It was tried again, and is done.";
    RETRIED_REFUSED: "Đã thử lại, nhưng vẫn chưa được:" / "It was tried again, and still fails:";
    RETRIED_WAITS: "Đã thử lại, chưa xong. Ứng dụng sẽ tự thử lại lúc" / "It was tried again and is not done yet. The application tries again at";
    TRIED: "Các lần thử" / "Attempts";
    CUSTOMER_NAME: "Khách hàng" / "Customer";
    SALE_TOTAL: "Tổng tiền" / "Total";
    COMMAND_TAKEN: "Đã ghi nhận, sẽ được thực hiện trong giây lát." / "Noted; it will be carried out in a moment.";

    // Trying.
    TRY_TITLE: "Xem thử" / "Try it out";
    TRY_MORE: "Nhập mã hóa đơn, mã khách hàng hoặc số điện thoại để xem điều gì sẽ xảy ra. Không có gì được ghi, cả ở đây lẫn trên Getfly." / "Enter an invoice's code, a customer's code or a phone to see what would happen. Nothing is written, neither here nor in Getfly.";
    TRY_CODE: "Mã hóa đơn (HD000123), mã khách hàng (KH000123) hoặc số điện thoại" / "Invoice code (HD000123), customer code (KH000123) or phone";
    TRY_UNKNOWN: "KiotViet không có hóa đơn hay khách hàng nào với mã hoặc số này." / "KiotViet has no invoice and no customer with this code or number.";
    ADVANCED: "Nâng cao" / "Advanced";
    PAYLOAD: "Nội dung webhook (JSON)" / "Webhook body (JSON)";
    PAYLOAD_EMPTY: "Hãy nhập một mã hoặc số điện thoại." / "Enter a code or a phone.";
    TRY_BUTTON: "Xem điều gì sẽ xảy ra" / "See what would happen";
    TRY_RESULT: "Điều sẽ xảy ra" / "What would happen";
    TRY_NOTHING: "Nội dung này không có mục nào." / "This body holds no items.";
    TRY_PROBLEM: "Không thể lập kế hoạch" / "There is no plan";
    CHOOSE_SHOP: "Hãy chọn một cửa hàng." / "Choose a shop.";
    WOULD_CREATE: "Sẽ tạo mới" / "Would be created";
    WOULD_LINK: "Sẽ liên kết" / "Would be linked";
    WOULD_IGNORE: "Sẽ bỏ qua" / "Would be ignored";
    PLAN: "Kế hoạch" / "Plan";

    // What both systems have now.
    LIVE: "Dữ liệu hiện tại" / "What both systems have now";
    LIVE_MORE: "Đọc trực tiếp từ KiotViet và Getfly khi anh/chị cần; không lưu lại gì." / "Read from KiotViet and Getfly when you ask for it; nothing is kept.";
    LIVE_READ: "Đọc dữ liệu hiện tại" / "Read it now";
    LIVE_NONE: "Không có gì." / "There is nothing.";
    LIVE_OPEN: "Mở trên" / "Open in";
    LIVE_LOOK_FOR: "Nếu chưa thấy ngay, hãy tìm theo mã" / "If it is not shown at once, look for the code";
    CUSTOMER_CODE: "Mã khách hàng" / "Customer code";
    INVOICE_CODE: "Mã hóa đơn" / "Invoice code";
    PHONE: "Điện thoại" / "Phone";
    EMAIL: "Email" / "E-mail";
    ADDRESS: "Địa chỉ" / "Address";
    SELLER: "Người bán" / "Seller";
    PRODUCT: "Hàng hóa" / "Product";
    QUANTITY: "Số lượng" / "Quantity";
    PRICE: "Đơn giá" / "Price";
    DISCOUNT: "Giảm giá" / "Discount";
    TAX: "Thuế" / "Tax";

    // Backfill.
    BACKFILL: "Lấy dữ liệu cũ" / "Older data";
    BACKFILL_MORE: "Đẩy khách hàng và hóa đơn đã tạo trước đây về Getfly, theo đúng các quy tắc như khi bán hàng. Những gì đã có thì bỏ qua." / "Brings customers and invoices that were created earlier to Getfly, by the same rules as live ones. What is there already is left out.";
    FROM_DAY: "Từ ngày" / "From day";
    TO_DAY: "Đến hết ngày (không bắt buộc)" / "To the end of day (optional)";
    WRONG_DAY: "Hãy nhập ngày theo dạng năm-tháng-ngày, ví dụ 2026-10-01." / "Enter a day as year-month-day, e.g. 2026-10-01.";
    WRONG_ORDER: "Ngày kết thúc phải không sớm hơn ngày bắt đầu." / "The last day must not be before the first.";
    BACKFILL_PREVIEW: "Xem trước" / "Preview";
    BACKFILL_RUN: "Bắt đầu lấy" / "Start";
    BACKFILL_STOP: "Dừng lại" / "Stop";
    BACKFILL_STATE: "Tiến độ" / "Progress";
    BACKFILL_WOULD: "Sẽ lấy (chưa ghi gì)" / "Would be brought over (nothing is written yet)";
    BACKFILL_STARTED: "Đã ghi nhận. Trang tự cập nhật mỗi năm giây." / "It is noted. The page refreshes every five seconds.";
    BACKFILL_STOPPED: "Đã dừng." / "It is stopped.";
    BACKFILL_OUTCOMES: "Kết quả" / "What came of them";
    BACKFILL_INCOMPLETE: "Số liệu chưa đầy đủ vì khoảng thời gian quá dài để đếm hết." / "The numbers are not complete: the time is too long to count everything.";
    BACKFILL_TIME: "Thời gian ước tính" / "Estimated time";
    MINUTES: "phút" / "min";
    RUN_QUEUED: "Đang xếp hàng" / "Queued";
    RUN_RUNNING: "Đang chạy" / "Running";
    RUN_WORKING: "Đang xử lý" / "Being processed";
    RUN_DONE: "Đã xong" / "Done";
    RUN_STOPPED: "Đã dừng" / "Stopped";
    REFRESH: "Cập nhật trang" / "Refresh";
    PERIOD: "Khoảng thời gian" / "Period";
    LISTED: "Tìm thấy" / "Found";
    KNOWN: "Đã có" / "Known";
    TO_PROCESS: "Cần xử lý" / "To process";
    TOTAL: "Tổng số" / "Total";
    QUEUED: "Đã đưa vào hàng đợi" / "Queued";
    CUSTOMERS: "Khách hàng" / "Customers";
    INVOICES: "Hóa đơn" / "Invoices";

    PREFLIGHT: "Kiểm tra trước" / "Preflight";
    PREFLIGHT_MORE: "Trước khi có đơn đầu tiên: điều gì sẽ không trôi chảy, và cần làm gì. Chỉ đọc, không ghi gì vào KiotViet hay Getfly." / "Before the first sale comes: what would go wrong, and what to do. It only reads; nothing is written to KiotViet or Getfly.";
    PREFLIGHT_PROGRESS: "Đã kiểm tra" / "Looked at";
    PREFLIGHT_CALLS: "lượt gọi" / "calls";
    PREFLIGHT_CALLS_1: "lượt gọi" / "call";
    PREFLIGHT_AGAIN: "Kiểm tra lại" / "Look again";
    PREFLIGHT_DO: "Cần làm" / "What to do";
    PREFLIGHT_WELL: "Ổn" / "All is well";
    PREFLIGHT_WARN: "Nên xem" / "Worth a look";
    PREFLIGHT_BAD: "Cần sửa" / "To be mended";
    PREFLIGHT_UNKNOWN: "Chưa biết" / "Could not be found out";
    PREFLIGHT_USED_UP: "Đã dùng hết số lượt gọi của một lần kiểm tra." / "The calls of one preflight are used up.";
    CHECK_VERSION: "Phiên bản API của Getfly" / "Getfly's API version";
    CHECK_GETFLY_RIGHTS: "Quyền đọc trên Getfly" / "What may be read in Getfly";
    CHECK_KIOTVIET_RIGHTS: "Quyền đọc trên KiotViet" / "What may be read on KiotViet";
    CHECK_OTHER_BRIDGES: "Cầu nối khác của cùng cửa hàng" / "Another bridge for this shop";
    CHECK_SELLERS: "Nhân viên bán hàng và người dùng Getfly" / "Sellers and Getfly users";
    CHECK_FIELDS: "Trường bắt buộc trên Getfly" / "Fields that Getfly demands";
    CHECK_ACCOUNTS: "Khách hàng trên Getfly" / "Getfly's accounts";
    CHECK_CUSTOMERS: "Khách hàng trên KiotViet" / "KiotViet's customers";
    CHECK_INVOICES: "Hóa đơn gần đây" / "The last invoices";
    CHECK_PRODUCTS: "Mã hàng" / "Product codes";
    // The first day.
    FIRST_DAY: "Ngày đầu tiên" / "First day";
    FIRST_DAY_MORE: "Mười khách hàng và hóa đơn đầu tiên của cửa hàng: những gì đã gửi, Getfly trả lời thế nào, và Getfly đang có gì. So từng mục với KiotViet và Getfly: tên, số điện thoại, từng dòng hàng, tổng tiền, người thực hiện." / "The shop's first ten customers and invoices: what was sent, as Getfly answered it, and what Getfly has now. Compare each with KiotViet and Getfly: name, phone, each line, the total, who carried it out.";
    FIRST_DAY_NONE: "Chưa có gì để xem. Sau khi bật webhook, hãy bán một đơn nhỏ trên KiotViet rồi mở lại trang này." / "There is nothing to look at yet. Once the webhooks are on, make one small sale on KiotViet and open this page again.";
    FIRST_DAY_ASK: "Những gì đã sang Getfly có đúng không?" / "Is what came to Getfly right?";
    FIRST_DAY_RIGHT: "Đã xem, mọi thứ đúng" / "Looked at, all right";
    FIRST_DAY_WRONG: "Có gì đó sai" / "Something is wrong";
    FIRST_DAY_IS_RIGHT: "Đã xem, mọi thứ đúng:" / "Looked at, all right:";
    FIRST_DAY_IS_WRONG: "Có gì đó sai:" / "Something is wrong:";
    FIRST_DAY_STOP: "Tắt hai webhook của cửa hàng. Không mất gì: KiotViet giữ dữ liệu, và có thể lấy lại sau bằng Lấy dữ liệu cũ." / "Switch the shop's two webhooks off. Nothing is lost: KiotViet keeps the data, and a backfill brings it over later.";
    FIRST_DAY_SEE: "Mở Giả định về KiotViet và Getfly: mục “Không đúng” thường cho biết vì sao." / "Open what is assumed of KiotViet and Getfly: “Contradicted” often tells why.";
    FIRST_DAY_REPORT: "Gửi báo lỗi kèm phần “Để gửi kèm báo lỗi” của trang đó. Không gửi ảnh chụp trang này: ở đây có dữ liệu của khách hàng." / "Report it with the part “For a report” of that page. Send no picture of this page: it shows customers' data.";
    FIRST_DAY_LOOK: "Hãy xem những khách hàng và hóa đơn đầu tiên đã sang Getfly có đúng không." / "Please look whether the first customers and invoices came to Getfly as they should.";
    FIRST_DAY_OPEN: "Xem" / "Look at them";
    FIRST_DAY_SENT: "Đã gửi" / "What was sent";
    FIRST_DAY_ANSWERED: "Getfly trả lời" / "As Getfly answered it";
    FIRST_DAY_HAS: "Getfly đang có" / "What was read back";
    FIRST_DAY_NOTHING_SENT: "Không gửi gì: Getfly đã có." / "Nothing was sent: Getfly has it already.";
    FIRST_DAY_DIFFERS: "Getfly có khác với những gì đã gửi:" / "Getfly has otherwise than was sent:";
    FIRST_DAY_NOT_READ: "Chưa đọc lại được." / "Not read back yet.";
    FIRST_DAY_AGAIN: "Đọc lại từ Getfly" / "Read Getfly again";
    OF_FIRST: "trong số" / "of";
    ASSUMPTIONS: "Giả định về KiotViet và Getfly" / "What is assumed of KiotViet and Getfly";
    ASSUMPTIONS_MORE: "Ứng dụng được làm theo tài liệu và kinh nghiệm chung. Bảng này cho biết cửa hàng và Getfly của anh/chị thực tế có như vậy không." / "This application follows manuals and what others met. The table shows what your own shop and Getfly really do.";
    ASSUMPTIONS_WRONG: "giả định không đúng ở đây. Ứng dụng vẫn chạy; hãy xem có ảnh hưởng gì không và gửi bảng này kèm báo lỗi." / "assumptions do not hold here. The application goes on; see what follows from it, and send this table with a report.";
    ASSUMPTIONS_WRONG_1: "giả định không đúng ở đây. Ứng dụng vẫn chạy; hãy xem có ảnh hưởng gì không và gửi bảng này kèm báo lỗi." / "assumption does not hold here. The application goes on; see what follows from it, and send this table with a report.";
    HOSTS: "Máy chủ" / "Hosts";
    ASSUMPTIONS_EXPORT: "Để gửi kèm báo lỗi" / "For a report";
    ASSUMPTIONS_EXPORT_MORE: "Không chứa dữ liệu của khách hàng hay của cửa hàng." / "It holds no customer's and no shop's data.";
    ASSUMED_ABOUT: "Về" / "About";
    ASSUMED_WHAT: "Giả định" / "Assumption";
    ASSUMED_STATE: "Ở đây" / "Here";
    ASSUMED_UNSEEN: "Chưa thấy" / "Not seen yet";
    ASSUMED_UNSHOWN: "Không tự thấy được" / "Traffic does not show it";
    ASSUMED_CONFIRMED: "Đúng" / "Confirmed";
    ASSUMED_CONTRADICTED: "Không đúng" / "Contradicted";

    // Words of the API.
    CREATED: "Đã tạo" / "Created";
    LINKED: "Đã liên kết" / "Linked";
    IGNORED: "Bỏ qua" / "Ignored";
    DEAD: "Cần xử lý" / "Needs attention";
    DISMISSED: "Đã đóng" / "Dismissed";
    RETRYING: "Chờ thử lại" / "Will be retried";
    DONE: "Đã xong" / "Done";
    CUSTOMER: "Khách hàng" / "Customer";
    INVOICE: "Hóa đơn" / "Invoice";
    OTHER: "Thông báo webhook" / "Webhook";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        admin::page::problems,
        assumption::Assumption,
        config::Config,
        journal::dead_reason::DeadReason,
        rules::verdict::Reason,
        wording::{reasons, samples::is_the_houses},
    };

    #[test]
    fn every_text_is_there_in_both_languages() {
        for (name, text) in ALL {
            for words in [text.0.vi, text.0.en] {
                assert!(!words.trim().is_empty(), "{name}");
                assert_eq!(words, words.trim(), "{name}");
            }
            let same = text.0.vi == text.0.en;
            assert_eq!(same, *name == "CLIENT_ID", "{name} is not translated");
        }
    }

    #[test]
    fn no_english_sentence_stands_on_the_vietnamese_page() {
        let words = ALL.iter().map(|(_, text)| text.0.vi);
        let words = words.filter(|words| *words != "English");
        let reasons = Reason::ALL.map(|reason| reasons::explain(Lang::Vi, reason));
        let deaths = DeadReason::ALL.map(reasons::death_of);
        let deaths = deaths.map(|death| [death.means, death.mend]);
        let deaths = deaths.iter().flatten().map(|text| text.0.vi);
        let assumptions = Assumption::ALL.iter().map(|one| one.said().0);
        let problems = kinds().into_iter().filter_map(problems::problem);
        let variables = complaints().into_iter().filter_map(problems::variable);
        let ours = problems.chain(variables).map(|text| text.0.vi);
        let all = words.chain(reasons).chain(deaths).chain(assumptions);
        for text in all.chain(ours) {
            assert!(is_the_houses(text), "{text}");
        }
    }

    /// Every kind of problem that the source makes.
    fn kinds() -> Vec<&'static str> {
        let sources = [
            include_str!("../api/problem.rs"),
            include_str!("../api/alerts.rs"),
            include_str!("../api/backfill.rs"),
            include_str!("../api/connections.rs"),
            include_str!("../api/events.rs"),
            include_str!("../api/first_day.rs"),
            include_str!("../api/guard.rs"),
            include_str!("../api/links.rs"),
            include_str!("../api/live.rs"),
            include_str!("../api/mod.rs"),
            include_str!("../api/preflight.rs"),
            include_str!("../api/preview.rs"),
            include_str!("../api/reconciliation.rs"),
            include_str!("../api/request.rs"),
            include_str!("../api/staff.rs"),
            include_str!("../api/tenant.rs"),
            include_str!("mod.rs"),
        ];
        let mut kinds = Vec::new();
        for call in sources.iter().flat_map(|s| s.split("::new(").skip(1)) {
            let Some((status, rest)) = call.split_once(',') else {
                continue;
            };
            let status: Result<u16, _> = status.trim().parse();
            let kind = rest.trim_start().strip_prefix('"');
            let kind = kind.and_then(|kind| kind.split('"').next());
            kinds.extend(kind.filter(|_| status.is_ok()));
        }
        // Where the kind is chosen before.
        kinds.extend(["newer-store", "store-unavailable"]);
        kinds
    }

    #[test]
    fn every_problem_has_a_sentence_of_the_pages_own() {
        let kinds = kinds();
        assert!(kinds.len() > 30 && kinds.contains(&"busy"), "{kinds:?}");
        // The missing variables have a page of their own, and a token is asked for by the form.
        let other = ["not-configured", "unauthorized"];
        for kind in kinds.into_iter().filter(|kind| !other.contains(kind)) {
            assert!(problems::problem(kind).is_some(), "{kind}");
        }
    }

    /// Every variable that can be missing or malformed.
    fn complaints() -> Vec<&'static str> {
        let alerts = |name: &str| match name {
            "alert_format" => Some("telegram".to_owned()),
            "alert_path" => Some("/bot".to_owned()),
            "alert_origin" => Some("https://alerts.test".to_owned()),
            "customer_campaign_code" => Some("C1".to_owned()),
            _ => None,
        };
        let wrong = [
            Config::load(|_| Some("?".to_owned())),
            Config::load(|name| alerts(name).filter(|_| name != "alert_path")),
            Config::load(alerts),
        ];
        let all = wrong.iter().flat_map(|config| &config.problems);
        all.map(|problem| problem.variable).collect()
    }

    #[test]
    fn every_variable_has_a_sentence_of_the_pages_own() {
        let complaints = complaints();
        for name in [
            "alert_chat",
            "campaign_recipient_username",
            "retention_days",
        ] {
            assert!(complaints.contains(&name), "{name}");
        }
        for name in complaints {
            assert!(problems::variable(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_language_is_found_again_by_its_word() {
        for lang in [Lang::Vi, Lang::En] {
            assert_eq!(Lang::parse(lang.word()), Some(lang));
        }
        assert_eq!(Lang::parse("fr"), None);
    }
}
