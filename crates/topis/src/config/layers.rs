//! Merges defaults, file, environment and flags into one [`ConfigFile`], and finds every wrong shape on the way.
//!
//! A deserializer stops at its first fault. So a faulty value is told, struck out, and the rest read again, until all
//! of it can be read.

use std::path::PathBuf;

use figment2::{
    Error, Figment, Metadata, Profile, Provider,
    error::Kind,
    providers::{Format, Toml},
    value::{Dict, Map, Value},
};

use super::{
    ConfigFault, ConfigFaults, ConfigFile,
    fault::{Origin, redact},
};

/// Environment variables that begin so are configuration; `__` separates sections.
pub(super) const ENVIRONMENT_PREFIX: &str = "TOPIS__";

/// What people typed, as typed; the later wins.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Path and text of the TOML file.
    pub file: Option<(PathBuf, String)>,
    /// The whole environment; what does not begin with `TOPIS__` is left alone.
    pub environment: Vec<(String, String)>,
    /// Dotted keys and values from the command line.
    pub flags: Vec<(String, String)>,
}

/// The merged file, still unchecked, and who gave what.
#[derive(Debug, Clone)]
pub struct Typed {
    /// What was typed, over the defaults.
    pub file: ConfigFile,
    layers: Vec<Layer>,
}

#[derive(Debug, Clone)]
struct Layer {
    origin: Origin,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named("configuration")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

impl Typed {
    /// Merges the sources.
    ///
    /// # Errors
    /// A file that is no TOML; every key that does not exist; every value of the wrong type.
    pub fn read(sources: &Sources) -> Result<Self, ConfigFaults> {
        let (typed, faults) = Self::read_what_can_be(sources)?;
        if faults.is_empty() { Ok(typed) } else { Err(ConfigFaults(faults)) }
    }

    /// As [`Self::read`], but with everything that could be read beside the faults.
    pub(super) fn read_what_can_be(sources: &Sources) -> Result<(Self, Vec<ConfigFault>), ConfigFaults> {
        let mut layers = Vec::new();
        if let Some((path, text)) = &sources.file {
            layers.push(file_layer(path, text)?);
        }
        let variables = sources.environment.iter().filter_map(|(name, value)| {
            let key = name.strip_prefix(ENVIRONMENT_PREFIX)?;
            Some((key.to_ascii_lowercase().replace("__", "."), value.clone()))
        });
        layers.push(pairs_layer(Origin::Environment, variables));
        layers.push(pairs_layer(Origin::Flag, sources.flags.iter().cloned()));

        let mut faults = Vec::new();
        loop {
            let merged = layers.iter().fold(Figment::new(), |figment, layer| figment.merge(layer.clone()));
            // Lossy: what the environment and the command line give is text, and "8080" has to do for a number.
            match merged.extract_lossy::<ConfigFile>() {
                Ok(file) => return Ok((Self { file, layers }, faults)),
                Err(error) => {
                    let path = path_of(&error);
                    faults.push(fault_of(&error, &path, &layers));
                    if !strike(&mut layers, &path) {
                        return Err(ConfigFaults(faults));
                    }
                }
            }
        }
    }

