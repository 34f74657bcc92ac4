//! Secrets under a passphrase, in the file format of `age` (age-encryption.org/v1, specification C2SP/age).
//!
//! A header names one recipient, of type `scrypt`: a random file key of 16 bytes, wrapped under a key that scrypt draws
//! from the passphrase. A keyed hash closes the header; the payload follows, here always a single chunk of up to 64 KiB.
//! `age -d` opens what [`seal`] writes, and [`open`] what `age -p -a` or `age -p` writes. Files with recipients of other
//! types are refused: a service has a passphrase and nothing else.
//!
//! Invariants
//! - a wrong passphrase and a changed file are told apart from a file that is none, never from each other;
//! - the work of [`open`] is bounded by [`limits::MAX_AGE_LOG_N`] and [`limits::MAX_AGE_BYTES`] before it begins;
//! - keys and plain text are wiped when dropped.
//!
//! Start with [`seal`] and [`open`].

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::limits;

#[cfg(test)]
mod tests;

const INTRO: &str = "age-encryption.org/v1";
const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";
/// What scrypt's salt begins with.
const SALT_LABEL: &[u8] = b"age-encryption.org/v1/scrypt";
const SALT_BYTES: usize = 16;
const FILE_KEY_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
const PAYLOAD_NONCE_BYTES: usize = 16;
/// Plain bytes of one chunk.
const CHUNK_BYTES: usize = 64 << 10;
/// Nonce of a payload's chunk: eleven bytes of its number, and one that marks the last.
const ONLY_CHUNK: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// Columns of the armor.
const ARMOR_COLUMNS: usize = 64;

/// Whether a file's first bytes say that it is of this format, armored or not.
pub fn is_sealed(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(INTRO.as_bytes()) || text.starts_with(BEGIN.as_bytes())
}

/// Encrypts `plain` under a passphrase, as armored text. Takes a second of work and 256 MiB, as `age` does.
///
/// # Errors
/// [`Error::Randomness`] when the operating system gives none, [`Error::AgeForm`] for more than one chunk of bytes.
pub fn seal(plain: &[u8], passphrase: &[u8]) -> Result<String, Error> {
    seal_with(plain, passphrase, limits::AGE_LOG_N)
}

/// As [`seal`], with another work factor.
fn seal_with(plain: &[u8], passphrase: &[u8], log_n: u8) -> Result<String, Error> {
    if plain.len() > CHUNK_BYTES {
        return Err(malformed("more than one chunk is not written"));
    }
    let mut file_key = Zeroizing::new([0; FILE_KEY_BYTES]);
    let (mut salt, mut nonce) = ([0; SALT_BYTES], [0; PAYLOAD_NONCE_BYTES]);
    for random in [file_key.as_mut_slice(), &mut salt, &mut nonce] {
        getrandom::fill(random).map_err(|_| Error::Randomness)?;
    }
    let wrapping = wrapping_key(passphrase, &salt, log_n)?;
    let body = encrypt(&wrapping, &[0; 12], file_key.as_slice())?;
    let header = format!(
        "{INTRO}\n-> scrypt {} {log_n}\n{}\n---",
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(body)
    );
    let mac = header_mac(&file_key, &header)?.finalize().into_bytes();
    let mut file = format!("{header} {}\n", STANDARD_NO_PAD.encode(mac)).into_bytes();
    file.extend_from_slice(&nonce);
    let payload_key = payload_key(&file_key, &nonce)?;
    file.extend(encrypt(&payload_key, &ONLY_CHUNK, plain)?);
    Ok(armored(&file))
}

/// Decrypts a file, armored or not.
///
/// # Errors
/// [`Error::AgeForm`] for what is not such a file, [`Error::AgePassphrase`] for a wrong passphrase or a changed file.
pub fn open(file: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    if file.len() > limits::MAX_AGE_BYTES {
        return Err(malformed("too large"));
    }
    let binary = match std::str::from_utf8(file) {
        Ok(text) if text.trim_start().starts_with(BEGIN) => unarmored(text)?,
        _ => file.to_vec(),
    };
    let header = Header::read(&binary)?;
    let wrapping = wrapping_key(passphrase, &header.salt, header.log_n)?;
    let file_key = decrypt(&wrapping, &[0; 12], &header.body)?;
    let file_key = Zeroizing::new(
        <[u8; FILE_KEY_BYTES]>::try_from(file_key.as_slice())
            .map_err(|_| malformed("its file key has another length"))?,
    );
    header_mac(&file_key, header.authenticated)?
        .verify_slice(&header.mac)
        .map_err(|_| Error::AgePassphrase)?;
    open_payload(&file_key, header.payload)
}

fn open_payload(
    file_key: &[u8; FILE_KEY_BYTES],
    payload: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (nonce, sealed) = payload
        .split_at_checked(PAYLOAD_NONCE_BYTES)
        .ok_or(malformed("it ends before its payload"))?;
    if sealed.len() > CHUNK_BYTES.saturating_add(TAG_BYTES) {
        return Err(malformed("more than one chunk is not read"));
    }
    let key = payload_key(file_key, nonce)?;
    decrypt(&key, &ONLY_CHUNK, sealed)
}

