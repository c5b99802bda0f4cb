//! The SQLite log against real files: order, damage, locks, a full disk; `cuts` has what a crash leaves.

mod cuts;

use std::fs;

use tempfile::TempDir;

use super::SqliteLog;
use crate::{AppendError, OpenError, Record, RecordLog, Tail};

fn record(body: &str) -> Record {
    Record { body: body.as_bytes().to_vec(), key: None, at_ms: 0 }
}

fn open(folder: &TempDir) -> SqliteLog {
    SqliteLog::open(&folder.path().join("deep/journal.db")).unwrap()
}

fn read(log: &mut SqliteLog, from: u64) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    log.tail(from, &mut |seq, body| {
        let body = body.map_or_else(|| "(set aside)".to_owned(), |body| String::from_utf8_lossy(body).into_owned());
        found.push((seq, body));
        Ok(())
    })
    .unwrap();
    found
}

#[test]
fn records_come_back_in_order_after_reopening() {
    let folder = TempDir::new().unwrap();
    let mut log = open(&folder);
    assert_eq!(log.last_seq().unwrap(), 0);
    assert_eq!(log.append(0, &[record("a"), record("b")]).unwrap(), 2);
    assert_eq!(log.append(2, &[record("c")]).unwrap(), 3);
    assert_eq!(log.append(3, &[]).unwrap(), 3);
    drop(log);
    let mut log = open(&folder);
    assert_eq!(read(&mut log, 2), [(2, "b".to_owned()), (3, "c".to_owned())]);
    assert_eq!(log.last_seq().unwrap(), 3);
}

#[test]
fn an_append_names_the_record_it_follows() {
    let folder = TempDir::new().unwrap();
    let mut log = open(&folder);
    log.append(0, &[record("a")]).unwrap();
    let refused = log.append(0, &[record("b")]);
    assert!(matches!(refused, Err(AppendError::Conflict { expected: 0, found: 1 })), "{refused:?}");
    assert_eq!(read(&mut log, 0).len(), 1);
}

#[test]
fn the_newest_record_of_a_key_is_found() {
    let folder = TempDir::new().unwrap();
    let mut log = open(&folder);
    let keyed = Record { key: Some("kim/1".to_owned()), ..record("a") };
    log.append(0, &[keyed.clone(), record("b"), keyed]).unwrap();
    assert_eq!(log.find_key("kim/1").unwrap(), Some(3));
    assert_eq!(log.find_key("lee/1").unwrap(), None);
}

#[test]
fn a_second_holder_is_refused_at_once() {
    let folder = TempDir::new().unwrap();
    let log = open(&folder);
    let path = folder.path().join("deep/journal.db");
    assert!(matches!(SqliteLog::open(&path), Err(OpenError::InUse(_))));
    drop(log);
    SqliteLog::open(&path).unwrap();
}

#[test]
fn a_file_of_others_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "dear diary, today no bus came. ".repeat(40)).unwrap();
    assert!(matches!(SqliteLog::open(&text), Err(OpenError::Foreign(_))));
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let before = fs::read(&other).unwrap();
    let refused = SqliteLog::open(&other).unwrap_err();
    assert!(refused.to_string().contains("is not a journal of this program; set journal.path"), "{refused}");
    assert_eq!(fs::read(&other).unwrap(), before);
}

#[test]
fn a_newer_format_is_refused_with_the_way_out() {
    let folder = TempDir::new().unwrap();
    let log = open(&folder);
    log.connection.pragma_update(None, "user_version", 99).unwrap();
    drop(log);
    let refused = SqliteLog::open(&folder.path().join("deep/journal.db")).unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 99, .. }), "{refused}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let refused = SqliteLog::open(&folder.path().join("file/journal.db")).unwrap_err();
    assert!(matches!(refused, OpenError::Io { .. }), "{refused}");
}

