//! What a source sent of an incident and the room did not take: confirmed to its broker like everything that is decided,
//! and shown to whoever wonders why nothing changed.

use alert::{IncidentOutcome, IncidentReport};
use decode::{Grade, Problem, ProblemCode, Reject};

/// The reject that such a report makes; `None` where it was taken or says nothing new.
pub(super) fn passed_over(report: &IncidentReport, outcome: IncidentOutcome, topic: &str) -> Option<Reject> {
    let key = &report.key;
    let (grade, code, field, detail) = match outcome {
        IncidentOutcome::Recorded | IncidentOutcome::Same | IncidentOutcome::Withdrawn | IncidentOutcome::Unknown => {
            return None;
        }
        // Messages may arrive in any order; a counter that began anew looks the same.
        IncidentOutcome::Older => {
            let detail = format!("a newer version of {key} is on record; nothing changed. Count versions upwards");
            (Grade::Warning, ProblemCode::Outdated, Some("version"), detail)
        }
        IncidentOutcome::SameVersion => {
            let detail =
                format!("{key} is on record in this version with other words; send what is right with a higher one");
            (Grade::Reject, ProblemCode::Conflicting, Some("version"), detail)
        }
        IncidentOutcome::NoRoom => {
            let detail =
                format!("as many incidents are open as are kept; {key} is not on record. Close some and send it again");
            (Grade::Reject, ProblemCode::NoRoom, None, detail)
        }
    };
    Some(Reject {
        feed: report.feed.clone(),
        topic: topic.to_owned(),
        vehicle: None,
        confidential: false,
        received_at: report.received_at,
        problem: Problem { grade, code, field: field.map(str::to_owned), detail },
        head: report.title.clone().unwrap_or_default(),
    })
}
