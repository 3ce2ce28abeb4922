//! A configuration file and a variable from anywhere: refused with a message, or sound.
#![no_main]

use attune::config::{Config, Sources};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str)| {
    let (file, name, value) = input;
    let _ = Config::load(&Sources {
        file: Some(("file".into(), file.into())),
        environment: vec![(format!("ATTUNE_{name}"), value.into())],
        flags: vec![(name.into(), value.into())],
    });
});
