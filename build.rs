//! Makes the folder of the web page when it has not been built, because the page is embedded at compile time, and passes
//! on what a release says of itself (`src/build_info.rs`).

use std::{env, fs, path::Path};

const NOT_BUILT: &str =
    "<!doctype html><title>Virfie</title><p>The page is not built; run <code>make web</code>.</p>\n";

/// Variables that a release sets, each with the name under which the crate finds it.
const SAID: [(&str, &str); 2] =
    [("VIRFIE_REVISION", "VIRFIE_BUILT_REVISION"), ("SOURCE_DATE_EPOCH", "VIRFIE_BUILT_EPOCH")];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=web/dist");
    let page = Path::new("web/dist/index.html");
    if !page.exists() {
        fs::create_dir_all("web/dist").expect("the folder web can be written");
        fs::write(page, NOT_BUILT).expect("the folder web/dist can be written");
    }
    for (given, found) in SAID {
        println!("cargo:rerun-if-env-changed={given}");
        if let Some(text) = env::var(given).ok().filter(|text| !text.contains(['\n', '\r'])) {
            println!("cargo:rustc-env={found}={text}");
        }
    }
}
