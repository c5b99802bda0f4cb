//! The levels of an HFP topic, in both versions.
//!
//! `/hfp/v2/<journey>/<temporal>/<event>/<mode>/<operator>/<vehicle>` and, for trips, `/<route>/<direction>/<headsign>/
//! <start>/<next stop>/<geohash level>/<geohash>…`; version 1 has no event level. Knows nothing of bodies.

/// What the vehicle is signed on to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JourneyType {
    Journey,
    Deadrun,
    Signoff,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Topic<'t> {
    pub(super) journey_type: JourneyType,
    /// The trip that comes next, not the one that is on.
    pub(super) upcoming: bool,
    /// The event level of version 2.
    pub(super) event: Option<&'t str>,
    /// May be empty.
    pub(super) mode: &'t str,
    pub(super) operator: &'t str,
    pub(super) vehicle: &'t str,
    pub(super) trip: Option<Trip<'t>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trip<'t> {
    pub(super) route: &'t str,
    pub(super) direction: &'t str,
    /// `HH:MM`, or empty.
    pub(super) start: &'t str,
    /// A stop id, `EOL`, or empty.
    pub(super) next_stop: &'t str,
}

impl<'t> Topic<'t> {
    /// Reads a topic; whatever stands before its `hfp` level is a bridge's business.
    pub(super) fn parse(topic: &'t str) -> Result<Self, String> {
        let below = super::below_hfp(topic).ok_or("has no hfp level; HFP topics begin with /hfp/v1/ or /hfp/v2/")?;
        let mut levels = below.split('/');
        let mut next = |name: &str| levels.next().ok_or_else(|| format!("ends before its {name} level"));
        let has_event = match next("version")? {
            "v1" => false,
            "v2" => true,
            _ => return Err("is of an HFP version that is neither v1 nor v2".to_owned()),
        };
        let journey_type = match next("journey type")? {
            "journey" => JourneyType::Journey,
            "deadrun" => JourneyType::Deadrun,
            "signoff" => JourneyType::Signoff,
            _ => return Err("has a journey type that is none of journey, deadrun, signoff".to_owned()),
        };
        let upcoming = match next("temporal type")? {
            "ongoing" => false,
            "upcoming" => true,
            _ => return Err("has a temporal type that is neither ongoing nor upcoming".to_owned()),
        };
        let event = if has_event { Some(next("event type")?) } else { None };
        let (mode, operator, vehicle) = (next("mode")?, next("operator")?, next("vehicle")?);
        let trip = if journey_type == JourneyType::Journey { Trip::parse(levels) } else { None };
        Ok(Self { journey_type, upcoming, event, mode, operator, vehicle, trip })
    }
}

impl<'t> Trip<'t> {
    /// `None` where the levels stop before the next stop, as they do on passenger counts.
    fn parse(mut levels: impl Iterator<Item = &'t str>) -> Option<Self> {
        let (route, direction, _headsign) = (levels.next()?, levels.next()?, levels.next()?);
        let mut start = levels.next()?;
        // A headsign is free text: one with slashes takes more levels, and the start is the first that is a time.
        if !is_start(start) {
            let mut ahead = levels.by_ref().take(8);
            start = ahead.find(|level| is_start(level) && !level.is_empty())?;
        }
        Some(Self { route, direction, start, next_stop: levels.next()? })
    }
}

fn is_start(level: &str) -> bool {
    let digits_and_colon = level.bytes().enumerate().all(|(i, b)| if i == 2 { b == b':' } else { b.is_ascii_digit() });
    level.is_empty() || (level.len() == 5 && digits_and_colon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_are_read_by_version_and_not_by_position() {
        let v2 =
            Topic::parse("/hfp/v2/journey/ongoing/dep/bus/0018/00679/1064/1/Itä-Pakila/21:12/1353117/5/60;24/29/45/98")
                .unwrap();
        assert_eq!((v2.event, v2.vehicle), (Some("dep"), "00679"));
        let trip = v2.trip.unwrap();
        assert_eq!((trip.route, trip.direction, trip.start, trip.next_stop), ("1064", "1", "21:12", "1353117"));
        let v1 = Topic::parse("/hfp/v1/deadrun/ongoing/train/0090/06313").unwrap();
        assert_eq!((v1.event, v1.operator, v1.trip), (None, "0090", None));
    }

    #[test]
    fn headsigns_with_slashes_empty_modes_and_empty_geohashes_are_read() {
        let t = Topic::parse("/hfp/v2/journey/ongoing/vp//0018/00679/1004 4/2/Kamppi / Kampen (M)/07:32/EOL/0////")
            .unwrap();
        let trip = t.trip.unwrap();
        assert_eq!((t.mode, trip.route, trip.start, trip.next_stop), ("", "1004 4", "07:32", "EOL"));
    }

    #[test]
    fn a_broken_topic_says_where_it_breaks() {
        for (topic, why) in [
            ("/hfp/v3/journey", "is of an HFP version that is neither v1 nor v2"),
            ("/hfp/v2/journey/ongoing/vp/bus/0018", "ends before its vehicle level"),
            ("/hfp/v2/trip/ongoing", "has a journey type that is none of journey, deadrun, signoff"),
        ] {
            assert_eq!(Topic::parse(topic).unwrap_err(), why);
        }
    }
}
