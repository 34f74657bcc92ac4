//! Compiles our `.proto` files without protoc.
//!
//! Two views come out of one compilation: the descriptor set as written (for JSON, reflection and the refusal of
//! unknown fields), and Rust types in which a message field marked `(gogoproto.nullable) = false` is not optional and
//! always encoded, as the reference encodes it. prost has that notion only as proto2's `required`, so the label is
//! changed in the copy that goes to the generator.

use std::{env, error::Error, fs, path::Path, path::PathBuf};

use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::{FileDescriptorSet, field_descriptor_proto::Label};
use prost_reflect::{DescriptorPool, MessageDescriptor, Value};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &root, &mut files)?;
    files.sort();

    let mut compiler = protox::Compiler::new([&root])?;
    compiler
        .include_imports(true)
        .include_source_info(false)
        .open_files(&files)?;
    let pool = compiler.descriptor_pool();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(
        out.join("descriptors.bin"),
        compiler.encode_file_descriptor_set(),
    )?;

    let mut set = FileDescriptorSet::decode(compiler.encode_file_descriptor_set().as_slice())?;
    mark_always_encoded(&pool, &mut set)?;

    let mut config = prost_build::Config::new();
    config
        .btree_map(["."])
        .bytes(["."])
        .extern_path(".tendermint.abci", "::tendermint_proto::v0_38::abci")
        .extern_path(".tendermint.types", "::tendermint_proto::v0_38::types")
        .extern_path(".tendermint.crypto", "::tendermint_proto::v0_38::crypto")
        .extern_path(".tendermint.version", "::tendermint_proto::v0_38::version")
        .extern_path(".tendermint.p2p", "::tendermint_proto::v0_38::p2p")
        .enable_type_names()
        .include_file("mod.rs");
    if env::var_os("CARGO_FEATURE_GRPC").is_some() {
        tonic_prost_build::configure()
            .build_server(false)
            .build_transport(false)
            .compile_fds_with_config(set, config)?;
    } else {
        config.compile_fds(set)?;
    }
    Ok(())
}

/// Finds every `.proto` file below `dir`, named relative to `root`.
fn collect(root: &Path, dir: &Path, files: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(
                path.strip_prefix(root)?
                    .to_string_lossy()
                    .replace('\\', "/"),
            );
        }
    }
    Ok(())
}

/// Turns every singular message field with `(gogoproto.nullable) = false` into a required one.
fn mark_always_encoded(
    pool: &DescriptorPool,
    set: &mut FileDescriptorSet,
) -> Result<(), Box<dyn Error>> {
    let nullable = pool
        .get_extension_by_name("gogoproto.nullable")
        .ok_or("gogoproto/gogo.proto must define the extension `nullable`")?;
    let always = |message: &MessageDescriptor, number: i32| {
        let field = u32::try_from(number)
            .ok()
            .and_then(|number| message.get_field(number));
        field.is_some_and(|field| {
            let options = field.options();
            options.has_extension(&nullable)
                && options.get_extension(&nullable).as_ref() == &Value::Bool(false)
                && field.kind().as_message().is_some()
                && !field.is_list()
        })
    };
    for file in &mut set.file {
        let package = file.package().to_owned();
        for message in &mut file.message_type {
            let name = format!("{package}.{}", message.name());
            let descriptor = pool
                .get_message_by_name(&name)
                .ok_or("message without descriptor")?;
            for field in &mut message.field {
                if always(&descriptor, field.number()) {
                    field.set_label(Label::Required);
                }
            }
        }
    }
    Ok(())
}
