//! What the control room has written down: places and runbooks. Read at start, the same for every snapshot.

use impact::{Area, Places, Runbooks};

/// Places and runbooks as configured.
#[derive(Debug, Clone, Default)]
pub struct Guide {
    pub(crate) places: Places,
    pub(crate) runbooks: Runbooks,
    pub(crate) depots: Vec<Area>,
}

impl Guide {
    /// Of what was configured.
    pub fn new(places: Places, runbooks: Runbooks) -> Self {
        Self { depots: places.depots(), places, runbooks }
    }
}
