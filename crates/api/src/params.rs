//! Query parameters: one table says what a route takes; reading, refusing and documenting all go by it.

use std::marker::PhantomData;

use axum::{
    extract::{FromRequestParts, Query as AxumQuery},
    http::request::Parts,
};
use picture::Freshness;
use publish::Lang;
use transit::Word;
use utoipa::{
    IntoParams,
    openapi::{
        Array, ObjectBuilder, RefOr, Required, Schema, Type,
        path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle},
    },
};

use crate::problem::ApiError;

/// What a parameter may hold.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// Free text.
    Text,
    /// Text of a form.
    Pattern(&'static str),
    /// One of a vocabulary.
    Words(fn() -> Vec<&'static str>),
    /// A whole number in a range.
    Whole(i64, i64),
    /// A number from 0 to a bound.
    UpTo(f64),
    /// A number in a range.
    Number(f64, f64),
}

/// One parameter of a route.
pub(crate) struct Param {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it may hold.
    pub(crate) shape: Shape,
    /// Several values, by commas and by repeating it.
    pub(crate) many: bool,
    /// What it does.
    pub(crate) doc: &'static str,
}

/// The words of a vocabulary.
pub(crate) fn words<W: Word>() -> Vec<&'static str> {
    W::ALL.iter().map(|w| w.word()).collect()
}

/// A single-valued parameter.
pub(crate) const fn one(name: &'static str, shape: Shape, doc: &'static str) -> Param {
    Param { name, shape, many: false, doc }
}

/// A parameter of several values.
pub(crate) const fn many(name: &'static str, shape: Shape, doc: &'static str) -> Param {
    Param { name, shape, many: true, doc }
}

/// Form of a cursor.
pub(crate) const CURSOR: &str = "^[^~]{1,64}-[0-9]{1,20}$";

/// What narrows vehicles down.
pub(crate) const VEHICLE_FILTERS: &[Param] = &[
    many("agency_id", Shape::Text, "Vehicles of these agencies."),
    many("route_id", Shape::Text, "Vehicles on these routes."),
    many("direction_id", Shape::Whole(0, 1), "Vehicles in this direction."),
    many("trip_id", Shape::Text, "Vehicles on these trips."),
    many("vehicle_id", Shape::Text, "These vehicles: the number within its agency, or `agency/number`."),
    many("mode", Shape::Words(words::<transit::Mode>), "Vehicles of these modes."),
    BBOX,
    many("freshness", Shape::Words(words::<Freshness>), "Vehicles this fresh."),
    many("journey_state", Shape::Words(words::<transit::JourneyState>), "Vehicles doing this."),
    one("max_age_s", Shape::UpTo(86_400.0), "Vehicles whose newest message is at most this many seconds old."),
];

/// A box.
pub(crate) const BBOX: Param = one(
    "bbox",
    Shape::Pattern(r"^-?[0-9]{1,3}(\.[0-9]{1,12})?(,-?[0-9]{1,3}(\.[0-9]{1,12})?){3}$"),
    "What lies in this box: west,south,east,north in degrees. West greater than east crosses the date line.",
);

/// Paging, picking and ordering.
pub(crate) const PAGING: &[Param] = &[
    one("limit", Shape::Whole(1, 100_000), "At most this many; `meta.next` continues."),
    one(
        "cursor",
        Shape::Pattern("^.{1,64}-[0-9]{1,20}~.{1,400}$"),
        "Continue after the page that gave this as `meta.next`.",
    ),
    many("fields", Shape::Text, "Only these keys of each record; `id` is always there."),
];

/// Waiting for a change.
pub(crate) const WAIT: Param = one(
    "wait",
    Shape::UpTo(30.0),
    "Hold the answer until this collection changes, at most this many seconds. The change is counted from \
     `since`, else from If-None-Match, else from now.",
);

/// Changes since a cursor.
pub(crate) const SINCE: Param =
    one("since", Shape::Pattern(CURSOR), "Only what changed after this cursor, `meta.cursor` of an earlier answer.");

/// A language.
pub(crate) const LANG: Param =
    one("lang", Shape::Words(words::<Lang>), "Language of headlines and all other texts; default en.");

/// The parameters of one route.
pub(crate) trait Query: Send + Sync + 'static {
    /// Its tables, joined.
    const TABLES: &'static [&'static [Param]];
}

/// Names the parameters of a route: `query!(Name = TABLE, TABLE)`.
macro_rules! query {
    ($(#[$doc:meta])* $name:ident = $($table:expr),* $(,)?) => {
        $(#[$doc])*
        pub(crate) struct $name;
        impl $crate::params::Query for $name {
            const TABLES: &'static [&'static [$crate::params::Param]] = &[$($table),*];
        }
        impl utoipa::IntoParams for $name {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                $crate::params::document::<Self>()
            }
        }
    };
}
pub(crate) use query;

