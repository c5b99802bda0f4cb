//! Broken messages made ready to be kept and looked at: the reason and the head of the body.
//!
//! Knows no clock; a reject's time is its frame's. Decoding makes [`Problem`]s; who keeps the rejects is not known here.

use transit::VehicleKey;

use crate::{
    Decoded, Frame, Message, Problem, ProblemCode, Reject,
    fields::{clean, head},
};

/// Characters kept of a topic and of a body.
const HEAD_CHARS: usize = 256;

/// The reject that `problem` of `decoded` makes, with what it was found in.
pub fn reject_of(frame: &Frame<'_>, decoded: &Decoded, problem: &Problem) -> Reject {
    Reject {
        feed: decoded.feed.clone(),
        topic: clean(frame.topic, HEAD_CHARS),
        vehicle: decoded.vehicle.clone().or_else(|| decoded.messages.first().and_then(vehicle_of)),
        confidential: problem.code == ProblemCode::UnknownTopic
            || decoded.messages.iter().any(|message| matches!(message, Message::Alarm(_))),
        received_at: frame.received_at,
        problem: problem.clone(),
        head: head(frame.payload, HEAD_CHARS),
    }
}

fn vehicle_of(message: &Message) -> Option<VehicleKey> {
    match message {
        Message::Vehicle(observation) => Some(observation.vehicle.clone()),
        Message::Alarm(report) => match &report.subject {
            alert::AlarmSubject::Vehicle(key) => Some(key.clone()),
            alert::AlarmSubject::Unparsed(_) => None,
        },
        Message::Incident(_) | Message::Withdrawal(_) | Message::Presence(_) => None,
    }
}
