//! The whole city through time: who wakes next, what it says, what becomes of it. Knows no clock: time is what
//! [`Simulation::advance`] is told.
//!
//! Everything happens in one order, by instant and then by vehicle, and every draw belongs to a thing and a purpose:
//! hence the same bytes however time is cut.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use decode::formats::{
    hfp::{self, HfpEvent, LastTopic},
    native,
};
use jiff::ToSpan;
use transit::{Mode, ServiceDate, ServiceTime, UtcMillis, VehicleKey};

use crate::{
    city::City,
    dice::{Dice, Purpose},
    faults::{Active, Control, FaultEntry, Parcel},
    fleet::{Calendar, Truth, Vehicle, World},
    hazard,
    scenario::ScenarioError,
    script::{Action, AlarmDeed, Deed, IncidentDeed},
};

/// How a city is simulated.
#[derive(Debug, Clone)]
pub struct SimulationOptions {
    /// What everything is drawn from, the city apart.
    pub seed: u64,
    /// The first instant.
    pub start: UtcMillis,
    /// The service day then.
    pub service_date: ServiceDate,
    /// What the city's clocks show then.
    pub clock: ServiceTime,
    /// Milliseconds between two reports of a vehicle.
    pub interval_ms: u32,
    /// Share of the street lines that report in HFP, 0 to 1.
    pub hfp_share: f64,
    /// First level of native topics.
    pub prefix: String,
    /// Quality of service of positions, 0 or 1; alarms and incidents always have 1.
    pub position_qos: u8,
    /// What goes wrong.
    pub faults: Vec<FaultEntry>,
    /// What people do.
    pub script: Vec<Action>,
}

impl Default for SimulationOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            // 08:00 on 24 November 2026 in Seoul.
            start: UtcMillis(1_795_474_800_000),
            service_date: ServiceDate(jiff::civil::date(2026, 11, 24)),
            clock: ServiceTime(8 * 3600),
            interval_ms: 1000,
            hfp_share: 0.2,
            prefix: "topis".to_owned(),
            position_qos: 0,
            faults: Vec::new(),
            script: Vec::new(),
        }
    }
}

/// A message to publish, or something to do to the connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// When.
    pub at: UtcMillis,
    /// The topic.
    pub topic: String,
    /// The body.
    pub payload: Vec<u8>,
    /// Quality of service.
    pub qos: u8,
    /// The retain flag.
    pub retain: bool,
    /// When present, this is no message: topic and body are empty.
    pub control: Option<Control>,
}

/// A city at work.
pub struct Simulation {
    world: World,
    options: SimulationOptions,
    now: UtcMillis,
    vehicles: Vec<Vehicle>,
    last_topics: Vec<LastTopic>,
    wakes: BinaryHeap<Reverse<(i64, u32)>>,
    /// Deeds not yet done, the next one last.
    script: Vec<Action>,
    faults: Vec<Active>,
    /// What is on its way, by arrival and then by order of sending.
    on_the_way: BTreeMap<(i64, u64), Outgoing>,
    sent: u64,
    alarms: u64,
}

impl Simulation {
    /// Sets every vehicle to where it should be at the start.
    ///
    /// # Errors
    /// A fault that does not exist or has bad options.
    pub fn new(city: City, options: SimulationOptions) -> Result<Self, ScenarioError> {
        let start = options.start.0;
        let day_start = options.start.plus_millis(-i64::from(options.clock.0) * 1000);
        let calendar = Calendar { day_start, dates: dates(options.service_date) };
        let mut faults = Vec::with_capacity(options.faults.len());
        for (number, entry) in options.faults.iter().enumerate() {
            faults.push(entry.activate(&city, options.seed, number as u64, start)?);
        }
        let speaks_hfp = |line: usize| {
            let on_street = city.lines[line].mode != Mode::Metro;
            on_street && Dice::new(options.seed, Purpose::Format, line as u64, 0).chance(options.hfp_share)
        };
        let hfp_lines: Vec<bool> = (0..city.lines.len()).map(speaks_hfp).collect();
        let world = World::new(city, calendar, options.seed, options.interval_ms);
        let vehicles: Vec<Vehicle> = (world.city.vehicles.iter().enumerate())
            .map(|(index, roster)| Vehicle::at(&world, index, start, hfp_lines[roster.line]))
            .collect();
        let mut script: Vec<Action> = options.script.iter().cloned().flat_map(Action::single).collect();
        script.retain(|action| !matches!(action.deed, Deed::Command(_)));
        script.sort_by(|a, b| b.at_s.total_cmp(&a.at_s));
        let mut simulation = Self {
            last_topics: vec![LastTopic::default(); vehicles.len()],
            now: options.start,
            world,
            wakes: wakes(&vehicles),
            vehicles,
            script,
            faults,
            on_the_way: BTreeMap::new(),
            sent: 0,
            alarms: 0,
            options,
        };
        simulation.plan_controls();
        Ok(simulation)
    }

