//! Reading options: every key has a default, a key nobody knows is an error that names the nearest.

use serde::{Serialize, de::DeserializeOwned};

/// Why the options of a rule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// No such key.
    #[error("unknown key `{key}`, did you mean `{nearest}`?")]
    UnknownKey {
        /// As written.
        key: String,
        /// The nearest known one.
        nearest: String,
    },
    /// A key with a value that it cannot have.
    #[error("{0}")]
    Value(String),
}

/// The known word that looks most like one that is not known.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let lower = word.to_ascii_lowercase();
    let found = known.into_iter().min_by_key(|k| strsim::damerau_levenshtein(&k.to_ascii_lowercase(), &lower));
    found.unwrap_or_default().to_owned()
}

/// A rule's own options as a table: their defaults.
pub(crate) fn table_of<O: Serialize + Default>() -> toml::Table {
    toml::Table::try_from(O::default()).expect("options are plain tables")
}

/// Reads a rule's own options over their defaults.
pub(crate) fn read<O: DeserializeOwned>(table: toml::Table) -> Result<O, OptionsError> {
    O::deserialize(toml::Value::Table(table)).map_err(|e| OptionsError::Value(e.message().to_owned()))
}

/// A number of seconds, metres or the like that has to be at least zero and finite.
pub(crate) fn check_figure(key: &str, figure: f64) -> Result<(), OptionsError> {
    if figure.is_finite() && figure >= 0.0 {
        return Ok(());
    }
    Err(OptionsError::Value(format!("`{key}` is {figure}; it has to be zero or more")))
}

/// A share of some number of vehicles: none of them is no share, more than all neither.
pub(crate) fn check_share(key: &str, share: f64) -> Result<(), OptionsError> {
    if share > 0.0 && share <= 1.0 {
        return Ok(());
    }
    Err(OptionsError::Value(format!(
        "`{key}` is {share}; it has to be more than 0 and at most 1, as 0.2 is for a fifth"
    )))
}
