//! Detection: what is going wrong, judged once a second from the published picture.
//!
//! Knows no bytes, no clock and nothing of what becomes of an alert. A rule says what holds now; [`Patrol`] keeps the
//! delays and says what began and what ended. Start at [`Rule`] and [`Patrol::step`]; rules are in `rules/`, their list
//! is [`RULES`].

mod judgement;
mod options;
mod parents;
mod patrol;
mod reference;
mod registry;
mod rulebook;
mod rules;
mod scene;
mod scope;
mod standing;
mod survey;

pub use judgement::{Judgements, Proof};
pub use options::OptionsError;
pub use patrol::{BrokenRule, Exception, OpenAlert, Patrol, Round};
pub use reference::{example_config, reference};
pub use registry::{Annunciate, Habits, Rule, RuleDef};
pub use rulebook::{Rulebook, RulesError};
pub use rules::RULES;
pub use scene::{AccountedFor, EmergencyLink, IsOpen, Scene};
pub use survey::{AreaReach, FeedSight, Sighting, Survey};
