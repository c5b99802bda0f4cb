//! The publisher is cut off: nobody is heard until it is back. Knows nothing of the connection itself.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Control, Fault, Parcel, Window};
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FeedOutage {
    /// The connections end too; else they stay and are silent.
    disconnect: bool,
}

impl Default for FeedOutage {
    fn default() -> Self {
        Self { disconnect: true }
    }
}

impl Fault for FeedOutage {
    fn relay(&mut self, _: Parcel, _: Window, _: &mut Dice, _: &mut Vec<Parcel>) {}

    fn controls(&self, window: Window) -> Vec<(i64, Control)> {
        if self.disconnect {
            vec![(window.from, Control::Disconnect), (window.until, Control::Reconnect)]
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Control,
        faults::trial::{START, with_entry},
    };

    #[test]
    fn nobody_speaks_between_the_cut_and_the_return() {
        let all = with_entry("code = 'feed_outage'\nfrom_s = 10\nuntil_s = 20");
        let inside: Vec<_> = all.iter().filter(|m| (10_000..=20_000).contains(&m.at.since(START))).collect();
        assert_eq!(inside[0].control, Some(Control::Disconnect));
        assert_eq!(inside[1].control, Some(Control::Reconnect));
        assert!(all.len() > 1000);
    }
}
