//! A GeoJSON geometry, checked: a known type, every position on the globe, bounded in size.
//!
//! The library knows GeoJSON's shape; this knows what a place of ours may be.

use geojson::{Geometry, GeometryValue, Position};
use serde::Deserialize as _;
use transit::Coordinate;

/// Positions in one geometry.
const POSITIONS_MAX: usize = 20_000;
/// Collections within collections.
const DEPTH_MAX: usize = 4;

/// The geometry as compact text.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn check(value: &serde_json::Value) -> Result<String, String> {
    if value.get("type").and_then(|t| t.as_str()) == Some("Feature") {
        return Err("is a GeoJSON Feature; write its geometry alone".to_owned());
    }
    let geometry = Geometry::deserialize(value).map_err(|e| format!("is no GeoJSON geometry: {e}"))?;
    let mut positions = 0;
    check_value(&geometry.value, &mut positions, DEPTH_MAX)?;
    if positions == 0 {
        return Err("has no positions".to_owned());
    }
    Ok(geometry.to_string())
}

fn check_value(value: &GeometryValue, positions: &mut usize, depth: usize) -> Result<(), String> {
    match value {
        GeometryValue::Point { coordinates } => check_line(std::slice::from_ref(coordinates), 1, positions),
        GeometryValue::MultiPoint { coordinates } => check_line(coordinates, 1, positions),
        GeometryValue::LineString { coordinates } => check_line(coordinates, 2, positions),
        GeometryValue::MultiLineString { coordinates } => {
            coordinates.iter().try_for_each(|line| check_line(line, 2, positions))
        }
        GeometryValue::Polygon { coordinates } => check_rings(coordinates, positions),
        GeometryValue::MultiPolygon { coordinates } => {
            coordinates.iter().try_for_each(|rings| check_rings(rings, positions))
        }
        GeometryValue::GeometryCollection { geometries } => {
            let depth = depth.checked_sub(1).ok_or("has collections within collections within collections")?;
            geometries.iter().try_for_each(|g| check_value(&g.value, positions, depth))
        }
    }
}

fn check_rings(rings: &[Vec<Position>], positions: &mut usize) -> Result<(), String> {
    for ring in rings {
        check_line(ring, 4, positions)?;
        if ring.first() != ring.last() {
            return Err("has a ring whose last position is not its first".to_owned());
        }
    }
    Ok(())
}

fn check_line(line: &[Position], least: usize, positions: &mut usize) -> Result<(), String> {
    if line.len() < least {
        return Err(format!("has a part of {} positions, at least {least} are needed", line.len()));
    }
    *positions += line.len();
    if *positions > POSITIONS_MAX {
        return Err(format!("has more than {POSITIONS_MAX} positions"));
    }
    line.iter().try_for_each(check_position)
}

fn check_position(position: &Position) -> Result<(), String> {
    let [lon, lat, ..] = position.as_slice() else {
        return Err("has a position of fewer than two numbers".to_owned());
    };
    Coordinate::parse(*lat, *lon).map(|_| ()).map_err(|e| {
        let swapped = Coordinate::parse(*lon, *lat).is_ok();
        let hint = if swapped { "; GeoJSON writes longitude first" } else { "" };
        format!("has the position [{lon}, {lat}], which {e}{hint}")
    })
}