query! {
    /// A route without parameters.
    NoQuery =
}

/// The OpenAPI form of a route's parameters.
pub(crate) fn document<Q: Query + IntoParams>() -> Vec<Parameter> {
    Q::TABLES.iter().flat_map(|t| t.iter()).map(document_one).collect()
}

fn document_one(param: &Param) -> Parameter {
    let text = |object: ObjectBuilder| object.schema_type(Type::String);
    let item = match param.shape {
        Shape::Text => text(ObjectBuilder::new()).min_length(Some(1)).max_length(Some(128)),
        Shape::Pattern(pattern) => text(ObjectBuilder::new()).pattern(Some(pattern)),
        Shape::Words(of) => text(ObjectBuilder::new()).enum_values(Some(of())),
        Shape::Whole(from, to) => ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(from)).maximum(Some(to)),
        Shape::UpTo(to) => ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0.0)).maximum(Some(to)),
        Shape::Number(from, to) => ObjectBuilder::new().schema_type(Type::Number).minimum(Some(from)).maximum(Some(to)),
    };
    let schema: RefOr<Schema> =
        if param.many { RefOr::T(Schema::Array(Array::new(item))) } else { RefOr::T(Schema::Object(item.build())) };
    let builder = ParameterBuilder::new()
        .name(param.name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(param.doc))
        .schema(Some(schema));
    if param.many { builder.style(Some(ParameterStyle::Form)).explode(Some(false)).build() } else { builder.build() }
}

/// The parameters of one request, names already checked against `Q`.
pub(crate) struct Params<Q> {
    pairs: Vec<(String, String)>,
    query: PhantomData<fn() -> Q>,
}

impl<S: Send + Sync, Q: Query> FromRequestParts<S> for Params<Q> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::parse(&parts.uri)
    }
}

/// Every record is compared with each of them.
const VALUES_MAX: usize = 500;

fn values_of<'p>(pairs: &'p [(String, String)], name: &str) -> impl Iterator<Item = &'p str> {
    let named = pairs.iter().filter(move |(n, _)| n == name);
    named.flat_map(|(_, v)| v.split(',')).map(str::trim).filter(|v| !v.is_empty())
}

impl<Q: Query> Params<Q> {
    fn parse(uri: &axum::http::Uri) -> Result<Self, ApiError> {
        if uri.query().is_none_or(str::is_empty) {
            return Ok(Self { pairs: Vec::new(), query: PhantomData });
        }
        let mut pairs = match AxumQuery::<Vec<(String, String)>>::try_from_uri(uri) {
            Ok(AxumQuery(pairs)) => pairs,
            Err(rejection) => {
                tracing::debug!(error = %rejection, "query not readable");
                return Err(ApiError::bad_query());
            }
        };
        // `_` is what cache-busting clients add.
        pairs.retain(|(name, _)| name != "_");
        let names = || Q::TABLES.iter().flat_map(|t| t.iter()).map(|p| p.name);
        if let Some((unknown, _)) = pairs.iter().find(|(name, _)| !names().any(|known| known == name)) {
            let known: Vec<&str> = names().collect();
            return Err(ApiError::unknown_parameter(unknown, &known.join(", ")).meaning(nearest(unknown, &known)));
        }
        if let Some(name) = names().find(|name| values_of(&pairs, name).nth(VALUES_MAX).is_some()) {
            let allowed = format!("at most {VALUES_MAX} values; ask for all and pick");
            return Err(ApiError::bad_parameter(name, "more", &allowed));
        }
        Ok(Self { pairs, query: PhantomData })
    }

    /// Nothing was asked for but perhaps a format.
    pub(crate) fn is_plain(&self) -> bool {
        self.pairs.iter().all(|(name, _)| name == "f")
    }

