//! The validator's Ed25519 key, in a file of the data directory.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use ed25519_dalek::SigningKey;

use crate::error::StartError;

/// Reads the key, or makes one with mode 0600 if there is none. The file is 64 hex digits.
///
/// # Errors
/// [`StartError::Key`] when others may read it or it is not a key, [`StartError::File`].
pub fn load_or_create(path: &Path) -> Result<SigningKey, StartError> {
    let file = |source| StartError::File {
        path: path.to_owned(),
        source,
    };
    let wrong = |reason: &str| StartError::Key {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    match fs::metadata(path) {
        Ok(metadata) => {
            if metadata.permissions().mode() & 0o077 != 0 {
                return Err(wrong("others can read it: run chmod 600"));
            }
            let text = fs::read_to_string(path).map_err(file)?;
            let mut seed = [0; 32];
            hex::decode_to_slice(text.trim(), &mut seed)
                .map_err(|_| wrong("expected 64 hex digits"))?;
            Ok(SigningKey::from_bytes(&seed))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(|error| wrong(&error.to_string()))?;
            let mut out = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
                .map_err(file)?;
            writeln!(out, "{}", hex::encode(seed)).map_err(file)?;
            out.sync_all().map_err(file)?;
            Ok(SigningKey::from_bytes(&seed))
        }
        Err(error) => Err(file(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_only_when_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("validator.key");
        let key = load_or_create(&path).unwrap();
        assert_eq!(load_or_create(&path).unwrap(), key);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(
            load_or_create(&path)
                .unwrap_err()
                .to_string()
                .contains("chmod 600")
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "zz").unwrap();
        assert!(
            load_or_create(&path)
                .unwrap_err()
                .to_string()
                .contains("64 hex digits")
        );
    }
}