/// What stands before the payload.
struct Header<'a> {
    salt: [u8; SALT_BYTES],
    log_n: u8,
    body: Vec<u8>,
    /// From the first byte to the `---`.
    authenticated: &'a str,
    mac: Vec<u8>,
    payload: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(file: &'a [u8]) -> Result<Self, Error> {
        let mut rest = file;
        if line(&mut rest)? != INTRO {
            return Err(malformed("its first line is another"));
        }
        let stanza = line(&mut rest)?;
        let mut words = stanza.split(' ');
        if (words.next(), words.next()) != (Some("->"), Some("scrypt")) {
            return Err(malformed("its recipient is no passphrase"));
        }
        let salt = words
            .next()
            .and_then(|salt| STANDARD_NO_PAD.decode(salt).ok());
        let salt = salt.and_then(|salt| salt.try_into().ok());
        let salt = salt.ok_or(malformed("its salt is not 16 bytes of base64"))?;
        let log_n = words
            .next()
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let log_n = log_n.filter(|digits| !digits.starts_with('0'));
        let log_n = log_n.and_then(|digits| digits.parse::<u8>().ok());
        let log_n = log_n.ok_or(malformed("its work factor is no number"))?;
        if words.next().is_some() {
            return Err(malformed("its recipient has too many parts"));
        }
        if log_n > limits::MAX_AGE_LOG_N {
            return Err(malformed("its work factor is above 22"));
        }
        let body = decode(&STANDARD_NO_PAD, line(&mut rest)?)?;
        if body.len() != FILE_KEY_BYTES.saturating_add(TAG_BYTES) {
            return Err(malformed("its wrapped key has another length"));
        }
        let close = line(&mut rest)?;
        let Some(mac) = close.strip_prefix("--- ") else {
            return Err(malformed("a passphrase is its only recipient, or none"));
        };
        let mac = decode(&STANDARD_NO_PAD, mac)?;
        // The line without space, hash and line feed.
        let after = rest
            .len()
            .saturating_add(close.len().saturating_sub(3))
            .saturating_add(1);
        let authenticated = file
            .len()
            .checked_sub(after)
            .and_then(|length| file.get(..length))
            .and_then(|bytes| std::str::from_utf8(bytes).ok());
        Ok(Self {
            salt,
            log_n,
            body,
            authenticated: authenticated.ok_or(malformed("its header is no text"))?,
            mac,
            payload: rest,
        })
    }
}

/// Takes a line off the front.
fn line<'a>(rest: &mut &'a [u8]) -> Result<&'a str, Error> {
    let length = rest.iter().position(|byte| *byte == b'\n');
    let (text, after) = length
        .and_then(|length| rest.split_at_checked(length))
        .ok_or(malformed("it ends within its header"))?;
    *rest = after.get(1..).unwrap_or_default();
    std::str::from_utf8(text).map_err(|_| malformed("its header is no text"))
}

fn wrapping_key(passphrase: &[u8], salt: &[u8], log_n: u8) -> Result<Zeroizing<[u8; 32]>, Error> {
    let params = scrypt::Params::new(log_n, 8, 1).map_err(|_| malformed("its work factor"))?;
    let mut key = Zeroizing::new([0; 32]);
    let salt = [SALT_LABEL, salt].concat();
    scrypt::scrypt(passphrase, &salt, &params, key.as_mut_slice())
        .map_err(|_| malformed("its work factor"))?;
    Ok(key)
}

fn header_mac(file_key: &[u8; FILE_KEY_BYTES], header: &str) -> Result<Hmac<Sha256>, Error> {
    let key = derived(None, file_key, b"header")?;
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_slice()).map_err(|_| malformed("its header key"))?;
    mac.update(header.as_bytes());
    Ok(mac)
}

fn payload_key(
    file_key: &[u8; FILE_KEY_BYTES],
    nonce: &[u8],
) -> Result<Zeroizing<[u8; 32]>, Error> {
    derived(Some(nonce), file_key, b"payload")
}

fn derived(salt: Option<&[u8]>, key: &[u8], label: &[u8]) -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut out = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(salt, key)
        .expand(label, out.as_mut_slice())
        .map_err(|_| malformed("its keys"))?;
    Ok(out)
}

fn encrypt(key: &[u8; 32], nonce: &[u8; 12], plain: &[u8]) -> Result<Vec<u8>, Error> {
    ChaCha20Poly1305::new(&(*key).into())
        .encrypt(&Nonce::from(*nonce), plain)
        .map_err(|_| malformed("too large"))
}

fn decrypt(key: &[u8; 32], nonce: &[u8; 12], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    ChaCha20Poly1305::new(&(*key).into())
        .decrypt(&Nonce::from(*nonce), sealed)
        .map(Zeroizing::new)
        .map_err(|_| Error::AgePassphrase)
}

fn armored(file: &[u8]) -> String {
    let text = STANDARD.encode(file);
    let mut out = format!("{BEGIN}\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(ARMOR_COLUMNS));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str(END);
    out.push('\n');
    out
}

fn unarmored(text: &str) -> Result<Vec<u8>, Error> {
    let inner = text.trim().strip_prefix(BEGIN);
    let inner = inner.and_then(|text| text.strip_suffix(END));
    let inner = inner.ok_or(malformed("its armor has no end"))?;
    let joined: String = inner.lines().map(str::trim).collect();
    decode(&STANDARD, &joined)
}

fn decode(engine: &GeneralPurpose, text: &str) -> Result<Vec<u8>, Error> {
    engine.decode(text).map_err(|_| malformed("its base64"))
}

fn malformed(reason: &'static str) -> Error {
    Error::AgeForm { reason }
}
