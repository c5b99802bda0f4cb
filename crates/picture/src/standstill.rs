//! Whether the devices' stamps of a feed stand still although its messages arrive.
//!
//! Counts vehicles that may run by when they were last heard and how their stamp stands. Knows none by name.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    freshness::EXPECTED_MS,
    health::{FOLLOWED_MIN, FOLLOWERS_MIN, STANDS_OUT},
    tally::WINDOW_MS,
};

/// Stamps must stand still this long to be frozen, in milliseconds ...
const FROZEN_MS: u64 = 150_000;
/// ... and this many reporting intervals.
const FROZEN_INTERVALS: f64 = 2.5;
/// Places nobody asks for any more are forgotten after this many windows: an hour, beyond any interval that a frozen
/// feed is judged by.
const KEPT_WINDOWS: u32 = 120;

/// How the stamp of a vehicle stands, each with a window of receive time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stamp {
    /// It was long past at the vehicle's first message, which came then, and has not moved since: whether the vehicle is
    /// parked or its feed frozen, nobody can say of it alone.
    Old(u32),
    /// It was not long past at the first message, which came then.
    First(u32),
    /// It has been seen to move on from one message to the next, then for the last time.
    Moved(u32),
}

impl Stamp {
    /// At the first message, which is that late.
    pub(crate) fn at_first(lag_ms: i64, window: u32) -> Self {
        if lag_ms <= EXPECTED_MS as i64 { Self::First(window) } else { Self::Old(window) }
    }
}

/// Where a vehicle is counted: the window in which it was last heard, and its stamp.
pub(crate) type Place = (u32, Stamp);

/// What the stamps of a feed say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict {
    /// Enough stand still to call the feed frozen,
    pub(crate) frozen: bool,
    /// few enough to call it thawed,
    pub(crate) thawed: bool,
    /// and few enough even if all of which it is not known stood still.
    pub(crate) moving: bool,
}

/// The stamps of a feed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standstill {
    places: BTreeMap<Place, i64>,
    /// Some stamp has been seen to move since start.
    any_moved: bool,
    began: Option<Began>,
}

/// The standstill under way: who was active when it began is active still, however long it takes.
#[derive(Debug, Clone)]
struct Began {
    /// Windows in which their stamps moved last.
    moved: Range<u32>,
    /// It was found when no stamp had been seen to move at all: old ones stand still, too.
    with_old: bool,
}

/// The windows that count at one instant.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// A stamp that has not moved since stands still.
    from: u32,
    /// Vehicles whose stamp moved in this many windows before were active.
    active: u32,
    /// Windows over which the stamps of one standstill moved last.
    together: u32,
}

/// Vehicles heard in the span.
#[derive(Debug, Default)]
struct Count {
    moved: usize,
    first: usize,
    still: usize,
    /// Those that do not move, by how many windows before the span they did last: of the windows that count as active,
    /// and of as many before.
    by_window: Vec<usize>,
    /// Stood still long before the others.
    parked: usize,
    /// Old, and heard again since it was found to be so; and not yet.
    old: usize,
    old_once: usize,
}

impl Standstill {
    /// Applies a tally's changes.
    pub(crate) fn apply(&mut self, moves: &[(Place, i64)]) {
        for (place, change) in moves {
            self.any_moved |= matches!(place.1, Stamp::Moved(_));
            *self.places.entry(*place).or_default() += change;
        }
    }

    /// Judges the stamps at the end of a window.
    pub(crate) fn judge(&mut self, window: u32, interval_ms: Option<u64>) -> Verdict {
        self.places = self.places.split_off(&(window.saturating_sub(KEPT_WINDOWS), Stamp::Old(0)));
        self.places.retain(|_, vehicles| *vehicles != 0);
        let span = Span::of(window, interval_ms);
        let count = self.count(span);
        let active = count.moved + count.first + count.still;
        let many = active > 0 && count.still * 10 >= active * 8 && !count.went_home(span);
        let unproven = count.still + count.first + count.old + count.old_once;
        Verdict {
            frozen: many || self.is_frozen_from_start(&count),
            thawed: active > count.still && count.still * 10 < active * 2,
            moving: count.moved > 0 && unproven * 10 < (count.moved + unproven) * 2,
        }
    }

