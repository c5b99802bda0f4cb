//! `topis-sim send`: publishes one message. Knows what each flag means; how it is written, `decode` knows.

use clap::{Args, Subcommand};
use decode::{
    Feeds, Frame,
    formats::native::{self, AlarmBody, IncidentBody},
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use simulator::Outgoing;
use transit::{
    AgencyId, FeedId, Fix, Journey, JourneyState, Mode, Observation, RouteId, Significance, StopId, StopReference,
    StopStatus, StopStatusReport, TimeError, TripId, UtcMillis, VehicleId, VehicleKey, Word,
};

use super::{
    BrokerArgs, Failure,
    broker::{Address, publish_one},
    output::Lines,
};

#[derive(Debug, Args)]
#[command(after_help = r#"Examples:
  topis-sim send position --agency 0012 --vehicle 00031 --lat 37.5665 --lon 126.978 --route 101
  topis-sim send alarm --agency 0012 --vehicle 00031 --kind panic --text 'Help'
  topis-sim send incident --source radio --id 42 --kind fire --lat 37.5665 --lon 126.978 --title 'Shop on fire'
  topis-sim send incident --kind road_works --field 'affects=[{"route_id":"101"}]'
  topis-sim send incident --source radio --id 42 --withdraw

An incident needs a place: --lat and --lon, or a --field with affects or geometry. --raw sends anything. What was sent is printed on stdout once the broker has acknowledged it."#)]
pub(crate) struct SendArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A vehicle's position.
    Position(PositionArgs),
    /// A vehicle's alarm.
    Alarm(AlarmArgs),
    /// A source's incident.
    Incident(IncidentArgs),
}

/// Whose message, and from when.
#[derive(Debug, Args)]
struct VehicleArgs {
    /// The owner.
    #[arg(long, default_value = "0012", value_parser = AgencyId::parse)]
    agency: AgencyId,
    /// The number.
    #[arg(long, default_value = "00001", value_parser = VehicleId::parse)]
    vehicle: VehicleId,
    /// The device's time, RFC 3339; now when absent.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    event_time: Option<UtcMillis>,
}

impl VehicleArgs {
    fn key(&self) -> VehicleKey {
        VehicleKey { agency: self.agency.clone(), vehicle: self.vehicle.clone() }
    }
}

/// What every message may carry.
#[derive(Debug, Args)]
struct BodyArgs {
    #[command(flatten)]
    broker: BrokerArgs,
    /// Latitude.
    #[arg(long, allow_negative_numbers = true, requires = "lon", value_parser = |text: &str| degrees(text, 90.0))]
    lat: Option<f64>,
    /// Longitude.
    #[arg(long, allow_negative_numbers = true, requires = "lat", value_parser = |text: &str| degrees(text, 180.0))]
    lon: Option<f64>,
    /// Any further field, or another value for one of these; the value is JSON, or text when it is none.
    #[arg(long = "field", value_name = "KEY=VALUE", value_parser = field)]
    fields: Vec<(String, Value)>,
    /// Exactly this text as body, instead of any field.
    #[arg(long, value_name = "TEXT")]
    raw: Option<String>,
    /// With the retain flag.
    #[arg(long)]
    retain: bool,
}

#[derive(Debug, Args)]
struct PositionArgs {
    #[command(flatten)]
    whose: VehicleArgs,
    #[command(flatten)]
    body: BodyArgs,
    /// Degrees clockwise from north.
    #[arg(long)]
    bearing: Option<f32>,
    /// Metres a second.
    #[arg(long)]
    speed_mps: Option<f32>,
    /// Route.
    #[arg(long, value_parser = RouteId::parse)]
    route: Option<RouteId>,
    /// Direction, 0 or 1.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=1))]
    direction: Option<u8>,
    /// Trip.
    #[arg(long, value_parser = TripId::parse)]
    trip: Option<TripId>,
    /// Stop it is at or going to.
    #[arg(long, value_parser = StopId::parse)]
    stop: Option<StopId>,
    /// INCOMING_AT, STOPPED_AT or IN_TRANSIT_TO.
    #[arg(long, value_parser = word::<StopStatus>)]
    stop_status: Option<StopStatus>,
    /// Seconds late; negative is early.
    #[arg(long, allow_negative_numbers = true)]
    delay_s: Option<i32>,
    /// Any door open.
    #[arg(long)]
    doors_open: Option<bool>,
    /// Kind of vehicle: bus, tram, metro, ...
    #[arg(long, value_parser = word::<Mode>)]
    mode: Option<Mode>,
    /// in_service, upcoming, deadrun, layover or signed_off.
    #[arg(long, value_parser = word::<JourneyState>)]
    journey_state: Option<JourneyState>,
}

