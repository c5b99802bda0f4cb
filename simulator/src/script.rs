//! What people do in a scenario, and when: alarms pressed, incidents published, commands given. Knows nothing of how
//! it is carried out: the simulation publishes the messages, and whoever plays the scenario sends the commands.

use decode::formats::native::{AlarmBody, IncidentBody};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};
use transit::VehicleKey;

/// One thing done at one moment. Exactly one deed is given.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, try_from = "ActionFile")]
#[schemars(with = "ActionFile")]
pub struct Action {
    /// Seconds from the start of the scenario.
    pub at_s: f64,
    /// What is done.
    pub deed: Deed,
}

/// What is done.
#[derive(Debug, Clone)]
pub enum Deed {
    /// A vehicle's alarm.
    Alarm(AlarmDeed),
    /// A source's incident.
    Incident(IncidentDeed),
    /// A source takes its incident back.
    Withdraw(WithdrawDeed),
    /// Any bytes on any topic.
    Publish(PublishDeed),
    /// Every vehicle switches off where it stands.
    SwitchOff(SwitchOffDeed),
    /// An operator's command over HTTP.
    Command(CommandDeed),
}

/// An alarm of a vehicle.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlarmDeed {
    /// Whose, as `agency/vehicle`; a vehicle in service, drawn from the seed, when absent.
    #[serde(deserialize_with = "vehicle_key")]
    #[schemars(with = "Option<String>")]
    pub vehicle: Option<VehicleKey>,
    /// The body's fields; `event_id`, `event_time` and the vehicle's place are added unless given.
    #[schemars(with = "Map<String, Value>")]
    pub body: AlarmBody,
    /// Leave the place out, as a device without a fix does.
    pub without_place: bool,
}

/// A vehicle by its text form, `agency/vehicle`.
fn vehicle_key<'de, D: Deserializer<'de>>(from: D) -> Result<Option<VehicleKey>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let wrong = |error| de::Error::custom(format!("vehicle {text:?} {error}; write it as agency/vehicle"));
    VehicleKey::parse(&text).map(Some).map_err(wrong)
}

/// An incident of a source.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentDeed {
    /// Who reports it.
    pub source: String,
    /// Its id at the source.
    pub id: String,
    /// The body's fields; a place is added unless given.
    #[serde(default)]
    #[schemars(with = "Map<String, Value>")]
    pub body: IncidentBody,
}

/// An incident withdrawn: a message without a body.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawDeed {
    /// Who reported it.
    pub source: String,
    /// Its id at the source.
    pub id: String,
}

/// Any bytes on any topic: what strangers send.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishDeed {
    /// The topic; `{prefix}` stands for the configured prefix.
    pub topic: String,
    /// The text sent.
    #[serde(default)]
    pub text: String,
    /// How often the text is repeated within the one message.
    #[serde(default = "once")]
    pub times: usize,
    /// With the retain flag.
    #[serde(default)]
    pub retain: bool,
}

fn once() -> usize {
    1
}

/// Every vehicle signs off and falls silent where it stands.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchOffDeed {
    /// Within so many seconds, each at its own time.
    #[serde(default)]
    pub within_s: f64,
}

/// A command over HTTP, on whatever a list shows first.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandDeed {
    /// The list that is asked, again and again for ten seconds, until it shows something.
    pub find: Option<String>,
    /// Where to POST; `{id}` stands for the first record's `id`.
    pub post: String,
    /// The JSON body.
    #[serde(default)]
    pub body: Map<String, Value>,
    /// The HTTP status that is right.
    #[serde(default = "ok_status")]
    pub status: u16,
}

fn ok_status() -> u16 {
    200
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ActionFile {
    /// Seconds from the start of the scenario.
    at_s: f64,
    /// A vehicle's alarm.
    alarm: Option<AlarmDeed>,
    /// A source's incident.
    incident: Option<IncidentDeed>,
    /// A source takes its incident back.
    withdraw: Option<WithdrawDeed>,
    /// Any bytes on any topic.
    publish: Option<PublishDeed>,
    /// Every vehicle switches off where it stands.
    switch_off: Option<SwitchOffDeed>,
    /// An operator's command over HTTP.
    command: Option<CommandDeed>,
}

impl TryFrom<ActionFile> for Action {
    type Error = String;

    fn try_from(file: ActionFile) -> Result<Self, String> {
        let mut deeds = [
            file.alarm.map(Deed::Alarm),
            file.incident.map(Deed::Incident),
            file.withdraw.map(Deed::Withdraw),
            file.publish.map(Deed::Publish),
            file.switch_off.map(Deed::SwitchOff),
            file.command.map(Deed::Command),
        ]
        .into_iter()
        .flatten();
        match (deeds.next(), deeds.next()) {
            (Some(deed), None) => Ok(Self { at_s: file.at_s, deed }),
            (None, _) => Err(format!("the action at {} s does nothing", file.at_s)),
            (Some(_), Some(_)) => Err(format!("the action at {} s does more than one thing", file.at_s)),
        }
    }
}
