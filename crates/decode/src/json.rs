//! One pass over one JSON object, tolerant field by field.
//!
//! A typed `serde` struct loses a whole message to one wrong field; a tree of values costs an allocation a field. This
//! reads an object's known fields into [`Raw`] slots, borrowed from the payload, whatever their type, and notes the
//! names of the others. Knows nothing of what a field means: `fields.rs` judges that.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

/// Elements of a list that are kept; the rest is read and dropped.
const LIST_KEPT: usize = 256;

/// Names of unknown fields that are kept for diagnosis; the rest is only counted.
const UNKNOWN_KEPT: usize = 8;

/// One JSON value as found.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Raw<'a> {
    /// Absent, or null, which means the same.
    #[default]
    Absent,
    Bool(bool),
    Unsigned(u64),
    /// Negative.
    Signed(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Raw<'a>>),
    Object,
}

impl Raw<'_> {
    /// Itself, unless absent.
    pub(crate) fn given(&self) -> Option<&Self> {
        self.is_present().then_some(self)
    }

    pub(crate) fn is_present(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

/// As it is shown to the author of a message: at most 40 characters of a text.
impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Unsigned(n) => write!(f, "{n}"),
            Self::Signed(n) => write!(f, "{n}"),
            Self::Float(n) => write!(f, "{n:e}"),
            Self::Text(t) => write!(f, "{:?}", t.chars().take(40).collect::<String>()),
            Self::List(_) => f.write_str("a list"),
            Self::Object => f.write_str("an object"),
        }
    }
}

impl<'a> From<&'a serde_json::Value> for Raw<'a> {
    fn from(value: &'a serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Absent,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(n) => match (n.as_u64(), n.as_i64()) {
                (Some(n), _) => Self::Unsigned(n),
                (None, Some(n)) => Self::Signed(n),
                (None, None) => n.as_f64().map_or(Self::Absent, Self::Float),
            },
            Value::String(s) => Self::Text(Cow::Borrowed(s)),
            Value::Array(_) => Self::List(Vec::new()),
            Value::Object(_) => Self::Object,
        }
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Raw<'de>, E> {
        Ok(Raw::Bool(v))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Raw<'de>, E> {
        Ok(Raw::Unsigned(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Raw<'de>, E> {
        Ok(Raw::Signed(v))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Raw<'de>, E> {
        Ok(Raw::Float(v))
    }
    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Raw<'de>, E> {
        Ok(Raw::Text(Cow::Borrowed(v)))
    }
    fn visit_str<E>(self, v: &str) -> Result<Raw<'de>, E> {
        Ok(Raw::Text(Cow::Owned(v.to_owned())))
    }
    fn visit_unit<E>(self) -> Result<Raw<'de>, E> {
        Ok(Raw::Absent)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw<'de>, A::Error> {
        let mut list = Vec::new();
        while list.len() < LIST_KEPT {
            match seq.next_element()? {
                Some(element) => list.push(element),
                None => return Ok(Raw::List(list)),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Raw::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Raw::Object)
    }
}

impl<'de> Deserialize<'de> for Raw<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(RawVisitor)
    }
}

/// A field's name, borrowed unless it was escaped.
pub(crate) struct Key<'a>(pub(crate) Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(v)))
            }
            fn visit_str<E>(self, v: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(v.to_owned())))
            }
        }
        d.deserialize_str(KeyVisitor)
    }
}

/// Where a field's value goes.
pub(crate) enum Slot<'s, 'a> {
    /// Kept.
    Known(&'s mut Raw<'a>),
    /// Known and of no use to us.
    Ignored,
    /// Not known.
    Unknown,
}

/// The known fields of one kind of object; made by [`object!`].
pub(crate) trait Fields<'a>: Default {
    /// Every name a known field answers to.
    const KNOWN: &'static [&'static str];

    /// The slot of a name.
    fn slot(&mut self, key: &str) -> Slot<'_, 'a>;
}