#[derive(Debug, Args)]
struct AlarmArgs {
    #[command(flatten)]
    whose: VehicleArgs,
    #[command(flatten)]
    body: BodyArgs,
    /// panic, assault, fire, evacuation, collision, medical, breakdown, call_request, ...
    #[arg(long, default_value = "panic")]
    kind: String,
    /// driver, passenger or device.
    #[arg(long, default_value = "driver")]
    source: String,
    /// Its id at the device; a fresh one when absent.
    #[arg(long)]
    event_id: Option<String>,
    /// raised, or ended when the source is normal again.
    #[arg(long)]
    state: Option<String>,
    /// Whether nothing may give it away; the kind decides when absent.
    #[arg(long)]
    covert: Option<bool>,
    /// actual, exercise or test.
    #[arg(long)]
    status: Option<String>,
    /// What is going on.
    #[arg(long)]
    text: Option<String>,
    /// Passengers on board.
    #[arg(long)]
    passengers: Option<u32>,
}

#[derive(Debug, Args)]
struct IncidentArgs {
    #[command(flatten)]
    body: BodyArgs,
    /// Who reports it.
    #[arg(long, default_value = "topis-sim")]
    source: String,
    /// Its id at the source; a fresh one when absent.
    #[arg(long, required_if_eq("withdraw", "true"))]
    id: Option<String>,
    /// crash, fire, flood, road_works, rally, ...
    #[arg(long, default_value = "crash")]
    kind: String,
    /// minor, moderate, severe or extreme; the kind decides when absent.
    #[arg(long)]
    severity: Option<String>,
    /// Metres around its place; the kind decides when absent.
    #[arg(long)]
    radius_m: Option<f64>,
    /// Higher replaces lower.
    #[arg(long)]
    version: Option<u64>,
    /// active or closed.
    #[arg(long)]
    state: Option<String>,
    /// A few words.
    #[arg(long)]
    title: Option<String>,
    /// The whole story.
    #[arg(long)]
    text: Option<String>,
    /// Take it back: an empty, retained message.
    #[arg(long)]
    withdraw: bool,
}

fn field(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text.split_once('=').ok_or("is not KEY=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((key.to_owned(), value))
}

fn instant(text: &str) -> Result<UtcMillis, TimeError> {
    UtcMillis::parse_rfc3339(text)
}

fn degrees(text: &str, most: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(degrees) if (-most..=most).contains(&degrees) => Ok(degrees),
        _ => Err(format!("is no number from -{most} to {most}; --field sends others")),
    }
}

fn word<W: Word>(text: &str) -> Result<W, String> {
    W::find(text).ok_or_else(|| {
        let known: Vec<&str> = W::ALL.iter().map(|word| word.word()).collect();
        format!("is none of {}; --field sends others", known.join(", "))
    })
}

pub(crate) async fn send(args: SendArgs) -> Result<(), Failure> {
    let now = UtcMillis::from(Timestamp::now());
    // Fresh for every call: the process tells two calls of one millisecond apart.
    let fresh = format!("sim-{}-{}", now.0, std::process::id());
    let (broker, message) = match args.what {
        What::Position(position) => position_message(position, now),
        What::Alarm(alarm) => alarm_message(alarm, now, fresh),
        What::Incident(incident) => incident_message(incident, now, fresh)?,
    };
    publish_one(&Address::read(&broker)?, message.clone()).await?;
    let body = String::from_utf8_lossy(&message.payload);
    let body: Value = serde_json::from_str(&body).unwrap_or_else(|_| Value::from(body.into_owned()));
    let mut lines = Lines::new();
    lines.put(&json!({"topic": message.topic, "retain": message.retain, "body": body}))?;
    lines.finish()
}

impl BodyArgs {
    /// The message: what was said by a flag of its own and the further fields over it, or the raw text instead of all.
    fn message(self, topic: String, encoded: Vec<u8>, retain: bool, at: UtcMillis) -> (BrokerArgs, Outgoing) {
        let payload = match self.raw {
            Some(raw) => raw.into_bytes(),
            None => with_fields(encoded, self.fields),
        };
        let retain = retain || self.retain;
        (self.broker, Outgoing { at, topic, payload, qos: 1, retain, control: None })
    }
}

