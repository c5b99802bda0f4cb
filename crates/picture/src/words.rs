//! How fresh and how trustworthy.

use transit::words;

words! {
    /// How old what we know of a vehicle is, against its feed's reporting interval i.
    Freshness as "freshness" {
        /// Up to max(30 s, 2 i).
        Live = "live",
        /// Up to max(90 s, 4 i).
        Aging = "aging",
        /// Up to max(360 s, 10 i).
        Stale = "stale",
        /// Older.
        Lost = "lost",
    }

    /// One reason to doubt what is shown.
    QualityFlag as "quality" {
        /// Reported at or next to 0, 0.
        NullIsland = "null_island",
        /// NaN or infinite coordinates; none shown.
        NotFinite = "not_finite",
        /// Coordinates off the globe; none shown.
        OutOfRange = "out_of_range",
        /// Latitude and longitude look exchanged.
        SwappedAxes = "swapped_axes",
        /// Farther from the last good fix than the vehicle can drive.
        Jump = "jump",
        /// The device's clock is more than 60 s ahead; shown with our receive time.
        ClockAhead = "clock_ahead",
        /// The device's clock is more than 300 s behind.
        ClockBehind = "clock_behind",
        /// Known only from the broker's retained store.
        Retained = "retained",
        /// Placed at its stop: it reports no position of its own.
        AtStop = "at_stop",
        /// Beyond the cap of unknown vehicles; may be forgotten at any time.
        Overflow = "overflow",
    }
}

/// A small ordered set of flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quality(u16);

impl Quality {
    /// Adds a flag.
    pub fn insert(&mut self, flag: QualityFlag) {
        self.0 |= 1 << flag as u16;
    }

    /// Takes a flag away.
    pub fn remove(&mut self, flag: QualityFlag) {
        self.0 &= !(1 << flag as u16);
    }

    /// Whether it is set.
    pub fn contains(self, flag: QualityFlag) -> bool {
        self.0 & (1 << flag as u16) != 0
    }

    /// Sets or takes away a flag.
    pub(crate) fn set(&mut self, flag: QualityFlag, on: bool) {
        if on {
            self.insert(flag);
        } else {
            self.remove(flag);
        }
    }

    /// The device's clock is off, either way.
    pub fn is_skewed(self) -> bool {
        self.contains(QualityFlag::ClockAhead) || self.contains(QualityFlag::ClockBehind)
    }

    /// The flags in their order.
    pub fn iter(self) -> impl Iterator<Item = QualityFlag> {
        <QualityFlag as transit::Word>::ALL.iter().copied().filter(move |f| self.contains(*f))
    }
}
