//! New alerts that no device pressed for: from a rule's finding, and from an operator.

use transit::{Now, Status, UtcMillis};

use crate::{
    AlarmSource, Alert, AlertClass, AlertCondition, AlertId, AlertOrigin, Due, Evidence, Finding, Flap, OperatorAlert,
    Priority, Silence, Subject, raise::priority_of_kind,
};

/// Seven decimals of a degree, a centimetre: that many survive any JSON reader bit for bit.
fn degrees(value: Option<f64>) -> Option<f64> {
    value.filter(|d| d.is_finite()).map(|d| (d * 1e7).round() / 1e7)
}

impl OperatorAlert {
    /// The same, fit to be recorded.
    #[must_use]
    pub fn kept(&self) -> Self {
        Self { lat: degrees(self.lat), lon: degrees(self.lon), ..self.clone() }
    }
}

impl Evidence {
    /// The same, fit to be recorded: a place to the digits that replay exactly.
    #[must_use]
    pub fn kept(&self) -> Self {
        Self { lat: degrees(self.lat), lon: degrees(self.lon), ..self.clone() }
    }
}

impl Alert {
    /// The alert that `finding` raises.
    pub fn found(id: AlertId, finding: &Finding, now: Now) -> Self {
        let evidence = finding.evidence.kept();
        Self {
            rule: finding.rule.clone(),
            status: finding.status,
            priority: finding.priority,
            class: finding.class,
            latched: finding.latched || finding.class == AlertClass::Emergency,
            lat: evidence.lat,
            lon: evidence.lon,
            parents: if finding.class == AlertClass::Emergency { Vec::new() } else { finding.parents.clone() },
            evidence: Some(evidence),
            ..Self::blank(id, finding.subject.clone(), AlertOrigin::Detector, now.utc)
        }
    }

    /// The alert that an operator raises.
    pub fn reported(id: AlertId, said: &OperatorAlert, now: Now) -> Self {
        let own = priority_of_kind(said.kind, AlarmSource::Driver, None, Priority::P2);
        let class = said.kind.class();
        Self {
            rule: said.kind.rule().to_owned(),
            priority: said.priority.unwrap_or(own),
            class,
            kind: Some(said.kind),
            latched: class == AlertClass::Emergency,
            status: said.status,
            covert: said.covert.unwrap_or(said.kind.covert_by_default()),
            lat: degrees(said.lat),
            lon: degrees(said.lon),
            text: said.text.clone(),
            due: Due { expires_at: said.expires_at, ..Due::default() },
            ..Self::blank(id, said.subject.clone(), AlertOrigin::Operator, now.utc)
        }
    }

    fn blank(id: AlertId, subject: Subject, origin: AlertOrigin, at: UtcMillis) -> Self {
        Self {
            id,
            rule: String::new(),
            subject,
            priority: Priority::P3,
            class: AlertClass::System,
            kind: None,
            kind_word: None,
            source: None,
            feed: None,
            event_id: None,
            event_at: None,
            last_event_at: None,
            received_at: at,
            raised_at: at,
            last_seen_at: at,
            annunciated_at: at,
            condition: AlertCondition::Active,
            latched: false,
            source_normal_at: None,
            acknowledgement: None,
            previous_owner: None,
            count: 1,
            re_alarmed_count: None,
            status: Status::Actual,
            covert: false,
            retained: false,
            lat: None,
            lon: None,
            quality: Vec::new(),
            text: None,
            passengers: None,
            closing: None,
            history: Vec::new(),
            repeats_folded: 0,
            origin,
            evidence: None,
            accounted: Vec::new(),
            parents: Vec::new(),
            silence: Silence::default(),
            flap: Flap::default(),
            due: Due::default(),
            incident: None,
            annunciations: 0,
            cleared_at: None,
            hidden_seq: None,
            seq: 0,
            durable: true,
        }
    }
}
