//! Makes the folder of the web page when it has not been built, because the page is embedded at compile time.

use std::{fs, path::Path};

const NOT_BUILT: &str =
    "<!doctype html><title>Virfie</title><p>The page is not built; run <code>make web</code>.</p>\n";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=web/dist");
    let page = Path::new("web/dist/index.html");
    if !page.exists() {
        fs::create_dir_all("web/dist").expect("the folder web can be written");
        fs::write(page, NOT_BUILT).expect("the folder web/dist can be written");
    }
}
