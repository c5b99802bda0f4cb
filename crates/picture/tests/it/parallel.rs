//! Folding by many workers at once ends like folding by one.

use picture::{Group, Picture, PictureOptions, Tally};
use transit::{Observation, Significance};

use crate::stage::{instant, position};

fn messages() -> Vec<Observation> {
    (0..20_000_u64)
        .map(|n| {
            let stamp_s = (n * 7 % 97) as f64;
            Observation {
                content: n.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                significance: if n % 5 == 0 { Significance::Event } else { Significance::Plain },
                doors_open: (n % 3 == 0).then_some(n % 2 == 0),
                delay_s: (n % 4 == 0).then_some(n as i32),
                ..position(&(n % 50).to_string(), stamp_s, 60.0, 25.0)
            }
        })
        .collect()
}

#[test]
fn four_workers_that_each_fold_everything_end_like_one() {
    let messages = messages();
    let alone = Picture::new(PictureOptions::default());
    let mut tally = Tally::new();
    for o in &messages {
        alone.fold(o, instant(100.0), &mut tally);
    }

    let shared = Picture::new(PictureOptions::default());
    let mut publisher = shared.publisher(instant(0.0));
    let publication = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let (shared, messages) = (&shared, &messages);
                scope.spawn(move || {
                    let mut tally = Tally::new();
                    // Each begins elsewhere and every second one goes backwards.
                    for n in 0..messages.len() {
                        let at = (n + worker * 5_000) % messages.len();
                        let at = if worker % 2 == 0 { at } else { messages.len() - 1 - at };
                        shared.fold(&messages[at], instant(100.0), &mut tally);
                    }
                    tally
                })
            })
            .collect();
        let tallies: Vec<Tally> = workers.into_iter().map(|w| w.join().unwrap()).collect();
        publisher.publish(&shared, tallies, &[], instant(100.0), 1)
    });

    assert_eq!(publication.view.vehicles.len(), 50);
    assert_eq!(publication.upserts.len(), 50);
    assert_eq!(publication.feeds.values().map(|f| f.received).sum::<u64>(), 80_000);
    for (key, record) in &publication.view.vehicles {
        let expected = alone.detail(key, instant(100.0)).unwrap();
        let found = shared.order_keys(key).unwrap();
        for group in Group::ALL {
            assert_eq!(found.find(group), expected.order_keys.find(group), "{group:?} of {key}");
        }
        assert_eq!((record.doors_open, record.delay_s), (expected.regular.doors_open, expected.regular.delay_s));
    }
}
