//! `topis journal verify`: reads a journal back as a start would, changes nothing, and says whether the snapshots kept
//! beside it are what its records give.

use std::{path::Path, process::ExitCode};

use alert::{Alert, Incident, IncidentPhase};
use journal::{Inspection, ReadError, Snapshot, SnapshotFiles};
use room::{ControlRoom, RoomOptions};
use sha2::{Digest as _, Sha256};

use crate::{assembly::room_options, config::Config, output};

/// Damaged records named one by one.
const NAMED_MAX: usize = 20;

/// Reads the journal and prints what it found. The exit code is 1 when something of it is not as it was written.
///
/// # Errors
/// A journal that cannot be opened or read, or that a service has open.
pub fn run(file: Option<&Path>, config: &Config) -> anyhow::Result<ExitCode> {
    let path = file.unwrap_or(&config.journal_path);
    let found = verify(path, &room_options(config))?;
    output::data(&found.text(path))?;
    Ok(ExitCode::from(u8::from(!found.is_sound())))
}

/// What a journal holds.
struct Found {
    /// Record after which reading began, 0 for the beginning.
    after: u64,
    room: ControlRoom,
    damaged: Vec<u64>,
    snapshots: Vec<(u64, Standing)>,
}

/// What a snapshot is to its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Byte for byte what the records give.
    Same,
    /// Something else.
    Differs,
    /// It follows a record that this journal does not have in these words.
    OfAnother,
    /// Reading began with it, because the records before are forgotten.
    Begun,
}

fn verify(path: &Path, options: &RoomOptions) -> anyhow::Result<Found> {
    let mut journal = Inspection::open(path)?;
    let (mut own, mut snapshots) = (Vec::new(), Vec::new());
    for snapshot in SnapshotFiles::beside(path).load() {
        match journal.checksum(snapshot.seq)? == Some(snapshot.checksum) {
            true => own.push(snapshot),
            false => snapshots.push((snapshot.seq, Standing::OfAnother)),
        }
    }
    let empty = ControlRoom::new(options.clone());
    let mut found = match walk(&mut journal, empty, &own) {
        Err(ReadError::Missing { seq, path }) => {
            // Only the newest two are kept, so the last one here is the oldest that is whole.
            let Some(oldest) = own.pop() else { return Err(ReadError::Missing { seq, path }.into()) };
            let room = room::decode_snapshot(&oldest.body, options.clone())?;
            let mut found = walk(&mut journal, room, &own)?;
            found.snapshots.push((oldest.seq, Standing::Begun));
            found
        }
        walked => walked?,
    };
    found.snapshots.append(&mut snapshots);
    Ok(found)
}

/// Applies every record after the room's own, and compares each snapshot on the way.
fn walk(journal: &mut Inspection, mut room: ControlRoom, own: &[Snapshot]) -> Result<Found, ReadError> {
    let (after, mut snapshots) = (room.seq(), Vec::new());
    let (_, damaged) = journal.read(after + 1, &mut |seq, bytes| {
        match bytes {
            Some(bytes) => room.apply(&room::decode(bytes)?),
            None => room.pass_over(),
        }
        for snapshot in own.iter().filter(|snapshot| snapshot.seq == seq) {
            let same = room::encode_snapshot(&room) == snapshot.body;
            snapshots.push((seq, if same { Standing::Same } else { Standing::Differs }));
        }
        Ok(())
    })?;
    Ok(Found { after, room, damaged, snapshots })
}

impl Found {
    fn is_sound(&self) -> bool {
        self.damaged.is_empty() && self.snapshots.iter().all(|(_, standing)| *standing != Standing::Differs)
    }