    /// Everything that leaves from where the simulation stands up to, and not including, `until`; in order of time.
    pub fn advance(&mut self, until: UtcMillis) -> Vec<Outgoing> {
        let mut out = Vec::new();
        loop {
            let wake = self.wakes.peek().map_or(i64::MAX, |Reverse((at, _))| *at);
            let deed = self.script.last().map_or(i64::MAX, |action| self.deed_at(action));
            let next = wake.min(deed);
            if next >= until.0 {
                break;
            }
            self.arrive(next + 1, &mut out);
            if deed <= wake {
                if let Some(action) = self.script.pop() {
                    self.act(&action, deed, &mut out);
                }
            } else if let Some(Reverse((at, index))) = self.wakes.pop() {
                self.wake(index as usize, at, &mut out);
                self.wakes.push(Reverse((self.vehicles[index as usize].next_wake(), index)));
            }
        }
        self.arrive(until.0, &mut out);
        self.now = self.now.max(until);
        out
    }

    /// The city.
    pub fn city(&self) -> &City {
        &self.world.city
    }

    /// Where the simulation stands.
    pub fn now(&self) -> UtcMillis {
        self.now
    }

    /// Where every vehicle truly is now, faults or no faults.
    pub fn truth(&self) -> impl Iterator<Item = Truth> + '_ {
        self.vehicles.iter().map(|vehicle| vehicle.truth(&self.world, self.now.0))
    }

    fn deed_at(&self, action: &Action) -> i64 {
        self.options.start.0 + (action.at_s * 1000.0) as i64
    }

    fn wake(&mut self, index: usize, at: i64, out: &mut Vec<Outgoing>) {
        if self.vehicles[index].phase_end <= at {
            let said = self.vehicles[index].turn(&self.world, at);
            if self.vehicles[index].speaks_hfp {
                for kind in said {
                    self.report(index, at, *kind, out);
                }
            } else if !said.is_empty() {
                // The native format has one message for everything that changes at a moment.
                self.report(index, at, HfpEvent::Vp, out);
            }
        }
        let vehicle = &self.vehicles[index];
        if vehicle.is_on() && vehicle.next_report <= at {
            let announces = vehicle.announces(&self.world, at);
            self.vehicles[index].next_report = at + self.world.interval_ms;
            self.report(index, at, HfpEvent::Vp, out);
            if announces {
                self.write(index, at, HfpEvent::Vp, true, out);
            }
        }
    }

    fn report(&mut self, index: usize, at: i64, kind: HfpEvent, out: &mut Vec<Outgoing>) {
        self.write(index, at, kind, false, out);
    }

    fn write(&mut self, index: usize, at: i64, kind: HfpEvent, announced: bool, out: &mut Vec<Outgoing>) {
        self.vehicles[index].count();
        let vehicle = &self.vehicles[index];
        let mut said = vehicle.observation(&self.world, at, announced);
        for fault in &mut self.faults {
            fault.distort(index, at, &mut said);
        }
        let (topic, payload) = if vehicle.speaks_hfp {
            hfp::encode(&said, &vehicle.hfp_words(&self.world, kind), &mut self.last_topics[index])
        } else {
            (native::position_topic(&self.options.prefix, &said.vehicle), native::encode_position(&said))
        };
        let qos = self.options.position_qos;
        let outgoing = Outgoing { at: UtcMillis(at), topic, payload, qos, retain: false, control: None };
        self.send(Parcel { vehicle: Some(index), is_position: true, outgoing }, at, out);
    }

    /// Passes a message through the faults and on to `out`, or to what is on its way.
    fn send(&mut self, parcel: Parcel, now: i64, out: &mut Vec<Outgoing>) {
        if self.faults.is_empty() {
            out.push(parcel.outgoing);
            return;
        }
        let mut parcels = vec![parcel];
        for fault in &mut self.faults {
            let mut onward = Vec::with_capacity(parcels.len());
            for parcel in parcels {
                fault.relay(parcel, &mut onward);
            }
            parcels = onward;
        }
        for parcel in parcels {
            if parcel.outgoing.at.0 <= now {
                out.push(parcel.outgoing);
            } else {
                self.sent += 1;
                self.on_the_way.insert((parcel.outgoing.at.0, self.sent), parcel.outgoing);
            }
        }
    }

    /// Moves what arrives before `until` to `out`.
    fn arrive(&mut self, until: i64, out: &mut Vec<Outgoing>) {
        while let Some(first) = self.on_the_way.first_entry().filter(|first| first.key().0 < until) {
            out.push(first.remove());
        }
    }

    fn plan_controls(&mut self) {
        let planned: Vec<(i64, Control)> = self.faults.iter().flat_map(Active::controls).collect();
        for (at, control) in planned {
            self.sent += 1;
            let outgoing = Outgoing {
                at: UtcMillis(at),
                topic: String::new(),
                payload: Vec::new(),
                qos: 0,
                retain: false,
                control: Some(control),
            };
            self.on_the_way.insert((at, self.sent), outgoing);
        }
    }

    fn act(&mut self, action: &Action, at: i64, out: &mut Vec<Outgoing>) {
        match &action.deed {
            Deed::Alarm(alarm) => self.press(alarm, at, out),
            Deed::Incident(incident) => self.publish_incident(incident, at, out),
            Deed::Withdraw(withdraw) => {
                let topic = native::incident_topic(&self.options.prefix, &withdraw.source, &withdraw.id);
                self.publish(None, topic, Vec::new(), true, at, out);
            }
            Deed::Publish(publish) => {
                let topic = publish.topic.replace("{prefix}", &self.options.prefix);
                self.publish(None, topic, publish.text.repeat(publish.times).into_bytes(), publish.retain, at, out);
            }
            Deed::Cap(cap) => {
                let topic = hazard::topic(&self.options.prefix, cap);
                let text = hazard::message(cap, self.options.start, UtcMillis(at));
                self.publish(None, topic, text.into_bytes(), false, at, out);
            }
            Deed::SwitchOff(order) => self.switch_off(order.within_s, at),
            // Storms and flaps are single alarms by now, and commands go over HTTP.
            Deed::Storm(_) | Deed::Flap(_) | Deed::Command(_) => {}
        }
    }

    fn press(&mut self, alarm: &AlarmDeed, at: i64, out: &mut Vec<Outgoing>) {
        self.alarms += 1;
        let index = self.vehicle_named(alarm.vehicle.as_ref());
        let key = match (&alarm.vehicle, index) {
            (_, Some(index)) => self.vehicles[index].key().clone(),
            // A vehicle nobody knows may press too.
            (Some(stranger), None) => stranger.clone(),
            (None, None) => return,
        };
        let mut body = alarm.body.clone();
        body.event_id.get_or_insert_with(|| format!("{}-{}", key.vehicle, self.alarms));
        body.event_time.get_or_insert_with(|| UtcMillis(at).to_string());
        let truth = index.filter(|_| !alarm.without_place).map(|index| self.vehicles[index].truth(&self.world, at));
        if let Some(truth) = truth.filter(|_| body.lat.is_none() && body.lon.is_none()) {
            (body.lat, body.lon) = (Some(truth.lat), Some(truth.lon));
        }
        let payload = native::encode_alarm(&body);
        let topic = native::alarm_topic(&self.options.prefix, &key);
        self.publish(index, topic, payload, false, at, out);
    }

    /// The vehicle of that name; without a name one in service, else one that is on, drawn from the seed.
    fn vehicle_named(&self, key: Option<&VehicleKey>) -> Option<usize> {
        if let Some(key) = key {
            return self.vehicles.iter().position(|vehicle| vehicle.key() == key);
        }
        let on = |wanted: fn(&Vehicle) -> bool| -> Vec<usize> {
            let has_fix = |index: &usize| {
                let line = self.world.city.vehicles[*index].line;
                self.world.city.lines[line].mode != Mode::Metro
            };
            (0..self.vehicles.len()).filter(|index| wanted(&self.vehicles[*index])).filter(has_fix).collect()
        };
        let serving = on(Vehicle::in_service);
        let among = if serving.is_empty() { on(Vehicle::is_on) } else { serving };
        let drawn = Dice::new(self.options.seed, Purpose::Script, self.alarms, 0).below(among.len());
        among.get(drawn).copied()
    }

    fn publish_incident(&mut self, incident: &IncidentDeed, at: i64, out: &mut Vec<Outgoing>) {
        // Without a place of its own it happens where some vehicle is: there it matters.
        let near = self.vehicle_named(None).map(|index| self.vehicles[index].truth(&self.world, at));
        let mut body = incident.body.clone();
        let is_placed = body.geometry.is_some() || body.lat.is_some() || body.lon.is_some();
        if let Some(truth) = near.filter(|_| !is_placed) {
            (body.lat, body.lon) = (Some(truth.lat), Some(truth.lon));
        }
        let instant = |wait_s: f64| UtcMillis(at).plus_millis((wait_s * 1000.0) as i64).to_string();
        if incident.begins_in_s.is_some() || incident.ends_in_s.is_some() {
            let (start, end) = (incident.begins_in_s.map(instant), incident.ends_in_s.map(instant));
            body.further.insert("active_periods".to_owned(), serde_json::json!([{"start": start, "end": end}]));
        }
        let payload = native::encode_incident(&body);
        let topic = native::incident_topic(&self.options.prefix, &incident.source, &incident.id);
        self.publish(None, topic, payload, true, at, out);
    }

    fn publish(
        &mut self,
        vehicle: Option<usize>,
        topic: String,
        payload: Vec<u8>,
        retain: bool,
        at: i64,
        out: &mut Vec<Outgoing>,
    ) {
        let outgoing = Outgoing { at: UtcMillis(at), topic, payload, qos: 1, retain, control: None };
        self.send(Parcel { vehicle, is_position: false, outgoing }, at, out);
    }

    fn switch_off(&mut self, within_s: f64, at: i64) {
        for (index, vehicle) in self.vehicles.iter_mut().enumerate() {
            let share = Dice::new(self.options.seed, Purpose::Script, u64::MAX, index as u64).unit();
            vehicle.switch_off(&self.world, at, at + (share * within_s * 1000.0) as i64);
        }
        self.wakes = wakes(&self.vehicles);
    }
}