/// An encoded body with fields added or replaced.
fn with_fields(encoded: Vec<u8>, fields: Vec<(String, Value)>) -> Vec<u8> {
    if fields.is_empty() {
        return encoded;
    }
    let mut body: Map<String, Value> = serde_json::from_slice(&encoded).unwrap_or_default();
    body.extend(fields);
    Value::Object(body).to_string().into_bytes()
}

fn position_message(args: PositionArgs, now: UtcMillis) -> (BrokerArgs, Outgoing) {
    let place = args.body.lat.zip(args.body.lon).map_or_else(Fix::default, |(lat, lon)| Fix::at(lat, lon));
    let status = args.stop_status.map(|status| StopStatusReport { stop_id: args.stop.clone(), status });
    let said = Observation {
        vehicle: args.whose.key(),
        feed: FeedId::parse(native::CODE).expect("the format's code is short and plain"),
        event_time: args.whose.event_time.unwrap_or(now),
        boot: None,
        seq: None,
        significance: Significance::Plain,
        content: 0,
        mode: args.mode,
        position: Some(Fix { bearing: args.bearing, speed_mps: args.speed_mps, ..place }),
        doors_open: args.doors_open,
        stop: args.stop.map(|stop| StopReference { stop_id: Some(stop), current_stop_sequence: None }),
        stop_status: status,
        delay_s: args.delay_s,
        occupancy: None,
        journey: Some(Journey {
            state: args.journey_state,
            route_id: args.route,
            direction_id: args.direction,
            trip_id: args.trip,
            ..Journey::default()
        }),
        upcoming: None,
        retained: false,
    };
    let topic = native::position_topic(&args.body.broker.prefix, &said.vehicle);
    args.body.message(topic, native::encode_position(&said), false, now)
}

fn alarm_message(args: AlarmArgs, now: UtcMillis, fresh: String) -> (BrokerArgs, Outgoing) {
    let said = AlarmBody {
        event_id: Some(args.event_id.unwrap_or(fresh)),
        event_time: Some(args.whose.event_time.unwrap_or(now).to_string()),
        kind: Some(args.kind),
        source: Some(args.source),
        state: args.state,
        covert: args.covert,
        status: args.status,
        lat: args.body.lat,
        lon: args.body.lon,
        text: args.text,
        passengers: args.passengers,
        ..AlarmBody::default()
    };
    let topic = native::alarm_topic(&args.body.broker.prefix, &args.whose.key());
    args.body.message(topic, native::encode_alarm(&said), false, now)
}

fn incident_message(args: IncidentArgs, now: UtcMillis, fresh: String) -> Result<(BrokerArgs, Outgoing), Failure> {
    let topic = native::incident_topic(&args.body.broker.prefix, &args.source, args.id.as_deref().unwrap_or(&fresh));
    // Incidents are retained: whoever connects later must learn of them.
    if args.withdraw {
        let message = Outgoing { at: now, topic, payload: Vec::new(), qos: 1, retain: true, control: None };
        return Ok((args.body.broker, message));
    }
    let said = IncidentBody {
        kind: args.kind,
        version: args.version,
        state: args.state,
        severity: args.severity,
        lat: args.body.lat,
        lon: args.body.lon,
        radius_m: args.radius_m,
        title: args.title,
        text: args.text.map(Value::from),
        ..IncidentBody::default()
    };
    let is_raw = args.body.raw.is_some();
    let (broker, message) = args.body.message(topic, native::encode_incident(&said), true, now);
    if !is_raw {
        taken_by_the_service(&broker.prefix, &message)?;
    }
    Ok((broker, message))
}

/// Asks the service's own decoder: what it refuses would only be a line in somebody's log.
fn taken_by_the_service(prefix: &str, message: &Outgoing) -> Result<(), Failure> {
    let feeds = Feeds::new(prefix, Feeds::defaults()).map_err(|errors| {
        Failure::Usage(errors.iter().map(|error| format!("--prefix: {error}")).collect::<Vec<_>>().join("\n"))
    })?;
    let Outgoing { topic, payload, retain, at, .. } = message;
    let decoded = feeds.decode(&Frame { topic, payload, retained: *retain, dup: false, received_at: *at });
    match decoded.problems.first() {
        Some(problem) if decoded.messages.is_empty() => Err(Failure::Usage(format!(
            "the service would refuse this incident: it {}\n  add a place: `--lat 37.5665 --lon 126.978`, or a field: \
             `--field 'affects=[{{\"route_id\":\"101\"}}]'`; `--raw` sends anything",
            problem.detail
        ))),
        _ => Ok(()),
    }
}
