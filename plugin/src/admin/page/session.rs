//! Who is logged in: a signed cookie, so that every instance knows it and none has to remember it. The store knows only
//! what was ended before its time. A new `admin_token` (or `master_key`) ends every session. Never holds or
//! shows the token itself.

use crate::{config::Config, seal::mark, secret::Secret, time::Timestamp, world::Random};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use core::time::Duration;

/// How long a person stays logged in.
pub(super) const LIFE: Duration = Duration::from_secs(12 * 3600);

/// How long the browser keeps its cookie: of an older session the page says that it is over.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Cookies of a session's name that are looked at: each costs a keyed hash, and a browser sends one.
const COOKIES: usize = 4;

/// Makes and checks sessions.
pub(super) struct Signer {
    key: Secret,
    secure: bool,
}

/// A person who is logged in.
pub(super) struct Session {
    /// What names it among all.
    pub(super) id: String,
    /// The epoch in which it began.
    pub(super) epoch: String,
    /// Until when it lasts, seconds since 1970.
    pub(super) until: i64,
    /// What every form that changes something must carry; belongs to this session alone.
    pub(super) csrf: Secret,
}

impl Signer {
    /// None without an admin token: then nobody can log in.
    pub(super) fn new(config: &Config) -> Option<Self> {
        let token = config.admin_token.as_ref()?;
        let master = config.sealer.as_ref();
        let master = master.map_or_else(String::new, |s| s.fingerprint("page sessions"));
        Some(Self {
            key: Secret::new(mark(token, &format!("page sessions {master}"))?),
            secure: config.public_https,
        })
    }

    /// The cookie's name. `__Host-` keeps neighbouring hosts and plain HTTP from setting it.
    fn name(&self) -> &'static str {
        if self.secure { "__Host-kvgf" } else { "kvgf" }
    }

    fn cookie(&self, value: &str, life: u64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        let name = self.name();
        format!("{name}={value}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict{secure}")
    }

    /// The `Set-Cookie` of a new session in this epoch.
    pub(super) fn begin(
        &self,
        now: Timestamp,
        epoch: &str,
        random: &impl Random,
    ) -> Option<String> {
        let mut id = [0u8; 16];
        random.fill(&mut id);
        let until = now.checked_add(LIFE)?.as_second();
        let claim = format!("{until}.{epoch}.{}", URL_SAFE_NO_PAD.encode(id));
        let mark = mark(&self.key, &format!("session {claim}"))?;
        Some(self.cookie(&format!("{claim}.{mark}"), KEPT.as_secs()))
    }

    /// The `Set-Cookie` that removes a session from the browser.
    pub(super) fn end(&self) -> String {
        self.cookie("", 0)
    }

    /// The session of a request's `Cookie` header, if it is ours and not over by its time. Whether it was ended before, the
    /// store knows.
    pub(super) fn read(&self, header: Option<&str>, now: Timestamp) -> Option<Session> {
        let open = |session: &Session| now.as_second() < session.until;
        self.sessions(header).find(open)
    }

    /// Whether a request's `Cookie` header has a session of ours, however old.
    pub(super) fn knows(&self, header: Option<&str>) -> bool {
        self.sessions(header).next().is_some()
    }

    fn sessions(&self, header: Option<&str>) -> impl Iterator<Item = Session> {
        let ours = cookies(header, self.name()).take(COOKIES);
        ours.filter_map(|value| self.session(value))
    }

    fn session(&self, value: &str) -> Option<Session> {
        let (claim, offered) = value.rsplit_once('.')?;
        let expected = mark(&self.key, &format!("session {claim}"))?;
        if Secret::new(offered) != Secret::new(expected) {
            return None;
        }
        let (until, rest) = claim.split_once('.')?;
        let (epoch, id) = rest.split_once('.')?;
        let until: i64 = until.parse().ok()?;
        let csrf = mark(&self.key, &format!("form {claim}"))?;
        Some(Session {
            id: id.to_owned(),
            epoch: epoch.to_owned(),
            until,
            csrf: Secret::new(csrf),
        })
    }
}

