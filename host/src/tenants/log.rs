//! A tenant's log lines among those of all.

use crate::runtime::LogSink;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Writes to `log`, with the tenant's name in each line. A guest cannot give another name: what it wrote there is
/// replaced, and a line that is no JSON object becomes the message of one.
pub(super) fn of_tenant(log: &LogSink, tenant: &str) -> LogSink {
    let (log, tenant) = (log.clone(), tenant.to_owned());
    Arc::new(move |line| {
        let mut object: Map<String, Value> = serde_json::from_str(line).unwrap_or_else(|_| {
            let message = ("message".to_owned(), Value::from(line));
            Map::from_iter([message])
        });
        object.insert("tenant".to_owned(), Value::from(tenant.as_str()));
        log(&Value::Object(object).to_string());
    })
}

#[cfg(test)]
mod tests {
    use super::of_tenant;
    use crate::{lock::lock, runtime::LogSink};
    use std::sync::{Arc, Mutex};

    #[test]
    fn each_line_has_the_tenants_own_name() {
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let log: LogSink = {
            let lines = lines.clone();
            Arc::new(move |line| lock(&lines).push(line.to_owned()))
        };
        let log = of_tenant(&log, "minh");
        log(r#"{"message":"hi","tenant":"lan"}"#);
        log("boom\n{\"tenant\":\"lan\"}");
        assert_eq!(
            *lock(&lines),
            [
                r#"{"message":"hi","tenant":"minh"}"#,
                r#"{"message":"boom\n{\"tenant\":\"lan\"}","tenant":"minh"}"#
            ]
        );
    }
}
