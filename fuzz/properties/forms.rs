//! Forms of the page, sent by a stranger and by a person who is logged in. Input: a line with the
//! form's path below `/ui/` and the number of repetitions; then the repeated text. `{csrf}` stands
//! for the session's form token.

use super::admin_routes::form;

const KIB: usize = 1024;
/// More than any form may have.
const MOST_BYTES: usize = 6 * KIB * KIB;
/// The most bytes of any page.
const MOST_ANSWERED: usize = 512 * KIB;

/// The sender and the route bound how much is read and answered, whatever is sent; a stranger
/// changes nothing. The number of fields bounds the work on what was read: more than 200 are
/// refused.
pub fn check(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n');
    let (head, unit) = data.split_at(at.unwrap_or(data.len()));
    let unit = unit.get(1..).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let (name, times) = head.split_once(' ').unwrap_or((&head, "1"));
    let path = format!("/ui/{name}");
    if http::Uri::try_from(&path).is_err() || path.contains('?') {
        return;
    }
    let most = MOST_BYTES / unit.len().max(1);
    let body = unit.repeat(times.trim().parse().unwrap_or(1).min(most));
    let fields = form_urlencoded::parse(&body).take(201).count();
    for inside in [false, true] {
        let (answer, asked, touched) = form(&path, inside, &body);
        let limit = match (name, inside) {
            ("login", _) => 4 * KIB,
            (_, false) => 0,
            ("try", true) => 5 * KIB * KIB,
            (_, true) => 64 * KIB,
        };
        assert!(
            asked.is_none_or(|asked| asked <= limit),
            "{path}: {asked:?}"
        );
        assert!(answer.body.len() <= MOST_ANSWERED, "{}", answer.body.len());
        assert!(inside || !touched, "a stranger changed something");
        if let Some(limit) = asked {
            let refused = if body.len() > limit { 413 } else { 400 };
            let too_much = body.len() > limit || fields > 200;
            assert!(!too_much || answer.status == refused, "{}", answer.status);
        }
    }
}
