//! What places are called. Knows nothing of where they are.

use std::collections::BTreeMap;

use crate::dice::{Dice, Purpose};

const FIRST: &[&str] = &[
    "Maple",
    "Mill",
    "Harbour",
    "Castle",
    "Market",
    "North",
    "Willow",
    "Station",
    "Abbey",
    "Garden",
    "Lantern",
    "Orchard",
    "Chapel",
    "Stone",
    "River",
    "Weaver",
    "Kings",
    "Pine",
    "Copper",
    "Silver",
    "Temple",
    "Bell",
    "Meadow",
    "Granite",
    "Fountain",
    "Potter",
    "Cedar",
    "Summer",
    "Winter",
    "Glass",
    "Ropewalk",
    "Tanner",
    "Juniper",
    "Falcon",
    "Heron",
    "Itä",
    "Señora",
    "Högberg",
    "서울",
    "Алатау",
];

const SECOND: &[&str] = &[
    "Street", "Square", "Bridge", "Gate", "Hill", "Park", "Lane", "Cross", "Terrace", "School", "Hospital", "Library",
    "Works", "Quay", "Field", "Row", "Yard", "Green", "Stadium", "Museum", "Court", "Ferry", "Arcade", "Steps",
    "Junction", "Bank", "Walk", "Corner", "Heights", "Baths",
];

/// Gives out names, each once.
pub(crate) struct Names {
    dice: Dice,
    given: BTreeMap<(usize, usize), u32>,
}

impl Names {
    pub(crate) fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed, Purpose::Names, 0, 0), given: BTreeMap::new() }
    }

    /// A fresh name; a repeated one gets a number.
    pub(crate) fn draw(&mut self) -> String {
        let pair = (self.dice.below(FIRST.len()), self.dice.below(SECOND.len()));
        let times = self.given.entry(pair).or_insert(0);
        *times += 1;
        let (first, second) = (FIRST[pair.0], SECOND[pair.1]);
        if *times == 1 { format!("{first} {second}") } else { format!("{first} {second} {times}") }
    }
}
