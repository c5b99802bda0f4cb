//! Compiles `proto/gtfs-realtime.proto` to Rust types and their protobuf-JSON mapping, without `protoc`.

#![expect(clippy::disallowed_methods, reason = "a build script has no other way to read and write")]

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const PROTO: &str = "proto/gtfs-realtime.proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTO}");
    let descriptors = protox::compile([PROTO], ["proto"])?;
    let encoded = descriptors.encode_to_vec();

    // The comments of the .proto would become doc comments, and its indented examples code that does not compile.
    prost_build::Config::new().disable_comments(["."]).compile_fds(descriptors)?;
    pbjson_build::Builder::new()
        .register_descriptors(&encoded)?
        .ignore_unknown_fields()
        .ignore_unknown_enum_variants()
        .build(&[".transit_realtime"])?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    let (types, json) = (out.join("transit_realtime.rs"), out.join("transit_realtime.serde.rs"));
    let both = fs::read_to_string(&types)? + &fs::read_to_string(&json)?;
    fs::write(out.join("gtfs_realtime.rs"), both)?;
    Ok(())
}
