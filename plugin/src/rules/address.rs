//! R2: a customer's address on one line. Shops often type only a street at the till, and choose
//! ward, district and province from lists.

use super::{
    model::Customer,
    text::{filled, fold},
};

/// Street, ward, district and province, joined by `, `. A part that the street already names is not
/// repeated. At the street's end the chosen part replaces it, so that the order stays right.
pub fn one_line(customer: &Customer) -> Option<String> {
    let chosen = [&customer.ward, &customer.district, &customer.province];
    let mut areas: Vec<String> = Vec::new();
    for area in chosen.into_iter().filter_map(|area| filled(area)) {
        if !areas.iter().any(|other| is_same(other, &area)) {
            areas.push(area);
        }
    }
    if areas.is_empty() {
        return filled(&customer.address);
    }
    let mut street = customer.address.trim();
    loop {
        let (before, last) = street.rsplit_once(',').unwrap_or(("", street));
        if street.is_empty() || !(last.trim().is_empty() || names(&areas, last)) {
            break;
        }
        street = before.trim_end();
    }
    let parts: Vec<String> = street.split(',').map(str::to_owned).collect();
    areas.retain(|area| !names(&parts, area));
    let street = filled(street);
    street
        .into_iter()
        .chain(areas)
        .reduce(|line, part| format!("{line}, {part}"))
}

/// Whether `areas` hold `area`, whatever its case, diacritics and blanks.
fn names(areas: &[String], area: &str) -> bool {
    areas.iter().any(|other| is_same(other, area))
}

fn is_same(one: &str, other: &str) -> bool {
    let plain = |name: &str| -> String {
        let words: Vec<String> = fold(name).split_whitespace().map(str::to_owned).collect();
        words.join(" ")
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(address: &str, ward: &str, district: &str, province: &str) -> Option<String> {
        one_line(&Customer {
            address: address.into(),
            ward: ward.into(),
            district: district.into(),
            province: province.into(),
            ..Customer::default()
        })
    }

    #[test]
    fn r2_the_address_has_its_three_areas_without_repeats() {
        const WARD: &str = "Phường Ngô Thì Nhậm";
        const DISTRICT: &str = "Quận Hai Bà Trưng";
        let whole = "12 Phố Huế, Phường Ngô Thì Nhậm, Quận Hai Bà Trưng, Hà Nội";
        for address in [
            "12 Phố Huế",
            " 12 Phố Huế, ",
            "12 Phố Huế, hà nội",
            "12 Phố Huế, Phường Ngô Thì Nhậm, Hà Nội",
            "12 Phố Huế,  phuong ngo thi nham,quan hai ba trung , Ha Noi.".trim_end_matches('.'),
            whole,
        ] {
            assert_eq!(
                line(address, WARD, DISTRICT, "Hà Nội").as_deref(),
                Some(whole),
                "{address}"
            );
        }
        for (address, ward, district, province, expected) in [
            (
                "12 Phố Huế",
                "Phường Hai Bà Trưng",
                "",
                "Hà Nội",
                "12 Phố Huế, Phường Hai Bà Trưng, Hà Nội",
            ),
            ("", "", "Quận 1", "Hồ Chí Minh", "Quận 1, Hồ Chí Minh"),
            ("Hà Nội", "", "", "Hà Nội", "Hà Nội"),
            (
                "12 Phố Huế, Hà Nội, Việt Nam",
                WARD,
                "",
                "Hà Nội",
                "12 Phố Huế, Hà Nội, Việt Nam, Phường Ngô Thì Nhậm",
            ),
            (
                "12 Đường Hà Nội",
                "",
                "",
                "Hà Nội",
                "12 Đường Hà Nội, Hà Nội",
            ),
            ("Thôn 3", "Xã An", "Xã An", "Huế", "Thôn 3, Xã An, Huế"),
            (" 12 Phố Huế,ngõ 5 ", "", "", "", "12 Phố Huế,ngõ 5"),
        ] {
            assert_eq!(
                line(address, ward, district, province).as_deref(),
                Some(expected)
            );
        }
        assert_eq!(line(" ", "", " ", ""), None);
    }

    proptest! {
        #[test]
        fn r2_no_area_is_lost_and_none_stands_twice(
            street in "[a-z0-9 ,]{0,20}", ward in "[a-c]{0,2}", district in "[a-c]{0,2}", province in "[a-c]{0,2}",
        ) {
            let line = line(&street, &ward, &district, &province).unwrap_or_default();
            let parts: Vec<&str> = line.split(',').map(str::trim).collect();
            for area in [&ward, &district, &province] {
                let times = parts.iter().filter(|part| *part == area).count();
                let typed = street.split(',').filter(|part| part.trim() == area).count();
                prop_assert!(area.is_empty() || (1..=typed.max(1)).contains(&times), "{:?}", line);
            }
        }
    }
}
