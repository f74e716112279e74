//! Small text helpers that several rules share. They never decide anything.

/// The text without surrounding white space, or none when nothing is left.
pub(crate) fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether `c` leaves no mark on a screen: zero-width characters and direction marks, which are
/// pasted along with numbers and addresses.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// Lower case without Vietnamese diacritics, composed or decomposed: `Vận Chuyển` → `van chuyen`.
pub(super) fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .filter(|c| !matches!(c, '\u{300}'..='\u{36F}'))
        .map(plain_letter)
        .collect()
}

fn plain_letter(c: char) -> char {
    match c {
        'à' | 'á' | 'ả' | 'ã' | 'ạ' | 'ă' | 'ằ' | 'ắ' | 'ẳ' | 'ẵ' | 'ặ' | 'â' | 'ầ' | 'ấ' | 'ẩ'
        | 'ẫ' | 'ậ' => 'a',
        'è' | 'é' | 'ẻ' | 'ẽ' | 'ẹ' | 'ê' | 'ề' | 'ế' | 'ể' | 'ễ' | 'ệ' => 'e',
        'ì' | 'í' | 'ỉ' | 'ĩ' | 'ị' => 'i',
        'ò' | 'ó' | 'ỏ' | 'õ' | 'ọ' | 'ô' | 'ồ' | 'ố' | 'ổ' | 'ỗ' | 'ộ' | 'ơ' | 'ờ' | 'ớ' | 'ở'
        | 'ỡ' | 'ợ' => 'o',
        'ù' | 'ú' | 'ủ' | 'ũ' | 'ụ' | 'ư' | 'ừ' | 'ứ' | 'ử' | 'ữ' | 'ự' => 'u',
        'ỳ' | 'ý' | 'ỷ' | 'ỹ' | 'ỵ' => 'y',
        'đ' => 'd',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{filled, fold};

    #[test]
    fn blank_texts_are_none_and_others_are_trimmed() {
        assert_eq!(filled(" \t\n\u{A0}"), None);
        assert_eq!(filled(" Hà Nội "), Some("Hà Nội".to_owned()));
    }

    #[test]
    fn folding_takes_composed_and_decomposed_vietnamese() {
        assert_eq!(fold("PHÍ VẬN CHUYỂN"), "phi van chuyen");
        assert_eq!(fold("Đường Cước"), "duong cuoc");
        assert_eq!(fold("va\u{323}\u{302}n"), "van");
    }
}
