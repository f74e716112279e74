//! The style sheet, and its address.

/// The style sheet.
pub(super) const STYLE: &str = include_str!("style.css");

/// The style's address changes with its content, so that it can be kept for a year.
const fn style_mark(text: &[u8]) -> u32 {
    let (mut mark, mut rest) = (2_166_136_261_u32, text);
    while let Some((first, more)) = rest.split_first() {
        mark = (mark ^ *first as u32).wrapping_mul(16_777_619);
        rest = more;
    }
    mark
}

/// The address under which it is served.
pub(super) fn style_path() -> String {
    const MARK: u32 = style_mark(STYLE.as_bytes());
    format!("/ui/style.css?{MARK}")
}
