//! Changes in a history among the users: KiotViet's sellers and Getfly's users, whom a phone makes
//! the same person (R13).

use super::{
    Step,
    records::{SELLERS, pick},
};
use sim::{GetflySim, KiotVietSim, getfly::User, kiotviet::Staff};

/// Phone fields of both; several are the same number.
const PHONES: [&str; 7] = [
    "0900000501",
    "+84 900 000 501",
    "0900000502",
    "84900000502",
    "0900000777",
    "0900000502 / 0900000777",
    "",
];
/// Names of sellers, some of whom have a namesake in Getfly.
const NAMES: [&str; 4] = [
    "Chủ Cửa Hàng",
    "Nhân Viên Một",
    "Nhân Viên Hai",
    "Nhân Viên Ba",
];
/// Getfly's users: number, login and name.
const USERS: [(i64, &str, &str); 5] = [
    (12, "lan", "Nhân Viên Một"),
    (11, "mai", "Chị Mai"),
    (13, "hue", "Nhân Viên Hai"),
    (10, "binh", "Nhân Viên Một"),
    (14, "tam", "Nhân Viên Ba"),
];

/// Takes one of these steps.
pub(super) fn change(kiotviet: &KiotVietSim, getfly: &GetflySim, step: Step) {
    match step {
        Step::Seller { seller, phone } => {
            let id = seller_of(seller);
            kiotviet.change_staff(|staff| match staff.iter_mut().find(|s| s.id == id) {
                Some(seller) => seller.mobile_phone = Some(pick(&PHONES, phone).to_owned()),
                None => staff.push(new_seller(id, pick(&PHONES, phone))),
            });
        }
        Step::SellerRole(seller) => kiotviet.change_staff(|staff| {
            let seller = staff.iter_mut().find(|s| s.id == seller_of(seller));
            if let Some(seller) = seller {
                seller.is_admin = !seller.is_admin;
            }
        }),
        Step::SellerGone(seller) => {
            kiotviet.change_staff(|staff| staff.retain(|s| s.id != seller_of(seller)));
        }
        Step::User { user, phone } => {
            let (id, login, name) = pick(&USERS, user);
            let user = User::new(id, login, name, pick(&PHONES, phone));
            getfly.change_users(|users| {
                users.retain(|known| known.user_id != id);
                users.push(user);
            });
        }
        Step::UserGone(user) => {
            let (id, ..) = pick(&USERS, user);
            getfly.change_users(|users| users.retain(|user| user.user_id != id));
        }
        _ => {}
    }
}

/// The id of a seller; the pool's entry without a seller means 5004.
fn seller_of(index: u8) -> i64 {
    pick(&SELLERS, index).unwrap_or(5004)
}

fn new_seller(id: i64, phone: &str) -> Staff {
    let number = u8::try_from(id - 5000).unwrap_or_default();
    let login = format!("nhanvien{number}");
    Staff::new(id, &login, pick(&NAMES, number), phone)
}
