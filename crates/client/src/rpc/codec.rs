//! How CometBFT writes values in JSON: 64-bit integers as strings, bytes as base64, hashes as
//! upper-case hexadecimal, times as RFC 3339. `null` stands for an empty list or no bytes.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

/// 64-bit integers as strings; bare numbers are understood too.
pub(crate) mod int {
    use super::*;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Number(serde_json::Number),
    }

    pub(crate) fn serialize<T: ToString, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.to_string())
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: std::str::FromStr,
        D: Deserializer<'de>,
    {
        let text = match Either::deserialize(deserializer)? {
            Either::Text(text) => text,
            Either::Number(number) => number.to_string(),
        };
        text.parse()
            .map_err(|_| D::Error::custom(format!("`{text}` is no 64-bit integer")))
    }
}

/// Bytes as upper-case hexadecimal.
pub(crate) mod hex {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&::hex::encode_upper(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
        ::hex::decode(&text).map_err(|_| D::Error::custom(format!("`{text}` is no hexadecimal")))
    }
}

/// Bytes as standard base64.
pub(crate) mod base64 {
    use ::base64::Engine as _;
    use ::base64::engine::general_purpose::STANDARD;

    use super::*;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
        STANDARD
            .decode(&text)
            .map_err(|_| D::Error::custom("expected standard base64"))
    }

    pub(crate) fn list<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Vec<u8>>, D::Error> {
        let texts = Option::<Vec<String>>::deserialize(deserializer)?.unwrap_or_default();
        let decode = |text: &String| STANDARD.decode(text);
        texts
            .iter()
            .map(decode)
            .collect::<Result<_, _>>()
            .map_err(|_| D::Error::custom("expected standard base64"))
    }

    pub(crate) fn encode(bytes: &[u8]) -> String {
        STANDARD.encode(bytes)
    }
}

/// Times as RFC 3339.
pub(crate) mod time {
    use prost_types::Timestamp;

    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        time: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&proto::time::rfc3339(time.seconds, i64::from(time.nanos)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (seconds, nanos) = proto::time::parse_rfc3339(&text)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is no RFC 3339 time")))?;
        Ok(Timestamp { seconds, nanos })
    }
}

/// A list that may be `null`.
pub(crate) fn list<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