    /// Who gave a key its value.
    pub fn origin(&self, key: &str) -> Origin {
        let path: Vec<&str> = key.split('.').collect();
        origin_of(&self.layers, &path)
    }
}

fn file_layer(path: &std::path::Path, text: &str) -> Result<Layer, ConfigFaults> {
    let origin = Origin::File(path.to_owned());
    match Toml::string(text).data() {
        Ok(mut profiles) => Ok(Layer { origin, values: profiles.remove(&Profile::Default).unwrap_or_default() }),
        Err(error) => {
            let fix = format!("is no TOML: {}", error.kind.to_string().trim_end());
            Err(ConfigFaults(vec![ConfigFault { key: String::new(), value: None, origin, fix }]))
        }
    }
}

fn pairs_layer(origin: Origin, pairs: impl Iterator<Item = (String, String)>) -> Layer {
    let mut values = Dict::new();
    for (key, value) in pairs {
        let path: Vec<&str> = key.split('.').collect();
        set(&mut values, &path, Value::from(value));
    }
    Layer { origin, values }
}

fn set(values: &mut Dict, path: &[&str], value: Value) {
    match path {
        [] => {}
        [last] => {
            values.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            let below = values.entry((*first).to_owned()).or_insert_with(|| Value::from(Dict::new()));
            // A section that was given a plain value too is told as such; this one has nowhere to go.
            if let Value::Dict(_, below) = below {
                set(below, rest, value);
            }
        }
    }
}

fn path_of(error: &Error) -> Vec<String> {
    let mut path = error.path.clone();
    // The path of an unknown key ends either with it or with what holds it, as the library found it.
    if let Kind::UnknownField(name, _) = &error.kind
        && path.last() != Some(name)
    {
        path.push(name.clone());
    }
    path
}

fn fault_of(error: &Error, path: &[String], layers: &[Layer]) -> ConfigFault {
    let key = path.join(".");
    let steps: Vec<&str> = path.iter().map(String::as_str).collect();
    let value = layers.iter().rev().find_map(|layer| find(&layer.values, &steps)).and_then(plain);
    let fix = match &error.kind {
        Kind::UnknownField(name, known) => unknown_key(name, known),
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => must_be(expected),
        other @ (Kind::Message(_)
        | Kind::InvalidLength(..)
        | Kind::UnknownVariant(..)
        | Kind::MissingField(_)
        | Kind::DuplicateField(_)
        | Kind::ISizeOutOfRange(_)
        | Kind::USizeOutOfRange(_)
        | Kind::Unsupported(_)
        | Kind::UnsupportedKey(..)) => other.to_string(),
    };
    ConfigFault { key, value, origin: origin_of(layers, &steps), fix }
}

/// The library names Rust's types, which say nothing to who writes the file.
fn must_be(expected: &str) -> String {
    match expected {
        "u16" | "u32" | "u64" | "usize" => "must be a whole number, not negative".to_owned(),
        "f32" | "f64" => "must be a number".to_owned(),
        "a boolean" => "must be true or false".to_owned(),
        other => format!("must be {other}"),
    }
}

fn unknown_key(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("is no key; did you mean `{near}`?"),
        None => format!("is no key; there are {}", known.join(", ")),
    }
}

/// The word nearest to `word`, when near enough to be meant.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    known
        .map(|k| (strsim::damerau_levenshtein(&word, &k.to_ascii_lowercase()), k))
        .min()
        // A third of a word may be wrong; of very short ones nothing, for they are all alike.
        .filter(|(distance, k)| *distance <= (k.len() / 3).min(3))
        .map(|(_, k)| k)
}

fn origin_of(layers: &[Layer], path: &[&str]) -> Origin {
    let giver = layers.iter().rev().find(|layer| find(&layer.values, path).is_some());
    giver.map_or(Origin::Default, |layer| layer.origin.clone())
}

fn find<'a>(values: &'a Dict, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(values.get(*first)?, |value, step| match value {
        Value::Dict(_, below) => below.get(*step),
        Value::Array(_, list) => list.get(step.parse::<usize>().ok()?),
        Value::String(..) | Value::Char(..) | Value::Bool(..) | Value::Num(..) | Value::Empty(..) => None,
    })
}

/// A plain value as text; nothing for tables and lists.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(format!("{:?}", redact(text))),
        Value::Char(_, c) => Some(format!("{c:?}")),
        Value::Bool(_, flag) => Some(flag.to_string()),
        Value::Num(_, number) => number
            .to_i128()
            .map(|n| n.to_string())
            .or_else(|| number.to_u128().map(|n| n.to_string()))
            .or_else(|| number.to_f64().map(|n| n.to_string())),
        Value::Empty(..) | Value::Dict(..) | Value::Array(..) => None,
    }
}

/// Takes the value at `path` out of every layer, or what holds it where it is part of a list. False when nothing was
/// there to take.
fn strike(layers: &mut [Layer], path: &[String]) -> bool {
    let mut struck = false;
    for layer in layers {
        struck |= strike_in(&mut layer.values, path);
    }
    struck
}

fn strike_in(values: &mut Dict, path: &[String]) -> bool {
    let Some((first, rest)) = path.split_first() else { return false };
    let deeper = match values.get_mut(first) {
        Some(Value::Dict(_, below)) => strike_in(below, rest),
        Some(Value::Array(_, list)) => match rest {
            [index, below @ ..] => match index.parse::<usize>().ok().and_then(|i| list.get_mut(i)) {
                Some(Value::Dict(_, entry)) => strike_in(entry, below),
                Some(_) | None => false,
            },
            [] => false,
        },
        Some(_) => false,
        None => return false,
    };
    deeper || values.remove(first).is_some()
}