#[cfg(unix)]
#[test]
fn only_its_user_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let mut log = open(&folder);
    log.append(0, &[record("a")]).unwrap();
    for file in ["journal.db", "journal.db-wal"] {
        let mode = fs::metadata(folder.path().join("deep").join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_damaged_or_missing_record_is_set_aside_said_once_and_the_start_goes_on() {
    let folder = TempDir::new().unwrap();
    let mut log = open(&folder);
    log.append(0, &["a", "b", "c", "d", "e"].map(record)).unwrap();
    log.connection.execute("UPDATE record SET body = x'00' WHERE seq = 2", []).unwrap();
    log.connection.execute("UPDATE record SET checksum = x'00' WHERE seq = 5", []).unwrap();
    log.connection.execute("DELETE FROM record WHERE seq = 3", []).unwrap();
    let mut told = Vec::new();
    let mut listen = |log: &mut SqliteLog| {
        told.clear();
        let tail = log.tail(1, &mut |seq, body| {
            told.push((seq, body.is_some()));
            Ok(())
        });
        tail.unwrap()
    };
    assert_eq!(listen(&mut log), Tail { last_seq: 5, set_aside: vec![2, 3, 5] });
    drop(log);
    let mut log = open(&folder);
    assert_eq!(log.last_seq().unwrap(), 5, "the number of one set aside is not given again");
    assert_eq!(log.append(5, &[record("f")]).unwrap(), 6);
    assert_eq!(listen(&mut log), Tail { last_seq: 6, set_aside: vec![] });
    assert_eq!(told, [(1, true), (2, false), (3, false), (4, true), (5, false), (6, true)]);
    let kept: Vec<u8> = log.connection.query_row("SELECT body FROM aside WHERE seq = 2", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, [0], "for a person to look at");
}

#[test]
fn old_records_are_forgotten_only_up_to_where_a_snapshot_stands_for_them() {
    let folder = TempDir::new().unwrap();
    let mut log = open(&folder);
    let aged = |at_ms| Record { at_ms, ..record("x") };
    log.append(0, &[aged(10), aged(20), aged(30), aged(40)]).unwrap();
    assert_eq!(log.prune(3, 25).unwrap(), 2);
    assert_eq!(log.checksum(2).unwrap(), None);
    assert!(log.checksum(3).unwrap().is_some());
    assert_eq!(read(&mut log, 3).len(), 2);
    let missing = log.tail(1, &mut |_, _| Ok(())).unwrap_err();
    assert!(missing.to_string().contains("put its snapshot files back"), "{missing}");
}

#[test]
fn a_file_of_the_first_format_is_brought_up_to_date() {
    let folder = TempDir::new().unwrap();
    let mut log = open(&folder);
    log.append(0, &[record("a")]).unwrap();
    log.connection.execute_batch("ALTER TABLE record DROP COLUMN at_ms; DROP TABLE aside;").unwrap();
    log.connection.pragma_update(None, "user_version", 1).unwrap();
    drop(log);
    let mut log = open(&folder);
    assert_eq!(log.append(1, &[record("b")]).unwrap(), 2);
    assert_eq!(read(&mut log, 1), [(1, "a".to_owned()), (2, "b".to_owned())]);
}

#[test]
fn what_a_reader_refuses_is_named_with_its_record() {
    let folder = TempDir::new().unwrap();
    let mut log = open(&folder);
    log.append(0, &[record("a")]).unwrap();
    let refused = log.tail(0, &mut |_, _| Err("no such change".into())).unwrap_err();
    assert!(refused.to_string().ends_with("no such change") && refused.to_string().contains("record 1"), "{refused}");
}

#[test]
fn a_full_disk_refuses_and_the_log_works_again_once_there_is_space() {
    let folder = TempDir::new().unwrap();
    let mut log = open(&folder);
    log.append(0, &[record("before")]).unwrap();
    let pages: i64 = log.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let limit = |log: &SqliteLog, pages: i64| {
        log.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    };
    limit(&log, pages);
    let large = "x".repeat(100_000);
    let refused = log.append(1, &[record("small"), record(&large)]);
    assert!(matches!(refused, Err(AppendError::Full(_))), "{refused:?}");
    assert_eq!(log.last_seq().unwrap(), 1, "all or nothing");
    limit(&log, 1_000_000);
    assert_eq!(log.append(1, &[record(&large)]).unwrap(), 2);
    drop(log);
    assert_eq!(read(&mut open(&folder), 1).len(), 2);
}

#[test]
fn after_a_failed_fsync_nothing_is_tried_again() {
    let folder = TempDir::new().unwrap();
    let mut log = open(&folder);
    log.failed = true;
    for _ in 0..2 {
        let refused = log.append(0, &[record("a")]).unwrap_err();
        assert!(matches!(refused, AppendError::Fatal(_)), "{refused}");
        assert!(refused.to_string().ends_with("the process must end"), "{refused}");
    }
    assert_eq!(log.last_seq().unwrap(), 0);
}

#[test]
fn an_unwritable_log_says_so_and_recovers() {
    let folder = TempDir::new().unwrap();
    let mut log = open(&folder);
    log.connection.pragma_update(None, "query_only", "ON").unwrap();
    assert!(matches!(log.append(0, &[record("a")]), Err(AppendError::Unwritable(_))));
    log.connection.pragma_update(None, "query_only", "OFF").unwrap();
    assert_eq!(log.append(0, &[record("a")]).unwrap(), 1);
}
