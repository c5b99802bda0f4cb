//! The word back to a vehicle: its press is on disk, was known already, or somebody has it.
//!
//! Nothing in it says what kind of alarm it was: a display may show it without giving a threatened driver away.

use alert::AlertId;
use serde::Serialize;
use transit::{UtcMillis, VehicleKey, words};

words! {
    /// How far a press has come.
    ReceiptState as "receipt_state" {
        /// On disk.
        Recorded = "recorded",
        /// The same press was on disk before.
        Duplicate = "duplicate",
        /// A person has taken the alert.
        Acknowledged = "acknowledged",
    }
}

/// One receipt, ready to be published.
pub(crate) struct Receipt<'a> {
    /// To whom.
    pub(crate) vehicle: &'a VehicleKey,
    /// The press, as the device named it.
    pub(crate) event_id: Option<&'a str>,
    /// The press's own time.
    pub(crate) event_time: Option<UtcMillis>,
    /// How far.
    pub(crate) state: ReceiptState,
    /// The alert; `None` for a duplicate of one no longer kept.
    pub(crate) alert: Option<&'a AlertId>,
    /// When.
    pub(crate) at: UtcMillis,
}

#[derive(Serialize)]
struct Body<'a> {
    event_id: Option<&'a str>,
    event_time: Option<String>,
    state: ReceiptState,
    alert_id: Option<String>,
    at: String,
}

impl Receipt<'_> {
    /// Topic and body, as the MQTT contract has them.
    pub(crate) fn message(&self, prefix: &str) -> (String, Vec<u8>) {
        let body = Body {
            event_id: self.event_id,
            event_time: self.event_time.map(|t| t.to_string()),
            state: self.state,
            alert_id: self.alert.map(ToString::to_string),
            at: self.at.to_string(),
        };
        let bytes = serde_json::to_vec(&body).expect("a struct of strings is always JSON");
        (format!("{prefix}/v1/receipt/{}", self.vehicle), bytes)
    }
}

#[cfg(test)]
mod tests {
    use transit::{AgencyId, VehicleId};

    use super::*;

    #[test]
    fn a_receipt_names_the_press_and_not_its_kind() {
        let vehicle = VehicleKey { agency: AgencyId::parse("22").unwrap(), vehicle: VehicleId::parse("8/00").unwrap() };
        let alert = AlertId::find("20261123-417").unwrap();
        let receipt = Receipt {
            vehicle: &vehicle,
            event_id: Some("e1"),
            event_time: Some(UtcMillis(0)),
            state: ReceiptState::Recorded,
            alert: Some(&alert),
            at: UtcMillis(1_000),
        };
        let (topic, body) = receipt.message("topis");
        assert_eq!(topic, "topis/v1/receipt/22/8%2F00");
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"event_id":"e1","event_time":"1970-01-01T00:00:00.000Z","state":"recorded","alert_id":"20261123-417","at":"1970-01-01T00:00:01.000Z"}"#
        );
    }
}