    /// The parameter was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(n, _)| n == name)
    }

    /// The only value of a parameter.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.pairs.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let first = values.next();
        match values.next() {
            Some(second) => Err(ApiError::bad_parameter(name, second, "one value; it was given twice")),
            None => Ok(first),
        }
    }

    /// Every value of a parameter, by commas and repeats.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        values_of(&self.pairs, name)
    }

    /// Every value as owned text.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        self.all(name).map(str::to_owned).collect()
    }

    /// Every value as a word of `W`.
    pub(crate) fn words<W: Word>(&self, name: &str) -> Result<Vec<W>, ApiError> {
        self.all(name)
            .map(|v| {
                let known = words::<W>();
                let refused = || ApiError::bad_parameter(name, v, &known.join(", ")).meaning(nearest(v, &known));
                W::find(v).ok_or_else(refused)
            })
            .collect()
    }

    /// A whole number within bounds.
    pub(crate) fn whole(&self, name: &str, from: i64, to: i64) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.one(name)? else { return Ok(None) };
        match value.parse::<i64>().ok().filter(|n| (from..=to).contains(n)) {
            Some(n) => Ok(Some(n)),
            None => Err(ApiError::bad_parameter(name, value, &format!("a whole number from {from} to {to}"))),
        }
    }

    /// A number from 0 to a bound, in milliseconds when it counts seconds.
    pub(crate) fn seconds(&self, name: &str, to: f64) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.one(name)? else { return Ok(None) };
        match value.parse::<f64>().ok().filter(|n| (0.0..=to).contains(n)) {
            Some(n) => Ok(Some((n * 1000.0).round() as i64)),
            None => Err(ApiError::bad_parameter(name, value, &format!("a number from 0 to {to}"))),
        }
    }

    /// A number within bounds.
    pub(crate) fn number(&self, name: &str, from: f64, to: f64) -> Result<Option<f64>, ApiError> {
        let Some(value) = self.one(name)? else { return Ok(None) };
        match value.parse::<f64>().ok().filter(|n| (from..=to).contains(n)) {
            Some(n) => Ok(Some(n)),
            None => Err(ApiError::bad_parameter(name, value, &format!("a number from {from} to {to}"))),
        }
    }

    /// A box.
    pub(crate) fn bbox(&self) -> Result<Option<Bbox>, ApiError> {
        let Some(value) = self.one("bbox")? else { return Ok(None) };
        match Bbox::parse(value) {
            Some(bbox) => Ok(Some(bbox)),
            None => Err(ApiError::bad_parameter(
                "bbox",
                value,
                "west,south,east,north in degrees, south not above north, like 24.8,60.1,25.1,60.3",
            )),
        }
    }

    /// The language, default `en`.
    pub(crate) fn lang(&self) -> Result<Lang, ApiError> {
        let Some(tag) = self.one("lang")? else { return Ok(Lang::En) };
        Lang::find_tag(tag).ok_or_else(|| ApiError::bad_parameter("lang", tag, &words::<Lang>().join(", ")))
    }
}

/// The known name nearest to an unknown one, when near enough to be meant.
pub(crate) fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .copied()
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// A box on the globe in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bbox {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl Bbox {
    fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<f64> = text.split(',').map(|n| n.trim().parse().ok()).collect::<Option<_>>()?;
        let [west, south, east, north] = numbers[..] else { return None };
        let lon = |x: f64| (-180.0..=180.0).contains(&x);
        let lat = |y: f64| (-90.0..=90.0).contains(&y);
        (lon(west) && lon(east) && lat(south) && lat(north) && south <= north).then_some(Self {
            west,
            south,
            east,
            north,
        })
    }

    /// The place lies in it, edges included.
    pub(crate) fn contains(&self, lat: f64, lon: f64) -> bool {
        let across = if self.west <= self.east {
            (self.west..=self.east).contains(&lon)
        } else {
            lon >= self.west || lon <= self.east
        };
        across && (self.south..=self.north).contains(&lat)
    }

    /// Some of it lies in the box, edges included.
    pub(crate) fn touches(&self, extent: &room::Extent) -> bool {
        let east = if self.west <= self.east { self.east } else { self.east + 360.0 };
        let across = |turn: f64| extent.west + turn <= east && extent.east + turn >= self.west;
        extent.south <= self.north && extent.north >= self.south && [-360.0, 0.0, 360.0].into_iter().any(across)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_may_cross_the_date_line() {
        let fiji = Bbox::parse("177,-20,-178,-15").unwrap();
        assert!(fiji.contains(-18.0, 179.0) && fiji.contains(-18.0, -179.0));
        assert!(!fiji.contains(-18.0, 0.0));
        let strait = room::Extent { south: -17.0, north: -16.0, west: 178.0, east: 183.0 };
        assert!(fiji.touches(&strait));
        assert!(fiji.touches(&room::Extent { west: -178.5, east: -170.0, ..strait }));
        assert!(!fiji.touches(&room::Extent { west: -177.5, east: 176.5, ..strait }));
        assert!(!fiji.touches(&room::Extent { south: -14.0, ..strait }));
        for bad in ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "0,10,1,5", "0,0,NaN,1", "200,0,201,1"] {
            assert_eq!(Bbox::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_slip_of_the_finger_finds_the_name_that_was_meant() {
        let known = ["route_id", "agency_id", "vehicle_id", "mode"];
        assert_eq!(nearest("rout_id", &known), Some("route_id"));
        assert_eq!(nearest("route", &known), Some("route_id"));
        assert_eq!(nearest("xyzzy", &known), None);
    }
}