/// Every vehicle by when it wakes, and then by its place in the city.
fn wakes(vehicles: &[Vehicle]) -> BinaryHeap<Reverse<(i64, u32)>> {
    (0_u32..).zip(vehicles).map(|(index, vehicle)| Reverse((vehicle.next_wake(), index))).collect()
}

/// Yesterday and a week from today.
fn dates(today: ServiceDate) -> Vec<ServiceDate> {
    (-1..8).map(|day| ServiceDate(today.0.saturating_add(day.days()))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;
    use transit::JourneyState;

    use super::*;
    use crate::{CitySize, Scenario};

    fn play(scenario: &Scenario, step_ms: i64, steps: i64) -> Vec<Outgoing> {
        let options = scenario.options(None).unwrap();
        let start = options.start;
        let mut simulation = Simulation::new(scenario.city().unwrap(), options).unwrap();
        (1..=steps).flat_map(|step| simulation.advance(start.plus_millis(step * step_ms))).collect()
    }

    #[test]
    fn the_same_seed_and_scenario_give_the_same_bytes_however_time_is_cut() {
        for (name, scenario) in Scenario::all() {
            let seconds = play(&scenario, 1000, 60);
            let minute = play(&scenario, 60_000, 1);
            let uneven = play(&scenario, 7, 15_000 / 7);
            assert!(seconds == minute, "{name}: steps of a second and of a minute differ");
            assert!(minute.starts_with(&uneven) && !uneven.is_empty(), "{name}: steps of 7 ms differ");
            assert!(minute.windows(2).all(|pair| pair[0].at <= pair[1].at), "{name}: out of order");
        }
    }

    #[test]
    fn a_simulation_may_move_to_another_thread() {
        fn movable<T: Send>() {}
        movable::<Simulation>();
    }

    #[test]
    fn another_seed_gives_other_bytes() {
        let calm = Scenario::named("calm_day").unwrap();
        let other = Scenario { seed: 77, ..calm.clone() };
        assert_ne!(play(&calm, 1000, 2), play(&other, 1000, 2));
    }

    /// An hour of a small city at one report in five seconds.
    fn hour(clock_h: u32) -> (Simulation, Vec<Outgoing>) {
        let options = SimulationOptions { clock: ServiceTime(clock_h * 3600), interval_ms: 5000, ..Default::default() };
        let start = options.start;
        let mut simulation = Simulation::new(City::generate(3, CitySize::of_vehicles(100)), options).unwrap();
        let messages = simulation.advance(start.plus_millis(3_600_000));
        (simulation, messages)
    }

    /// How many times a street vehicle moved between two reports, none of them faster than 31 m/s.
    fn checked_moves(messages: &[Outgoing]) -> u32 {
        let mut last: BTreeMap<&str, (f64, f64, i64)> = BTreeMap::new();
        let mut moved = 0;
        for message in messages.iter().filter(|m| m.topic.ends_with("/position")) {
            let body: Value = serde_json::from_slice(&message.payload).unwrap();
            let (Some(lat), Some(lon)) = (body["lat"].as_f64(), body["lon"].as_f64()) else { continue };
            if let Some((lat0, lon0, at0)) = last.insert(&message.topic, (lat, lon, message.at.0)) {
                let place = |lat, lon| transit::Coordinate::parse(lat, lon).unwrap();
                let metres = place(lat, lon).distance(place(lat0, lon0)).0;
                let seconds = (message.at.0 - at0) as f64 / 1000.0;
                // A turn and a report may fall on one instant; a receiver's rounding is a tenth of a metre.
                assert!(metres <= 31.0 * seconds + 0.2, "{}: {metres} m in {seconds} s", message.topic);
                moved += u32::from(metres > 5.0);
            }
        }
        moved
    }

    #[test]
    fn in_a_calm_hour_no_street_vehicle_jumps_and_most_are_about_on_time() {
        let (simulation, messages) = hour(8);
        let moved = checked_moves(&messages);
        assert!(moved > 10_000, "{moved}");
        let delays: Vec<i32> =
            simulation.truth().filter(|t| t.journey == JourneyState::InService).map(|t| t.delay_s).collect();
        let on_time = delays.iter().filter(|delay| (-60..=300).contains(*delay)).count();
        assert!(on_time * 10 >= delays.len() * 8, "{on_time} of {}: {delays:?}", delays.len());
        assert!(delays.iter().any(|delay| *delay > 60), "somebody is late");
    }

    #[test]
    fn nobody_jumps_on_the_way_out_in_the_morning_or_home_at_night() {
        for clock_h in [5, 24] {
            assert!(checked_moves(&hour(clock_h).1) > 2000);
        }
    }

    #[test]
    fn the_fleet_follows_the_day() {
        let on = |clock_h: u32| {
            let options = SimulationOptions { clock: ServiceTime(clock_h * 3600), ..Default::default() };
            let simulation = Simulation::new(City::generate(3, CitySize::of_vehicles(220)), options).unwrap();
            simulation.truth().filter(|truth| truth.switched_on).count()
        };
        let (night, peak, noon, evening) = (on(3), on(8), on(13), on(23));
        assert_eq!(night, 0);
        assert!(peak > 210, "{peak}");
        assert!((120..180).contains(&noon), "{noon}: a third runs in the peaks only");
        assert!((100..180).contains(&evening), "{evening}");
    }

    #[test]
    fn vehicles_live_a_whole_day_and_go_on_the_next() {
        let options = SimulationOptions {
            clock: ServiceTime(4 * 3600),
            interval_ms: 600_000,
            hfp_share: 1.0,
            ..Default::default()
        };
        let start = options.start;
        let mut simulation = Simulation::new(City::generate(5, CitySize::of_vehicles(16)), options).unwrap();
        let first_day = simulation.advance(start.plus_millis(86_400_000));
        assert_eq!(simulation.truth().filter(|truth| truth.switched_on).count(), 0);
        let said = |needle: &str| first_day.iter().filter(|m| m.topic.contains(needle)).count();
        for kind in ["vja", "dep", "due", "arr", "ars", "doo", "doc", "pde", "vjout", "dout"] {
            assert!(said(&format!("/{kind}/")) > 0, "no {kind}");
        }
        assert!(said("/signoff/") > 0 && said("/deadrun/") > 0);
        let second_day = simulation.advance(start.plus_millis(2 * 86_400_000));
        assert!(second_day.len() * 10 > first_day.len() * 9, "{} then {}", first_day.len(), second_day.len());
        let dated = |message: &&Outgoing| String::from_utf8_lossy(&message.payload).contains("\"2026-11-25\"");
        assert!(second_day.iter().filter(dated).count() > second_day.len() / 2);
    }

    #[test]
    fn a_vehicle_announces_its_next_trip_beside_what_it_is_doing() {
        let (_, messages) = hour(9);
        let body = |m: &Outgoing| String::from_utf8_lossy(&m.payload).into_owned();
        let upcoming: Vec<_> = messages.iter().filter(|m| body(m).contains("\"upcoming\"")).collect();
        assert!(!upcoming.is_empty());
        assert!(upcoming.iter().all(|m| body(m).contains("\"trip_id\"")));
        assert!(messages.iter().any(|m| m.topic.starts_with("/hfp/v2/journey/upcoming/vp/")));
    }

    #[test]
    fn switched_off_vehicles_sign_off_where_they_stand_and_are_silent() {
        let mut scenario = Scenario::named("depot_evening").unwrap();
        scenario.start = "10:00".to_owned();
        let start = scenario.options(None).unwrap().start;
        let messages = play(&scenario, 1000, 90);
        let after: Vec<_> = messages.iter().filter(|m| m.at.since(start) > 30_500).collect();
        assert!(after.is_empty(), "{} messages after everything is off", after.len());
        assert!(checked_moves(&messages) > 0);
        let signed_off = messages.iter().filter(|m| {
            m.topic.contains("/signoff/ongoing/dout/") || String::from_utf8_lossy(&m.payload).contains("signed_off")
        });
        assert!(signed_off.count() >= 90);
    }

    #[test]
    fn actions_become_messages_with_place_and_id() {
        let crash = Scenario::named("crash").unwrap();
        let messages = play(&crash, 1000, 75);
        let of = |needle: &str| messages.iter().filter(|m| m.topic.contains(needle)).collect::<Vec<_>>();
        let alarm: Value = serde_json::from_slice(&of("/alarm")[0].payload).unwrap();
        assert!(alarm["lat"].is_number() && alarm["event_id"].is_string() && alarm["event_time"].is_string());
        let incidents = of("/incident/traffic/crash-17");
        assert_eq!(incidents.len(), 3);
        assert!(incidents.iter().all(|m| m.retain && m.qos == 1));
        assert!(incidents[2].payload.is_empty(), "withdrawn");
    }
}
