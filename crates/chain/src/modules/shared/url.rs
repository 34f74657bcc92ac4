//! Whether a text is the URL of an endpoint: one of four schemes and a host, in a form that Go's `net/url` parses.
//!
//! What a URL says beyond that is the business of whoever dials it.

/// Schemes of endpoints.
const SCHEMES: [&str; 4] = ["http", "https", "ws", "wss"];

/// What a host may have beside letters, digits and whatever is not ASCII.
const HOST: &str = "-_.~!$&'()*+,;=:[]<>\"";

/// What a user's name and password may have beside letters and digits.
const USER: &str = "-._:~!$&'()*+,;=%@";

/// Whether the text is the URL of an endpoint.
pub(crate) fn is_endpoint(text: &str) -> bool {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return false;
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let known = SCHEMES
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    let (rest, _query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (user, host),
        None => ("", authority),
    };
    known
        && is_user(user)
        && is_host(host)
        && has_whole_escapes(path)
        && has_whole_escapes(fragment)
}

fn is_user(user: &str) -> bool {
    user.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || USER.as_bytes().contains(&byte))
        && has_whole_escapes(user)
}

/// A name or an address, and a port of digits, or of none, after the last colon or the closing bracket.
fn is_host(host: &str) -> bool {
    let port = if host.starts_with('[') {
        match host.rsplit_once(']') {
            Some((_, port)) => port,
            None => return false,
        }
    } else {
        host.rfind(':')
            .and_then(|colon| host.get(colon..))
            .unwrap_or_default()
    };
    let is_port = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    };
    let letters = host.bytes().all(|byte| {
        !byte.is_ascii()
            || byte.is_ascii_alphanumeric()
            || byte == b'%'
            || HOST.as_bytes().contains(&byte)
    });
    // Escapes stand for what is not ASCII, or for a percent sign.
    let escapes = host.match_indices('%').all(|(at, _)| {
        let escape = host.get(at..).and_then(|rest| rest.get(..3));
        escape.is_some_and(|escape| {
            escape == "%25" || !matches!(escape.as_bytes().get(1), Some(b'0'..=b'7'))
        })
    });
    !host.is_empty() && is_port && letters && escapes && has_whole_escapes(host)
}

/// Whether two hexadecimal digits follow every percent sign.
fn has_whole_escapes(text: &str) -> bool {
    text.match_indices('%').all(|(at, _)| {
        let digits = text
            .as_bytes()
            .get(at.saturating_add(1)..at.saturating_add(3));
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checked against Go's `url.Parse`, before its version 1.26 refused the two colons.
    #[test]
    fn an_endpoint_is_what_go_parses_with_one_of_four_schemes_and_a_host() {
        for url in [
            "http://a",
            "HTTPS://a.example:443/path?query#fragment",
            "ws://user:secret@a:80",
            "wss://[::1]:8545/",
            "http://[::1]",
            "http://a:",
            "http://a:b:80",
            "http://a/with space",
            "http://a/%41",
            "http://a?%zz",
            "http://<a>",
            "http://ä.example",
            "http://%C3%A4.example",
            "http://a_b",
            "http://user@name@a",
        ] {
            assert!(is_endpoint(url), "{url}");
        }
        for url in [
            "",
            "a",
            "http:",
            "http:a",
            "http:/a",
            "http://",
            "http:///path",
            "http://?query",
            "http://user@",
            "http://a b",
            "http://a:port",
            "http://a:8a",
            "http://[::1",
            "http://[::1]a",
            "http://a/%zz",
            "http://a/%4",
            "http://a#%",
            "http://%41",
            "http://a\\b",
            "http://a^b",
            "http://us er@a",
            "http://a\n",
            "ftp://a",
            "://a",
            "http ://a",
        ] {
            assert!(!is_endpoint(url), "{url}");
        }
    }
}
