use proptest::prelude::*;

use super::*;

const PASSPHRASE: &[u8] = b"correct horse battery staple";

#[test]
fn what_is_sealed_opens_with_its_passphrase_only() {
    for plain in [&b""[..], b"x", &[7; CHUNK_BYTES]] {
        let sealed = seal_with(plain, PASSPHRASE, 4).unwrap();
        assert!(is_sealed(sealed.as_bytes()));
        assert!(sealed.lines().all(|line| line.len() <= ARMOR_COLUMNS));
        assert_eq!(*open(sealed.as_bytes(), PASSPHRASE).unwrap(), plain);
        let binary = unarmored(&sealed).unwrap();
        assert!(is_sealed(&binary));
        assert_eq!(*open(&binary, PASSPHRASE).unwrap(), plain);
        let wrong = open(sealed.as_bytes(), b"another").unwrap_err();
        assert_eq!(wrong, Error::AgePassphrase);
    }
    assert!(seal_with(&[0; CHUNK_BYTES + 1], PASSPHRASE, 4).is_err());
}

#[test]
fn the_default_work_factor_is_that_of_age() {
    let sealed = seal(b"secret", PASSPHRASE).unwrap();
    let binary = unarmored(&sealed).unwrap();
    assert_eq!(Header::read(&binary).unwrap().log_n, 18);
    assert_eq!(*open(sealed.as_bytes(), PASSPHRASE).unwrap(), b"secret");
}

/// Written by `age` 1.2.1 (the reference implementation, in Go) with the passphrase "correct horse battery staple".
#[test]
fn files_of_age_itself_are_read() {
    for file in [
        &include_bytes!("../../tests/age/armored.age")[..],
        include_bytes!("../../tests/age/binary.age"),
    ] {
        assert_eq!(*open(file, PASSPHRASE).unwrap(), b"written by age\n");
    }
    let key = include_bytes!("../../tests/age/recipient.age");
    assert!(
        open(key, PASSPHRASE)
            .unwrap_err()
            .to_string()
            .contains("no passphrase")
    );
}

#[test]
fn a_file_that_is_none_is_named_and_too_much_work_is_refused_before_it_begins() {
    let sealed = seal_with(b"secret", PASSPHRASE, 4).unwrap();
    let binary = String::from_utf8_lossy(&unarmored(&sealed).unwrap()).into_owned();
    for (from, to, words) in [
        ("v1\n", "v2\n", "first line"),
        ("-> scrypt", "-> X25519", "no passphrase"),
        (" 4\n", " 23\n", "work factor is above 22"),
        (" 4\n", " 04\n", "no number"),
        (" 4\n", " x\n", "no number"),
        (" 4\n", " 4 4\n", "too many parts"),
        ("\n--- ", "\n-> ", "only recipient"),
    ] {
        let changed = binary.replacen(from, to, 1);
        assert_ne!(changed, binary);
        let error = open(changed.as_bytes(), PASSPHRASE)
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(!is_sealed(b"0123"));
    let cut = sealed.get(..sealed.len() - 10).unwrap();
    assert!(open(cut.as_bytes(), PASSPHRASE).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_changed_byte_is_noticed(place in any::<prop::sample::Index>(), change in 1_u8..) {
        let sealed = seal_with(b"secret", PASSPHRASE, 1).unwrap();
        let mut binary = unarmored(&sealed).unwrap();
        let place = place.index(binary.len());
        if let Some(byte) = binary.get_mut(place) {
            *byte ^= change;
        }
        prop_assert!(open(&binary, PASSPHRASE).is_err());
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = open(&bytes, PASSPHRASE);
        let _ = open(&[b"age-encryption.org/v1\n-> scrypt ", bytes.as_slice()].concat(), PASSPHRASE);
    }
}
