//! The total order of what a vehicle says, kept per field group. Knows nothing of what the groups hold.
//!
//! Each group is a last-writer-wins register: the message with the greatest [`OrderKey`] owns it. The key comes from
//! the message's content alone, so any permutation with any duplication of the same messages ends in the same owners.

use transit::{Observation, Significance, UtcMillis};

/// The place of a message in the order of its vehicle: greater is newer. Compared as a tuple in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey {
    /// The device's clock.
    pub event_time: UtcMillis,
    /// Restart counter, 0 when absent.
    pub boot: u64,
    /// Message counter, 0 when absent.
    pub seq: u64,
    /// Event messages before plain positions.
    pub significance: Significance,
    /// Hash of the content: breaks the last ties the same way everywhere.
    pub content: u64,
}

impl OrderKey {
    /// The key of a message.
    pub fn of(observation: &Observation) -> Self {
        Self {
            event_time: observation.event_time,
            boot: observation.boot.unwrap_or(0),
            seq: observation.seq.unwrap_or(0),
            significance: observation.significance,
            content: observation.content,
        }
    }
}

/// What is replaced whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Any message at all: the newest one owns feed, stamps, boot and seq.
    Heard,
    /// Place, bearing, speed, accuracy, odometer, source.
    Position,
    /// Doors.
    Doors,
    /// The stop reference.
    Stop,
    /// How it stands to a stop.
    StopStatus,
    /// Delay.
    Delay,
    /// Occupancy.
    Occupancy,
    /// The journey.
    Journey,
    /// The announced journey.
    Upcoming,
    /// The mode.
    Mode,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Heard,
        Self::Position,
        Self::Doors,
        Self::Stop,
        Self::StopStatus,
        Self::Delay,
        Self::Occupancy,
        Self::Journey,
        Self::Upcoming,
        Self::Mode,
    ];
}

/// A set of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct GroupSet(u16);

impl GroupSet {
    /// The groups a message speaks of.
    pub(crate) fn spoken_of(o: &Observation) -> Self {
        let mut set = Self(1 << Group::Heard as u16);
        let mut add = |group: Group, present: bool| set.0 |= u16::from(present) << group as u16;
        add(Group::Position, o.position.is_some());
        add(Group::Doors, o.doors_open.is_some());
        add(Group::Stop, o.stop.is_some());
        add(Group::StopStatus, o.stop_status.is_some());
        add(Group::Delay, o.delay_s.is_some());
        add(Group::Occupancy, o.occupancy.is_some());
        add(Group::Journey, o.journey.is_some());
        add(Group::Upcoming, o.upcoming.is_some());
        add(Group::Mode, o.mode.is_some());
        set
    }

    pub(crate) fn contains(self, group: Group) -> bool {
        self.0 & (1 << group as u16) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

const UNSET: u8 = u8::MAX;

/// Who owns each group.
///
/// Most groups are owned by the same one or two messages, so the distinct keys are kept once and groups point at
/// them: 34 bytes and 40 a distinct key, where ten full keys would be 400 bytes for each of 100,000 vehicles.
#[derive(Debug, Clone)]
pub struct GroupKeys {
    keys: Vec<OrderKey>,
    owner: [u8; Group::ALL.len()],
}

impl Default for GroupKeys {
    fn default() -> Self {
        Self { keys: Vec::new(), owner: [UNSET; Group::ALL.len()] }
    }
}

impl PartialEq for GroupKeys {
    fn eq(&self, other: &Self) -> bool {
        Group::ALL.iter().all(|g| self.find(*g) == other.find(*g))
    }
}

impl GroupKeys {
    /// The key of the message that owns a group; `None` while nobody spoke of it.
    pub fn find(&self, group: Group) -> Option<OrderKey> {
        self.keys.get(usize::from(self.owner[group as usize])).copied()
    }

    /// Lets a message take every group it speaks of and is newer in; says which.
    pub(crate) fn advance(&mut self, key: OrderKey, spoken_of: GroupSet) -> GroupSet {
        let mut taken = GroupSet::default();
        for group in Group::ALL {
            if spoken_of.contains(group) && self.find(group).is_none_or(|known| key > known) {
                taken.0 |= 1 << group as u16;
                self.owner[group as usize] = UNSET;
            }
        }
        if !taken.is_empty() {
            let slot = self.place(key);
            for group in Group::ALL {
                if taken.contains(group) {
                    self.owner[group as usize] = slot;
                }
            }
        }
        taken
    }

    /// Puts a key into a slot that no group points at any more, or into a new one.
    fn place(&mut self, key: OrderKey) -> u8 {
        let mut used = 0_u16;
        for owner in self.owner.iter().filter(|o| **o != UNSET) {
            used |= 1 << owner;
        }
        // At most ten groups point here, and a taken one has just let go: the slot number fits.
        let free = used.trailing_ones() as usize;
        if free < self.keys.len() {
            self.keys[free] = key;
        } else {
            self.keys.reserve_exact(1);
            self.keys.push(key);
        }
        free as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seconds: i64, content: u64) -> OrderKey {
        OrderKey { event_time: UtcMillis(seconds * 1000), boot: 0, seq: 0, significance: Significance::Plain, content }
    }

    fn groups(list: &[Group]) -> GroupSet {
        GroupSet(list.iter().map(|g| 1 << *g as u16).sum())
    }

    #[test]
    fn an_event_beats_a_plain_position_of_the_same_stamp_whatever_their_hashes() {
        let event = OrderKey { significance: Significance::Event, ..key(1, 0) };
        assert!(event > key(1, u64::MAX));
        assert!(OrderKey { seq: 1, ..key(1, 0) } > event);
        assert!(OrderKey { boot: 1, ..key(1, 0) } > OrderKey { seq: 9, ..key(1, 0) });
        assert!(key(2, 0) > OrderKey { boot: 9, ..key(1, 0) });
    }

    #[test]
    fn an_older_message_fills_only_the_groups_it_is_newest_in() {
        let mut keys = GroupKeys::default();
        assert_eq!(keys.advance(key(5, 1), groups(&[Group::Heard, Group::Position])).0.count_ones(), 2);
        assert_eq!(
            keys.advance(key(3, 1), groups(&[Group::Heard, Group::Position, Group::Doors])),
            groups(&[Group::Doors])
        );
        assert_eq!(keys.advance(key(3, 1), groups(&[Group::Heard, Group::Doors])), GroupSet::default());
        assert_eq!(keys.find(Group::Position), Some(key(5, 1)));
        assert_eq!(keys.find(Group::Doors), Some(key(3, 1)));
        assert_eq!(keys.find(Group::Mode), None);
    }

    #[test]
    fn slots_are_reused_and_never_more_than_the_groups() {
        let mut keys = GroupKeys::default();
        for n in 0..1000_i64 {
            let some = GroupSet((n as u16).wrapping_mul(2711) & 0x3ff | 1);
            keys.advance(key(n, 0), some);
            assert_eq!(keys.find(Group::Heard), Some(key(n, 0)));
        }
        assert!(keys.keys.len() <= Group::ALL.len());
    }
}
