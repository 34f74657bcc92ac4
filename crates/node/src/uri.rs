//! Escapes in paths and queries, read as Go's `net/url` reads them (RFC 3986, section 2.1).

use percent_encoding::percent_decode_str;

/// Text without its escapes.
///
/// # Errors
/// Go's text about the first escape that is none; one of our own for what is not UTF-8.
pub(crate) fn unescaped(text: &str) -> Result<String, String> {
    for (at, _) in text.match_indices('%') {
        let rest = text.get(at..).unwrap_or_default();
        let escape: String = rest.chars().take(3).collect();
        let digits = escape.strip_prefix('%').unwrap_or_default();
        if digits.len() != 2 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(format!("invalid URL escape {escape:?}"));
        }
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| "invalid UTF-8 in URL".to_owned())
}

/// The pairs of a query in order; a plus is a space. Go drops a pair that cannot be read, and tells of the first.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = Result<(String, String), String>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        if pair.contains(';') {
            return Err("invalid semicolon separator in query".to_owned());
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let read = |text: &str| unescaped(&text.replace('+', " "));
        Ok((read(key)?, read(value)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_as_go_reads_them() {
        let read: Vec<_> = pairs("a=1+2&&b=%22%C3%A9%22&c&d=x=y&%2B=+").collect();
        let told = [
            ("a", "1 2"),
            ("b", "\"é\""),
            ("c", ""),
            ("d", "x=y"),
            ("+", " "),
        ];
        let told = told.map(|(key, value)| Ok((key.to_owned(), value.to_owned())));
        assert_eq!(read, told);
        for (query, error) in [
            ("a=%zz1", "invalid URL escape \"%zz\""),
            ("%4=a", "invalid URL escape \"%4\""),
            ("a=%", "invalid URL escape \"%\""),
            ("a=%é1", "invalid URL escape \"%é1\""),
            ("a=1;b=2", "invalid semicolon separator in query"),
            ("a=%ff", "invalid UTF-8 in URL"),
        ] {
            let read: Vec<_> = pairs(query).collect();
            assert_eq!(read, [Err(error.to_owned())], "{query}");
        }
    }
}
