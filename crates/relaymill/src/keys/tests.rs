use std::path::PathBuf;

use super::*;

fn folder() -> (tempfile::TempDir, PassphraseArgs, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passphrase");
    write_atomically(&file, b"a long enough one\n", 0o600).unwrap();
    let key = folder.path().join("a.key");
    (folder, PassphraseArgs::of_file(file.clone()), key)
}

#[test]
fn an_encrypted_key_serves_every_chain_and_a_plain_one_only_local_ones() {
    let (folder, passphrase, path) = folder();
    let key = SecretKey::random().unwrap();
    write(&path, &key, &passphrase.get_new("it").unwrap()).unwrap();
    let address = key.public().address();
    for (chain, dev) in [
        ("pocket", false),
        ("relaymill-local-1", true),
        ("relaymill-local-1", false),
    ] {
        let read = load(&path, chain, dev, &passphrase).unwrap();
        assert_eq!(read.public().address(), address);
    }
    assert!(load(&path, "pocket", true, &passphrase).is_err());

    let plain = folder.path().join("plain.key");
    write_atomically(&plain, hex_digits(&key).as_bytes(), 0o600).unwrap();
    assert!(load(&plain, "relaymill-local-1", true, &passphrase).is_ok());
    assert!(load_for(&plain, "relaymill-local-1", &passphrase).is_ok());
    for error in [
        load(&plain, "relaymill-local-1", false, &passphrase).unwrap_err(),
        load(&plain, "pocket", false, &passphrase).unwrap_err(),
        load_for(&plain, "pocket", &passphrase).unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(
            error.contains("plain.key") && error.contains("keys import"),
            "{error}"
        );
    }
}

#[test]
fn what_others_can_read_is_refused_and_no_error_shows_a_secret() {
    let (folder, passphrase, path) = folder();
    let key = SecretKey::random().unwrap();
    let new = passphrase.get_new("it").unwrap();
    assert_eq!(format!("{new:?}"), "Passphrase(…)");
    write(&path, &key, &new).unwrap();
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = format!("{:#}", read(&path, &passphrase).unwrap_err());
        assert!(error.contains("chmod 600"), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

    let other = folder.path().join("other");
    write_atomically(&other, b"another long one\n", 0o600).unwrap();
    let error = format!(
        "{:#}",
        read(&path, &PassphraseArgs::of_file(other.clone())).unwrap_err()
    );
    assert!(
        error.contains("a.key") && error.contains("passphrase"),
        "{error}"
    );
    assert!(!error.contains("another long one"), "{error}");
    write_atomically(&other, b"short\n", 0o600).unwrap();
    assert!(
        PassphraseArgs::of_file(other.clone())
            .get_new("it")
            .is_err()
    );
    fs::set_permissions(&other, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(PassphraseArgs::of_file(other.clone()).get("it").is_err());
}

#[test]
fn a_keyring_adds_finds_renames_and_forgets() {
    let (folder, passphrase, _) = folder();
    let ring = ring::Ring::in_folder(&folder.path().join("ring"));
    assert!(ring.list().unwrap().is_empty());
    let key = SecretKey::random().unwrap();
    let new = passphrase.get_new("it").unwrap();
    let entry = ring.add("alice", &key, None, &new).unwrap();
    assert!(ring.add("alice", &key, None, &new).is_err());
    for name in ["", "../alice", "a/b", ".x", "a b"] {
        assert!(ring.add(name, &key, None, &new).is_err(), "{name}");
    }
    let address = key.public().address().to_bech32();
    assert_eq!(ring.find("alice").unwrap().as_ref(), Some(&entry));
    assert_eq!(ring.find(&address).unwrap().as_ref(), Some(&entry));
    assert!(ring.find("bob").unwrap().is_none());
    let bob = ring.rename(&entry, "bob").unwrap();
    assert!(ring.find("alice").unwrap().is_none());
    assert_eq!(ring.open(&bob, &passphrase).unwrap().public(), key.public());
    let mode = |name: &str| {
        let path = folder.path().join("ring").join(name);
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode(""), mode("bob.key")), (0o700, 0o600));
    ring.delete(&bob).unwrap();
    assert!(ring.list().unwrap().is_empty());
}

/// Written by `crypto.EncryptArmorPrivKey` of cosmos-sdk v0.53.7.
#[test]
fn what_pocketd_exports_is_read() {
    let (folder, _, _) = folder();
    let file = folder.path().join("passphrase");
    write_atomically(&file, b"correct horse battery staple", 0o600).unwrap();
    let passphrase = PassphraseArgs::of_file(file.clone());
    let exported = include_str!("../../tests/keys/pocketd-export.asc");
    let path = folder.path().join("exported");
    write_atomically(&path, exported.as_bytes(), 0o600).unwrap();
    let key = load(&path, "pocket", false, &passphrase).unwrap();
    assert_eq!(*key.to_bytes(), [1; 32]);
    for (from, to, words) in [
        ("argon2", "bcrypt", "bcrypt"),
        ("secp256k1", "ed25519", "type"),
        ("salt: ", "salt: x", "salt"),
        ("-----END", "----END", "no end"),
    ] {
        write_atomically(&path, exported.replace(from, to).as_bytes(), 0o600).unwrap();
        let error = format!("{:#}", read(&path, &passphrase).unwrap_err());
        assert!(
            error.contains(words) && error.contains("exported"),
            "{error}"
        );
    }
    write_atomically(&path, exported.as_bytes(), 0o600).unwrap();
    write_atomically(&file, b"another long one", 0o600).unwrap();
    let error = format!("{:#}", read(&path, &passphrase).unwrap_err());
    assert!(error.contains("passphrase"), "{error}");
}