    /// What was judged has been called frozen, or not.
    pub(crate) fn settle(&mut self, frozen: bool, window: u32, interval_ms: Option<u64>) {
        if !frozen {
            self.began = None;
        } else if self.began.is_none() {
            let span = Span::of(window, interval_ms);
            let with_old = self.is_frozen_from_start(&self.count(span));
            self.began = Some(Began { moved: span.from.saturating_sub(span.active)..span.from, with_old });
        }
    }

    fn count(&self, span: Span) -> Count {
        let with_old = self.began.as_ref().is_some_and(|b| b.with_old);
        let mut count = Count { by_window: vec![0; 2 * span.active as usize], ..Count::default() };
        for ((_, stamp), vehicles) in self.places.range((span.from, Stamp::Old(0))..) {
            let vehicles = usize::try_from(*vehicles).unwrap_or(0);
            match *stamp {
                Stamp::Old(_) if with_old => count.still += vehicles,
                Stamp::Old(at) if at < span.from => count.old += vehicles,
                Stamp::Old(_) => count.old_once += vehicles,
                Stamp::Moved(at) if at >= span.from => count.moved += vehicles,
                Stamp::First(at) if at >= span.from => count.first += vehicles,
                Stamp::Moved(at) | Stamp::First(at) => {
                    let age = span.from - at - 1;
                    if let Some(same) = count.by_window.get_mut(age as usize) {
                        *same += vehicles;
                    }
                    let began = self.began.as_ref().is_some_and(|b| b.moved.contains(&at));
                    *(if age < span.active || began { &mut count.still } else { &mut count.parked }) += vehicles;
                }
            }
        }
        count
    }

    /// As long as no stamp has been seen to move, old ones cannot be told from those of parked vehicles; a feed of
    /// nothing else, heard again and again, is not shown as sound.
    fn is_frozen_from_start(&self, count: &Count) -> bool {
        let known = count.moved + count.first + count.still;
        !self.any_moved && known == 0 && count.old > 0 && count.old * 10 >= (count.old + count.old_once) * 8
    }
}

impl Span {
    fn of(window: u32, interval_ms: Option<u64>) -> Self {
        let span_ms = FROZEN_MS.max((interval_ms.unwrap_or(0) as f64 * FROZEN_INTERVALS) as u64);
        let windows = |ms: u64| u32::try_from(ms.div_ceil(WINDOW_MS)).unwrap_or(u32::MAX).min(KEPT_WINDOWS);
        // The running window is not over: it is one more. So with those over which one standstill is spread.
        let from = window.saturating_sub(windows(span_ms));
        let together = windows(FROZEN_MS.max(interval_ms.unwrap_or(0))) + 1;
        // Long enough that one standstill stands out from what is usual.
        Self { from, active: windows(EXPECTED_MS).max(together * 5), together }
    }
}

impl Count {
    /// Whether those whose stamps stopped last only followed others: vehicles that are parked one after another and go
    /// on sending are the end of a day, not a standstill.
    fn went_home(&self, span: Span) -> bool {
        let (active, together) = (span.active as usize, span.together as usize);
        let sum = |from: usize, windows: usize| self.by_window.iter().skip(from).take(windows).sum::<usize>();
        let (peak, from) = (0..active).map(|from| (sum(from, together), from)).max().unwrap_or_default();
        // By what was usual before or after them, which is not what is left of it by now.
        let around = sum(from, active).max(sum((from + together).saturating_sub(active), active));
        let usual = (around * together) as f64 / active.max(1) as f64;
        let before = self.still.saturating_sub(peak) + self.parked + self.old;
        before >= FOLLOWED_MIN && peak as f64 <= (usual * STANDS_OUT).max(FOLLOWERS_MIN)
    }
}