    fn text(&self, path: &Path) -> String {
        let mut lines = vec![format!("journal   {}", path.display()), self.records()];
        lines.push(match self.damaged.len() {
            0 => "damaged   none".to_owned(),
            n => {
                let named: Vec<String> = self.damaged.iter().take(NAMED_MAX).map(u64::to_string).collect();
                format!("damaged   {n}: {}; a start passes over them", named.join(", "))
            }
        });
        let (alerts, incidents) = (self.room.alerts().count(), self.room.incidents().count());
        let open = self.room.alerts().filter(|alert| Alert::is_open(alert)).count();
        let is_active = |incident: &Incident| incident.phase == IncidentPhase::Active;
        let active = self.room.incidents().filter(|incident| is_active(incident)).count();
        lines.push(format!("room      {open} open alerts of {alerts}, {active} active incidents of {incidents}"));
        lines.push(format!("digest    {}", digest(&self.room)));
        lines.extend(self.snapshots.iter().map(|(seq, standing)| {
            let said = match standing {
                Standing::Same => "the same room as the records give",
                Standing::Differs => "DIFFERS from what the records give; a start would take it: move it away",
                Standing::OfAnother => "is not of this journal; a start leaves it out",
                Standing::Begun => "stands for the records before, which are forgotten",
            };
            format!("snapshot  after record {seq}: {said}")
        }));
        lines.join("\n")
    }

    fn records(&self) -> String {
        match (self.after, self.room.seq()) {
            (0, 0) => "records   none".to_owned(),
            (0, last) => format!("records   1 to {last}"),
            (after, last) => format!("records   {} to {last}, on the snapshot after record {after}", after + 1),
        }
    }
}

/// The SHA-256 of the room as a snapshot writes it: equal for equal rooms, whoever replays.
fn digest(room: &ControlRoom) -> String {
    let sum = Sha256::digest(room::encode_snapshot(room));
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use journal::{RecordLog as _, SqliteLog};

    use super::*;
    use crate::restore::tests::Story;

    /// What is said, without the paths and with the digest judged.
    fn said(story: &Story) -> (bool, String) {
        let found = verify(&story.path(), &RoomOptions::default()).unwrap();
        let text = found.text(Path::new("journal.db"));
        let same = text.contains(&digest(&story.room));
        let kept: Vec<&str> =
            text.lines().filter(|line| !line.starts_with("digest") && !line.starts_with("room")).collect();
        (found.is_sound() && same, kept.join("\n"))
    }

    #[test]
    fn a_sound_journal_gives_the_room_and_its_snapshots() {
        let mut story = Story::new();
        story.go_on(0..3);
        story.keep();
        story.go_on(3..4);
        let (sound, text) = said(&story);
        assert!(sound, "{text}");
        let kept = 3;
        assert_eq!(
            text,
            format!(
                "journal   journal.db\nrecords   1 to 4\ndamaged   none\n\
                 snapshot  after record {kept}: the same room as the records give"
            )
        );
    }

    #[test]
    fn where_old_records_are_forgotten_reading_begins_with_a_snapshot() {
        let mut story = Story::new();
        story.go_on(0..4);
        story.keep();
        story.go_on(4..6);
        story.keep();
        SqliteLog::open(&story.path()).unwrap().prune(3, i64::MAX).unwrap();
        let (sound, text) = said(&story);
        assert!(sound && text.contains("on the snapshot after record 4"), "{text}");
        assert!(text.contains("stands for the records before"), "{text}");
    }

    #[test]
    fn a_snapshot_that_says_something_else_and_a_damaged_record_are_told_and_nothing_is_repaired() {
        let mut story = Story::new();
        story.go_on(0..3);
        let ours = std::mem::take(&mut story.room);
        story.keep_as(3);
        story.room = ours;
        let (_, text) = said(&story);
        assert!(text.contains("snapshot  after record 3: DIFFERS"), "{text}");
        assert!(!verify(&story.path(), &RoomOptions::default()).unwrap().is_sound());

        let connection = rusqlite::Connection::open(story.path()).unwrap();
        connection.execute("UPDATE record SET body = x'00' WHERE seq = 2", []).unwrap();
        drop(connection);
        for _ in 0..2 {
            assert!(said(&story).1.contains("damaged   1: 2; a start passes over them"));
        }
    }

    #[test]
    fn an_empty_journal_is_sound() {
        let story = Story::new();
        drop(SqliteLog::open(&story.path()).unwrap());
        assert_eq!(said(&story), (true, "journal   journal.db\nrecords   none\ndamaged   none".to_owned()));
    }
}
