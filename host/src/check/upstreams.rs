//! Checks whether the origins answer, by GETs that change nothing.

use super::{Finding, Verdict};
use crate::{origins, outbound};
use bytes::Bytes;
use plugin::{
    getfly::assumptions::{API_PATH, KEY_HEADER, OLD_API_PATH, USER_FIELDS},
    journal::trouble::OLD_GETFLY,
    world::USER_AGENT,
};
use std::{collections::BTreeMap, time::Duration};

/// The longest wait for an answer, as in the plugin.
const LIMIT: Duration = Duration::from_secs(8);

/// Asks all at once. Those of KiotViet F&B matter to its shops only: what is wrong there is a warning. A variable
/// that is not an address is left out: the configuration's finding names it.
pub async fn upstreams(values: &BTreeMap<String, String>) -> Vec<Finding> {
    let value = |name: &str| values.get(name).map(|v| v.trim()).unwrap_or_default();
    let key = value("getfly_api_key");
    // The plugin asks this too.
    let users = format!("{API_PATH}/users?fields={USER_FIELDS}&filtering%5Bvalid%5D=1&limit=1");
    let (getfly, api, auth, fnb_api, fnb_auth) = tokio::join!(
        ask(
            "getfly_url",
            value("getfly_url"),
            &users,
            Some(key).filter(|key| !key.is_empty()),
        ),
        ask(
            "kiotviet_api_url",
            value("kiotviet_api_url"),
            "/branches?pageSize=1",
            None
        ),
        ask("kiotviet_auth_url", value("kiotviet_auth_url"), "/", None),
        ask(
            "kiotviet_fnb_api_url",
            value("kiotviet_fnb_api_url"),
            "/branches?pageSize=1",
            None
        ),
        ask(
            "kiotviet_fnb_auth_url",
            value("kiotviet_fnb_auth_url"),
            "/",
            None
        ),
    );
    let fnb = [fnb_api, fnb_auth].into_iter().flatten().map(|finding| {
        if finding.verdict != Verdict::Failed {
            return finding;
        }
        let words = format!("{}. Only shops of KiotViet F&B need it", finding.words);
        Finding {
            verdict: Verdict::Warning,
            words,
            ..finding
        }
    });
    let retail = [getfly, api, auth].into_iter().flatten();
    retail.chain(fnb).collect()
}

async fn ask(name: &'static str, origin: &str, path: &str, key: Option<&str>) -> Option<Finding> {
    let uri: http::Uri = format!("{origin}{path}").parse().ok()?;
    let origin = origins::origin(&uri)?;
    let host = uri.authority()?.to_string();
    let mut request = http::Request::get(uri)
        .header("host", host)
        .header("user-agent", USER_AGENT);
    if let Some(key) = key {
        request = request.header(KEY_HEADER, key);
    }
    let subject = format!("{name} {origin}");
    let failed = |words: String| Finding::new("upstream", subject.clone(), Verdict::Failed, words);
    let Ok(request) = request.body(Bytes::new()) else {
        return Some(failed("its value cannot stand in a request".to_owned()));
    };
    Some(match outbound::call(request, LIMIT).await {
        Err(words) => failed(words),
        Ok(answer)
            if answer.status() == 404
                && name == "getfly_url"
                && has_old_version(&origin, key).await =>
        {
            failed(OLD_GETFLY.to_owned())
        }
        Ok(answer) => judge(name, answer.status().as_u16(), key.is_some())
            .map_or_else(failed, |w| {
                Finding::new("upstream", subject.clone(), Verdict::Ok, w)
            }),
    })
}

/// Whether the tenant answers the oldest API's list of users.
async fn has_old_version(origin: &str, key: Option<&str>) -> bool {
    let Ok(uri) = format!("{origin}{OLD_API_PATH}/users?limit=1").parse::<http::Uri>() else {
        return false;
    };
    let host = uri.authority().map(ToString::to_string);
    let request = http::Request::get(uri)
        .header("host", host.unwrap_or_default())
        .header("user-agent", USER_AGENT)
        .header(KEY_HEADER, key.unwrap_or_default());
    let Ok(request) = request.body(Bytes::new()) else {
        return false;
    };
    let answer = outbound::call(request, LIMIT).await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// What a status means. Without a token KiotViet refuses, which proves that it is reachable.
fn judge(name: &str, status: u16, with_key: bool) -> Result<String, String> {
    match (name, status) {
        ("getfly_url", 200..=299) if with_key => Ok("answers, and takes the key".to_owned()),
        ("getfly_url", 401 | 403) if with_key => Err(format!(
            "answers {status}: Getfly refuses the key. Copy it anew from Cài đặt › Tích hợp › Tích hợp \
             phần mềm khác › Getfly API Key into getfly_api_key"
        )),
        ("getfly_url", 404) => Err(
            "answers 404: there is no Getfly API at this address. Set getfly_url to your tenant's, \
             https://<tenant>.getflycrm.com"
                .to_owned(),
        ),
        (_, 500..) => Err(format!("answers {status}: it is out of order; try later")),
        ("getfly_url", 429) => Ok("answers (429: asked too often; the key is not tried)".to_owned()),
        ("getfly_url", _) if with_key => Err(format!(
            "answers {status} to the list of users, which the bridge needs: is this a Getfly tenant, \
             and may the key read users?"
        )),
        ("kiotviet_api_url" | "kiotviet_fnb_api_url", 401) => Ok("answers (401 without a token, as it must)".to_owned()),
        _ => Ok(format!("answers ({status})")),
    }
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn a_refused_key_is_told_from_an_origin_that_answers() {
        assert!(judge("getfly_url", 200, true).is_ok());
        assert!(judge("getfly_url", 401, true).is_err_and(|w| w.contains("refuses the key")));
        assert!(judge("getfly_url", 401, false).is_ok());
        assert!(judge("getfly_url", 404, true).is_err());
        assert!(judge("getfly_url", 400, true).is_err());
        assert!(judge("getfly_url", 429, true).is_ok());
        assert!(judge("kiotviet_api_url", 401, false).is_ok());
        assert!(judge("kiotviet_auth_url", 404, false).is_ok());
        assert!(judge("kiotviet_auth_url", 503, false).is_err());
    }
}