/// The values of the cookies of this name.
pub(super) fn cookies<'h>(header: Option<&'h str>, name: &'h str) -> impl Iterator<Item = &'h str> {
    let pairs = header.unwrap_or_default().split(';');
    pairs.filter_map(move |pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn signer(token: &str, master: Option<&str>, url: &str) -> Signer {
        let config = Config::load(|name| match name {
            "admin_token" => Some(token.to_owned()),
            "master_key" => master.map(str::to_owned),
            "public_url" => Some(url.to_owned()),
            _ => None,
        });
        Signer::new(&config).unwrap()
    }

    const TOKEN: &str = "a-token-of-some-length";
    const MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn value(cookie: &str) -> String {
        cookie.split(';').next().unwrap().to_owned()
    }

    #[test]
    fn a_session_lasts_twelve_hours_to_the_second() {
        let signer = signer(TOKEN, Some(MASTER), "https://bridge.test");
        let cookie = value(&signer.begin(at(1000), "0", &Fixed(1)).unwrap());
        let end = 1000 + 12 * 3600;
        assert!(signer.read(Some(&cookie), at(end - 1)).is_some());
        assert!(signer.read(Some(&cookie), at(end)).is_none());
        assert!(signer.knows(Some(&cookie)));
    }

    #[test]
    fn another_token_or_master_key_ends_it() {
        let begun = signer(TOKEN, Some(MASTER), "http://x.test");
        let cookie = value(&begun.begin(at(0), "0", &Fixed(1)).unwrap());
        let same = signer(TOKEN, Some(MASTER), "http://x.test");
        assert!(same.read(Some(&cookie), at(1)).is_some());
        let others = [
            signer("another-token-of-length", Some(MASTER), "http://x.test"),
            signer(TOKEN, None, "http://x.test"),
        ];
        for other in others {
            assert!(other.read(Some(&cookie), at(1)).is_none());
        }
    }

    #[test]
    fn a_changed_cookie_is_no_session() {
        let signer = signer(TOKEN, None, "http://x.test");
        let cookie = value(&signer.begin(at(0), "0", &Fixed(1)).unwrap());
        let later = cookie.replacen("43200", "99999", 1);
        for forged in [
            &later,
            &cookie[..cookie.len() - 1],
            "kvgf=",
            "kvgf=9999999999.x.",
            "",
        ] {
            assert!(signer.read(Some(forged), at(1)).is_none(), "{forged}");
            assert!(!signer.knows(Some(forged)), "{forged}");
        }
        assert!(signer.read(None, at(1)).is_none());
        let among = format!("other=1; {cookie}; kvgf=junk");
        assert!(signer.read(Some(&among), at(1)).is_some());
    }

    #[test]
    fn a_form_token_is_of_one_session() {
        let signer = signer(TOKEN, None, "http://x.test");
        let csrf = |id| {
            let cookie = value(&signer.begin(at(0), "0", &Fixed(id)).unwrap());
            signer.read(Some(&cookie), at(1)).unwrap().csrf
        };
        assert!(csrf(1) == csrf(1));
        assert!(csrf(1) != csrf(2));
    }

    #[test]
    fn the_cookie_is_as_strict_as_the_address_allows() {
        let cookie = signer(TOKEN, None, "https://x.test")
            .begin(at(0), "0", &Fixed(1))
            .unwrap();
        assert!(cookie.starts_with("__Host-kvgf="), "{cookie}");
        for part in ["; Path=/;", "; HttpOnly;", "; SameSite=Strict;", "; Secure"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let plain = signer(TOKEN, None, "http://x.test")
            .begin(at(0), "0", &Fixed(1))
            .unwrap();
        assert!(
            plain.starts_with("kvgf=") && !plain.contains("Secure"),
            "{plain}"
        );
    }
}