/// Declares the known fields of an object, each with the names it answers to.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $($key:literal)|+,)* } ignored { $($ignored:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $name<'a> { $(pub(super) $field: $crate::json::Raw<'a>,)* }

        impl<'a> $crate::json::Fields<'a> for $name<'a> {
            const KNOWN: &'static [&'static str] = &[$($($key,)+)*];

            fn slot(&mut self, key: &str) -> $crate::json::Slot<'_, 'a> {
                match key {
                    $($($key)|+ => $crate::json::Slot::Known(&mut self.$field),)*
                    $($ignored => $crate::json::Slot::Ignored,)*
                    _ => $crate::json::Slot::Unknown,
                }
            }
        }
    };
}
pub(crate) use object;

/// The fields that nobody knows.
#[derive(Debug, Default)]
pub(crate) struct Unknown<'a> {
    /// The first few names.
    pub(crate) names: SmallVec<[Cow<'a, str>; 2]>,
    /// How many.
    pub(crate) count: u32,
}

impl<'a> Unknown<'a> {
    pub(crate) fn add(&mut self, name: Cow<'a, str>) {
        self.count = self.count.saturating_add(1);
        if self.names.len() < UNKNOWN_KEPT {
            self.names.push(name);
        }
    }
}

/// Fills slots from the object that comes next. Of a name that is given twice the last value wins that is not null.
pub(crate) struct Filler<'s, 'a, F> {
    pub(crate) fields: &'s mut F,
    pub(crate) unknown: &'s mut Unknown<'a>,
}

impl<'de, F: Fields<'de>> DeserializeSeed<'de> for Filler<'_, 'de, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de, F: Fields<'de>> Visitor<'de> for Filler<'_, 'de, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            match self.fields.slot(&key) {
                Slot::Known(slot) => {
                    let value: Raw<'de> = map.next_value()?;
                    if value.is_present() {
                        *slot = value;
                    }
                }
                Slot::Ignored => {
                    map.next_value::<IgnoredAny>()?;
                }
                Slot::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    self.unknown.add(key);
                }
            }
        }
        Ok(())
    }
}

/// Reads one object that is the whole payload.
///
/// # Errors
/// Not JSON, not an object, or something behind it.
pub(crate) fn read<'a, F: Fields<'a>>(payload: &'a [u8]) -> Result<(F, Unknown<'a>), serde_json::Error> {
    let (mut fields, mut unknown) = (F::default(), Unknown::default());
    let mut json = serde_json::Deserializer::from_slice(payload);
    Filler { fields: &mut fields, unknown: &mut unknown }.deserialize(&mut json)?;
    json.end()?;
    Ok((fields, unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    object! {
        Sample { lat: "lat" | "latitude", name: "name", } ignored { "skip", }
    }

    #[test]
    fn fields_are_taken_as_they_are_and_the_others_are_named() {
        let (s, unknown) =
            read::<Sample<'_>>(br#"{"latitude":1.5,"name":["a",{"b":[]}],"skip":[1],"x":{},"lat":null}"#).unwrap();
        assert_eq!(s.lat, Raw::Float(1.5));
        assert_eq!(s.name, Raw::List(vec![Raw::Text("a".into()), Raw::Object]));
        assert_eq!((unknown.count, unknown.names[0].as_ref()), (1, "x"));
    }

    #[test]
    fn of_a_doubled_key_the_last_wins() {
        assert_eq!(read::<Sample<'_>>(br#"{"lat":1,"lat":-2}"#).unwrap().0.lat, Raw::Signed(-2));
    }

    #[test]
    fn brackets_and_trailing_garbage_are_errors_and_no_stack_overflow() {
        let deep = "[".repeat(100_000);
        assert!(read::<Sample<'_>>(deep.as_bytes()).is_err());
        assert!(read::<Sample<'_>>(format!("{{\"lat\":{deep}").as_bytes()).is_err());
        assert!(read::<Sample<'_>>(format!("{{\"x\":{deep}").as_bytes()).is_err());
        assert!(read::<Sample<'_>>(b"{} {}").is_err());
        assert!(read::<Sample<'_>>(b"").is_err());
    }
}
