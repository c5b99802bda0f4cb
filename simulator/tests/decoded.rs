//! What the simulator writes, the service's decoders read: no problem, no unknown field, and the same place.

use decode::{Feeds, Frame, Message};
use simulator::{Outgoing, Scenario, Simulation};

/// A minute of a scenario as honest vehicles and sources send it.
fn honest(mut scenario: Scenario) -> Vec<Outgoing> {
    scenario.faults.clear();
    scenario.actions.retain(|action| !matches!(action.deed, simulator::Deed::Publish(_)));
    let options = scenario.options(None).expect("our scenarios are good");
    let until = options.start.plus_millis(75_000);
    let city = scenario.city().expect("our scenarios are good");
    Simulation::new(city, options).expect("our scenarios are good").advance(until)
}

#[test]
fn every_honest_message_of_every_scenario_is_read_whole() {
    let feeds = Feeds::new("topis", Feeds::defaults()).unwrap();
    for (name, scenario) in Scenario::all() {
        let mut vehicles = 0;
        for message in honest(scenario) {
            let (topic, payload) = (message.topic.as_str(), message.payload.as_slice());
            let frame = Frame { topic, payload, retained: false, dup: false, received_at: message.at };
            let decoded = feeds.decode(&frame);
            let body = String::from_utf8_lossy(payload);
            assert!(decoded.problems.is_empty(), "{name}: {topic} {body}: {:?}", decoded.problems);
            assert_eq!(decoded.unknown_fields, 0, "{name}: {topic} {body}");
            assert_eq!(decoded.messages.len(), 1, "{name}: {topic} {body}");
            if let Message::Vehicle(observation) = &decoded.messages[0] {
                assert_eq!(observation.event_time, message.at, "{name}: {topic} {body}");
                vehicles += 1;
            }
        }
        assert!(vehicles > 100, "{name}: {vehicles}");
    }
}
