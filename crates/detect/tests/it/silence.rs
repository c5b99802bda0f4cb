//! Properties: silence never clears, and what swings within the band is told once.

use alert::FindingVerdict;
use detect::Rulebook;
use picture::PictureOptions;
use proptest::{prelude::*, test_runner::Config};

use crate::stage::{Stage, message};

const ALL_ALERTS: &str = "[\"VEH.SILENT\"]\nannunciate = \"alert\"\n[\"VEH.SPEED\"]\nannunciate = \"alert\"\n\
                          [\"FEED.SKEW\"]\nannunciate = \"alert\"\n";

fn stage() -> Stage {
    Stage::new(Rulebook::read(&ALL_ALERTS.parse().unwrap()).unwrap(), Vec::new(), PictureOptions::default())
}

/// What a vehicle does in 60 s: how often it speaks, how fast it is, how wrong its clock is.
fn stretch() -> impl Strategy<Value = (u64, f32, i64)> {
    (prop_oneof![Just(0), Just(1), Just(7), Just(30)], 20.0_f32..35.0, prop_oneof![3 => Just(0_i64), 1 => Just(-500)])
}

proptest! {
    #![proptest_config(Config { cases: 12, ..Config::default() })]

    /// I14: a subject that is not heard in a look is not cleared in it.
    #[test]
    fn nothing_is_cleared_of_a_vehicle_that_is_not_heard(fleet in prop::collection::vec(prop::collection::vec(stretch(), 8), 1..6)) {
        let mut stage = stage();
        for second in 0..480_u64 {
            let mut heard = Vec::new();
            for (n, stretches) in fleet.iter().enumerate() {
                let (every, speed, clock) = stretches[(second / 60) as usize];
                if every > 0 && second % every == 0 {
                    let id = format!("a/{n}");
                    let mut o = message(&id, second as i64 + clock);
                    if let Some(fix) = &mut o.position {
                        fix.speed_mps = Some(speed);
                    }
                    stage.say(&o, second);
                    heard.push(format!("vehicle:{id}"));
                }
            }
            stage.look(second);
            for finding in stage.round.findings.iter().filter(|f| f.verdict == FindingVerdict::Cleared) {
                let subject = finding.subject.to_string();
                prop_assert!(!subject.starts_with("vehicle:") || heard.contains(&subject), "+{} {} {}", second, finding.rule, subject);
            }
        }
        // From here on all is silence.
        for second in 480..4_000_u64 {
            stage.look(second);
            let cleared = stage.round.findings.iter().find(|f| f.verdict == FindingVerdict::Cleared);
            prop_assert!(cleared.is_none(), "+{} {:?}", second, cleared);
        }
    }

    /// I15: values within the band.
    #[test]
    fn a_speed_within_the_band_raises_at_most_once(speeds in prop::collection::vec(25.1_f32..27.4, 300)) {
        let mut stage = stage();
        for second in 0..320_u64 {
            let mut o = message("a/1", second as i64);
            if let Some(fix) = &mut o.position {
                fix.speed_mps = Some(second.checked_sub(20).map_or(29.0, |n| speeds[n as usize]));
            }
            stage.say(&o, second);
            stage.look(second);
        }
        prop_assert_eq!(stage.told.len(), 1, "{}", stage.timeline());
    }
}
