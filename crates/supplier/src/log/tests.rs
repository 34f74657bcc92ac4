//! Torn tails, damaged middles, and what comes back after a restart.

use super::*;

fn syncer() -> Arc<Syncer> {
    Arc::new(Syncer::default())
}

fn written(folder: &Path) -> PathBuf {
    let path = folder.join("s.log");
    let log = SessionLog::create(&path, b"{}", &syncer()).unwrap();
    log.append(Kind::Relay, b"first").unwrap();
    log.append(Kind::Relay, b"second").unwrap();
    path
}

fn read(path: &Path) -> Result<Vec<(Kind, Vec<u8>)>, LogError> {
    let mut records = Vec::new();
    SessionLog::open(path, &syncer(), |record| {
        records.push((record.kind, record.payload))
    })?;
    Ok(records)
}

#[test]
fn records_come_back_in_order_and_by_position() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let mut positions = Vec::new();
    let log = SessionLog::open(&path, &syncer(), |record| positions.push(record.position)).unwrap();
    let third = log.append(Kind::Sealed, &[7; 48]).unwrap();
    assert_eq!(
        log.read(positions[1]).unwrap(),
        (Kind::Relay, b"first".to_vec())
    );
    assert_eq!(log.read(third).unwrap(), (Kind::Sealed, vec![7; 48]));
    assert_eq!(read(&path).unwrap().len(), 4);
}

#[test]
fn a_file_cut_anywhere_loses_its_last_record_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let whole = std::fs::read(&path).unwrap();
    let last = HEADER_BYTES + 1 + b"second".len();
    for cut in whole.len() - last + 1..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(read(&path).unwrap().len(), 2, "cut at {cut}");
        let log = SessionLog::open(&path, &syncer(), |_| {}).unwrap();
        log.append(Kind::Relay, b"third").unwrap();
        assert_eq!(read(&path).unwrap().last().unwrap().1, b"third");
    }
}

#[test]
fn a_damaged_middle_names_file_and_offset() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let mut bytes = std::fs::read(&path).unwrap();
    let second = HEADER_BYTES + 1 + b"{}".len();
    bytes[second + HEADER_BYTES + 2] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(
        error.contains("s.log") && error.contains(&format!("byte {second}")),
        "{error}"
    );
}

#[test]
fn a_record_larger_than_any_relay_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let log = SessionLog::open(&path, &syncer(), |_| {}).unwrap();
    let before = log.len();
    assert!(log.append(Kind::Relay, &vec![0; RECORD_BYTES + 1]).is_err());
    assert_eq!(log.len(), before);
}

#[tokio::test]
async fn the_syncer_takes_what_was_noted_and_ends_with_its_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = net::Tasks::new();
    let syncer = Syncer::start(&tasks);
    let log = SessionLog::create(&folder.path().join("s.log"), b"{}", &syncer).unwrap();
    for _ in 0..GROUP_RECORDS {
        log.append(Kind::Served, &[1; 32]).unwrap();
    }
    tasks
        .shutdown(std::time::Duration::from_secs(5))
        .await
        .unwrap();
    assert_eq!(syncer.records(), 0);
}
