//! What stands before a vendor's API: a server or a firewall that looks at a request's head only.

use super::{Request, Response, wire};
use http::{Method, header};

/// What a vendor's front refuses. By default it refuses both, because some real fronts do: a client
/// that passes here passes everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// 411 for a body in chunks, and for a request other than a GET that does not state its length.
    pub wants_length: bool,
    /// 403 with a page for a request without a `User-Agent`.
    pub wants_agent: bool,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            wants_length: true,
            wants_agent: true,
        }
    }
}

impl Guard {
    /// The refusal of a request, if it is refused.
    pub fn refusal(self, request: &Request) -> Option<Response> {
        let headers = request.headers();
        if self.wants_agent && wire::header(headers, "user-agent").trim().is_empty() {
            return Some(page(403, "403 Forbidden"));
        }
        let length = wire::header(headers, "content-length");
        let has_body = request.method() != Method::GET || !request.body().is_empty();
        let told = length.parse() == Ok(request.body().len());
        let chunked = headers.contains_key(header::TRANSFER_ENCODING);
        if self.wants_length && (chunked || (has_body && !told)) {
            return Some(page(411, "411 Length Required"));
        }
        None
    }
}

fn page(status: u16, title: &str) -> Response {
    let text = format!("<html><head><title>{title}</title></head></html>");
    wire::raw(status, "text/html", text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn status(method: &str, headers: &[(&str, &str)], body: &'static str) -> Option<u16> {
        let mut request = http::Request::builder().method(method).uri("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::from_static(body.as_bytes()));
        let refusal = Guard::default().refusal(&request.expect("request"));
        refusal.map(|response| response.status().as_u16())
    }

    #[test]
    fn what_does_not_say_who_sends_it_is_refused() {
        assert_eq!(status("GET", &[], ""), Some(403));
        assert_eq!(status("GET", &[("user-agent", " ")], ""), Some(403));
        assert_eq!(status("GET", &[("user-agent", "x")], ""), None);
    }

    #[test]
    fn a_body_in_chunks_or_of_unknown_length_is_refused() {
        let agent = ("user-agent", "x");
        assert_eq!(status("POST", &[agent], "{}"), Some(411));
        assert_eq!(status("POST", &[agent], ""), Some(411));
        let chunked = ("transfer-encoding", "chunked");
        assert_eq!(status("POST", &[agent, chunked], "{}"), Some(411));
        assert_eq!(
            status("POST", &[agent, ("content-length", "2")], "{}"),
            None
        );
        assert_eq!(
            status("DELETE", &[agent, ("content-length", "0")], ""),
            None
        );
    }
}
