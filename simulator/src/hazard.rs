//! Hazard messages in CAP 1.2, as a weather office writes them. Knows no clock: instants are arguments.

use std::fmt::Write as _;

use transit::UtcMillis;

use crate::script::{CapDeed, CapInfo};

/// Where the office's messages go.
pub(crate) fn topic(prefix: &str, deed: &CapDeed) -> String {
    format!("{prefix}/v1/cap/{}", deed.sender)
}

/// The message sent at `at` of a scenario that began at `start`.
pub(crate) fn message(deed: &CapDeed, start: UtcMillis, at: UtcMillis) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    xml += "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">";
    element(&mut xml, "identifier", &deed.identifier);
    element(&mut xml, "sender", &deed.sender);
    element(&mut xml, "sent", &time(at));
    element(&mut xml, "status", &deed.status);
    element(&mut xml, "msgType", &deed.msg_type);
    element(&mut xml, "scope", "Public");
    let triple = |earlier: &crate::script::EarlierCap| {
        format!("{},{},{}", deed.sender, earlier.identifier, time(after(start, earlier.at_s)))
    };
    let references: Vec<String> = deed.references.iter().map(triple).collect();
    optional(&mut xml, "references", &references.join(" "));
    if let Some(said) = &deed.info {
        info(&mut xml, said, at);
    }
    xml + "</alert>"
}

fn info(xml: &mut String, said: &CapInfo, at: UtcMillis) {
    *xml += "<info>";
    element(xml, "language", &said.language);
    element(xml, "category", &said.category);
    element(xml, "event", &said.event);
    element(xml, "urgency", &said.urgency);
    element(xml, "severity", &said.severity);
    element(xml, "certainty", &said.certainty);
    if let Some(wait_s) = said.expires_in_s {
        element(xml, "expires", &time(after(at, wait_s)));
    }
    element(xml, "headline", &said.headline);
    optional(xml, "description", &said.description);
    *xml += "<area>";
    element(xml, "areaDesc", &said.area);
    optional(xml, "polygon", said.polygon.as_deref().unwrap_or_default());
    optional(xml, "circle", said.circle.as_deref().unwrap_or_default());
    *xml += "</area></info>";
}

fn after(start: UtcMillis, wait_s: f64) -> UtcMillis {
    start.plus_millis((wait_s * 1000.0) as i64)
}

/// As CAP has it: whole seconds and a numeric offset.
fn time(at: UtcMillis) -> String {
    at.timestamp().strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

fn optional(xml: &mut String, name: &str, text: &str) {
    if !text.is_empty() {
        element(xml, name, text);
    }
}

fn element(xml: &mut String, name: &str, text: &str) {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    // A text cannot refuse to be written to.
    write!(xml, "<{name}>{escaped}</{name}>").expect("a String takes any text");
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::script::EarlierCap;

    #[test]
    fn an_update_names_what_it_replaces() {
        let deed = CapDeed {
            sender: "kma.go.kr".to_owned(),
            identifier: "W2".to_owned(),
            msg_type: "Update".to_owned(),
            status: "Actual".to_owned(),
            references: vec![EarlierCap { identifier: "W1".to_owned(), at_s: 10.0 }],
            info: None,
        };
        let start = UtcMillis(1_795_420_800_000);
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>W2</identifier><sender>kma.go.kr</sender><sent>2026-11-23T08:00:30+00:00</sent><status>Actual</status><msgType>Update</msgType><scope>Public</scope><references>kma.go.kr,W1,2026-11-23T08:00:10+00:00</references></alert>"#]].assert_eq(&message(&deed, start, after(start, 30.5)));
    }
}
