//! What two writers post, as readers find it.

use std::collections::BTreeMap;

use alert::{Evidence, Priority, Subject};
use detect::Exception;
use transit::UtcMillis;

use super::*;

const NOW: Now = Now { utc: UtcMillis(1_795_420_800_000), mono_ms: 1_000 };

fn board() -> Board {
    Board::new("e", ControlRoom::default(), Guide::default(), "wall", NOW)
}

fn crowded(vehicle: &str, stops: u32) -> Arc<Exception> {
    let subject = Subject::Vehicle(VehicleKey::parse(vehicle).unwrap());
    let figures = BTreeMap::from([("stops".to_owned(), stops.to_string())]);
    Arc::new(Exception {
        id: format!("VEH.CROWD:{subject}"),
        rule: "VEH.CROWD",
        subject,
        priority: Priority::P4,
        since: NOW.utc,
        evidence: Evidence { figures, ..Evidence::default() },
        feed: None,
        vehicles: Vec::new(),
    })
}

/// Revision of the whole, and of the exceptions in it.
fn revisions(board: &Board) -> (u64, u64) {
    let snapshot = board.published().load();
    (snapshot.revision, snapshot.revisions.exceptions)
}

#[test]
fn exceptions_have_a_revision_of_their_own_and_the_same_list_again_has_none() {
    let board = board();
    let first = [crowded("22/1", 2), crowded("22/2", 2)];
    board.post_exceptions(first.to_vec(), NOW);
    assert_eq!(revisions(&board), (2, 2));
    board.post_room(ControlRoom::default(), 0, Touched { alerts: true, incidents: false }, None, NOW);
    assert_eq!(revisions(&board), (3, 2), "an alert is no news of exceptions");
    board.post_exceptions(first.to_vec(), NOW);
    assert_eq!(revisions(&board), (3, 2), "nothing changed");
    board.post_exceptions(vec![crowded("22/1", 3)], NOW);
    assert_eq!(revisions(&board), (4, 4));
}

#[test]
fn every_writer_posts_under_a_revision_that_only_grows() {
    let board = board();
    let mut bell = board.published().bell();
    let mut last = revisions(&board).0;
    for n in 0..20 {
        board.post_exceptions(vec![crowded("22/1", n)], NOW);
        board.post_room(ControlRoom::default(), 0, Touched::default(), None, NOW);
        let (revision, _) = revisions(&board);
        assert_eq!(revision, last + 2);
        assert_eq!(*bell.borrow_and_update(), revision);
        last = revision;
    }
}

#[test]
fn vehicles_are_laid_out_by_place_ahead_while_somebody_asks_for_cards() {
    let board = board();
    let laid_out = |second: u64| {
        let now = Now { mono_ms: second * 1_000, ..NOW };
        board.post_picture(now, |_| Tick {
            picture: Publication {
                as_of: now,
                revision: 1,
                view: View::default(),
                upserts: Vec::new(),
                removed: Vec::new(),
                feeds: BTreeMap::new(),
                changed: picture::Changed { vehicles: true, feeds: false },
                totals: picture::Totals::default(),
            },
            pages: None,
            degraded: Vec::new(),
            checks: Vec::new(),
        });
        board.published().load().index.made().is_some()
    };
    assert!(!laid_out(1), "nobody asked");
    board.published().load().placed();
    assert!(laid_out(2) && laid_out(61), "somebody asked a while ago");
    assert!(!laid_out(63), "and no more");
}
