//! GTFS-Realtime as generated from `proto/gtfs-realtime.proto`: protobuf by prost, protobuf-JSON by pbjson.
//!
//! Readers accept snake_case and camelCase names and skip unknown fields and enum words; writers write camelCase.
//! Knows nothing of observations: see `formats::gtfs_rt` for what is made of a message.

include!(concat!(env!("OUT_DIR"), "/gtfs_realtime.rs"));
