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
    /// An office's hazard message in CAP.
    Cap(CapDeed),
    /// Many vehicles press at once.
    Storm(StormDeed),
    /// A device flaps.
    Flap(FlapDeed),
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
    /// Seconds from its publication at which it begins: what is planned is `upcoming` until then.
    pub begins_in_s: Option<f64>,
    /// Seconds from its publication at which it ends.
    pub ends_in_s: Option<f64>,
}

/// A hazard message in CAP 1.2, on `{prefix}/v1/cap/<sender>`; the service needs a feed of format `cap` to read it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapDeed {
    /// Who warns: no spaces, commas, < and &.
    pub sender: String,
    /// The message's own id, as the sender's.
    pub identifier: String,
    /// Alert, Update or Cancel.
    #[serde(default = "alert")]
    pub msg_type: String,
    /// Actual, Exercise or Test.
    #[serde(default = "actual")]
    pub status: String,
    /// Earlier messages of the sender that it replaces or takes back.
    #[serde(default)]
    pub references: Vec<EarlierCap>,
    /// What is warned of. None makes a message without a block of info, as a Cancel often is.
    pub info: Option<CapInfo>,
}

/// An earlier message, and when in the scenario it was sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlierCap {
    /// Its id.
    pub identifier: String,
    /// Seconds from the start of the scenario.
    pub at_s: f64,
}

/// What a hazard message says.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapInfo {
    /// Met, Geo, Fire ..
    #[serde(default = "met")]
    pub category: String,
    /// In a few words.
    pub event: String,
    /// Immediate, Expected, Future, Past, Unknown.
    #[serde(default = "expected")]
    pub urgency: String,
    /// Extreme, Severe, Moderate, Minor, Unknown.
    pub severity: String,
    /// Observed, Likely, Possible, Unlikely, Unknown.
    #[serde(default = "likely")]
    pub certainty: String,
    /// Language tag.
    #[serde(default = "korean")]
    pub language: String,
    /// Short text.
    pub headline: String,
    /// Long text.
    #[serde(default)]
    pub description: String,
    /// Seconds from its sending at which it expires.
    pub expires_in_s: Option<f64>,
    /// What the area is called.
    pub area: String,
    /// `lat,lon lat,lon ..`, closed.
    pub polygon: Option<String>,
    /// `lat,lon radius`, in kilometres.
    pub circle: Option<String>,
}

/// Many vehicles that nobody has heard of press at once: alarms of as many agencies' vehicles `storm/00001` and up.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StormDeed {
    /// How many.
    pub count: u32,
    /// Seconds within which they press, evenly spread.
    #[serde(default)]
    pub within_s: f64,
    /// The body's fields of each.
    #[schemars(with = "Map<String, Value>")]
    pub body: AlarmBody,
}

/// A device on board that flaps: in alarm and normal again, over and over.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlapDeed {
    /// Whose, as `agency/vehicle`.
    #[serde(deserialize_with = "vehicle_key")]
    #[schemars(with = "String")]
    pub vehicle: Option<VehicleKey>,
    /// How often it is in alarm.
    pub times: u32,
    /// Seconds from one alarm to the next; it is normal again in the middle.
    pub every_s: f64,
    /// The body's fields of each alarm.
    #[schemars(with = "Map<String, Value>")]
    pub body: AlarmBody,
}

fn alert() -> String {
    "Alert".to_owned()
}
fn actual() -> String {
    "Actual".to_owned()
}
fn met() -> String {
    "Met".to_owned()
}
fn expected() -> String {
    "Expected".to_owned()
}
fn likely() -> String {
    "Likely".to_owned()
}
fn korean() -> String {
    "ko-KR".to_owned()
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

impl Action {
    /// The single deeds that it stands for: a storm and a flapping device are many alarms.
    pub(crate) fn single(self) -> Vec<Self> {
        let at = |at_s: f64, alarm: AlarmDeed| Self { at_s, deed: Deed::Alarm(alarm) };
        match &self.deed {
            Deed::Storm(storm) => (0..storm.count)
                .map(|number| {
                    let vehicle = VehicleKey::parse(&format!("storm/{:05}", number + 1)).ok();
                    let wait = storm.within_s * f64::from(number) / f64::from(storm.count);
                    at(self.at_s + wait, AlarmDeed { vehicle, body: storm.body.clone(), without_place: true })
                })
                .collect(),
            Deed::Flap(flap) => (0..flap.times.saturating_mul(2))
                .map(|half| {
                    let state = Some(if half % 2 == 0 { "raised" } else { "ended" }.to_owned());
                    let body = AlarmBody { state, ..flap.body.clone() };
                    let wait = flap.every_s * f64::from(half) / 2.0;
                    at(self.at_s + wait, AlarmDeed { vehicle: flap.vehicle.clone(), body, without_place: false })
                })
                .collect(),
            Deed::Alarm(_)
            | Deed::Incident(_)
            | Deed::Withdraw(_)
            | Deed::Cap(_)
            | Deed::Publish(_)
            | Deed::SwitchOff(_)
            | Deed::Command(_) => vec![self],
        }
    }
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
    /// An office's hazard message in CAP.
    cap: Option<CapDeed>,
    /// Many vehicles press at once.
    storm: Option<StormDeed>,
    /// A device flaps.
    flap: Option<FlapDeed>,
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
            file.cap.map(Deed::Cap),
            file.storm.map(Deed::Storm),
            file.flap.map(Deed::Flap),
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
