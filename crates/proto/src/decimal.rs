//! Decimals of 18 places: on the wire the number times 10^18 as decimal text, in JSON with a point (chain specification
//! 0.2).

/// Decimal places.
pub const PLACES: usize = 18;

/// `1.500000000000000000` for `1500000000000000000`; `None` for what is not a whole number.
pub fn to_text(scaled: &str) -> Option<String> {
    let (sign, digits) = sign_and_digits(scaled)?;
    let digits = format!("{digits:0>width$}", width = PLACES + 1);
    let (whole, places) = digits.split_at_checked(digits.len().checked_sub(PLACES)?)?;
    Some(format!("{sign}{whole}.{places}"))
}

/// The reverse of [`to_text`], as the reference reads it: a point with digits on both sides, or none; at most 18 places.
pub fn from_text(text: &str) -> Option<String> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, places) = match unsigned.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (unsigned, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || places.len() > PLACES || !digits(whole) || !digits(places) {
        return None;
    }
    let scaled = format!("{whole}{places:0<PLACES$}");
    let scaled = trim_zeros(&scaled);
    let sign = if negative && scaled != "0" { "-" } else { "" };
    Some(format!("{sign}{scaled}"))
}

/// A whole number as the reference prints it: no leading zeros, no minus before zero; `None` for anything else.
pub fn whole(text: &str) -> Option<String> {
    let (sign, digits) = sign_and_digits(text)?;
    Some(format!("{sign}{digits}"))
}

fn sign_and_digits(text: &str) -> Option<(&'static str, &str)> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = trim_zeros(digits);
    Some((if digits == "0" { "" } else { sign }, digits))
}

fn trim_zeros(digits: &str) -> &str {
    match digits.trim_start_matches('0') {
        "" => "0",
        trimmed => trimmed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let pairs = [
            ("0", "0.000000000000000000"),
            ("1", "0.000000000000000001"),
            ("-50000000000000000", "-0.050000000000000000"),
            ("1234000000000000000000", "1234.000000000000000000"),
        ];
        for (scaled, text) in pairs {
            assert_eq!(to_text(scaled).as_deref(), Some(text));
            assert_eq!(from_text(text).as_deref(), Some(scaled));
        }
        assert_eq!(from_text("0.05").as_deref(), Some("50000000000000000"));
        assert_eq!(from_text("007").as_deref(), Some("7000000000000000000"));
        assert_eq!(from_text("-0").as_deref(), Some("0"));
        for wrong in [
            "",
            "-",
            ".5",
            "5.",
            "1.2.3",
            "1e3",
            "+1",
            "0.0000000000000000001",
        ] {
            assert_eq!(from_text(wrong), None, "{wrong}");
        }
        assert_eq!(to_text("1.5"), None);
        assert_eq!(whole("-007").as_deref(), Some("-7"));
    }
}
