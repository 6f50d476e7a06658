//! The GStreamer plugin is installed beside the program, as the Debian package does it.

use std::{env, path::Path};

use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use super::{
    meet,
    server::{PROGRAM, Server, arguments},
    show_ann,
    studio::Studio,
};

/// The plugin offers an element of the same name. The server ended at once when it took that one for the first sender.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_beside_the_installed_plugin_takes_its_own_element() {
    let (data, place, studio) = (TempDir::new().unwrap(), TempDir::new().unwrap(), Studio::new());
    let test = env::current_exe().unwrap();
    let plugins = test.parent().and_then(Path::parent).unwrap().join("examples");
    assert!(plugins.join("libgstbodypix.so").exists(), "no plugin in {}", plugins.display());
    let mut command = Command::new(PROGRAM);
    command.args(arguments(data.path()));
    command.env("GST_PLUGIN_PATH", &plugins).env("GST_REGISTRY", place.path().join("registry.bin"));
    let server = Server::run(command).await.expect("the server starts");
    server.send("PUT", "/rooms/demo", &json!({})).await.expect(201);
    show_ann(&server).await;
    let source = studio.source("red", 440.0);
    let _both = meet(&server, &source).await;
    let room = server.get("/rooms/demo").await.expect(200).json();
    assert_eq!(room["health"]["rebuilds"], 0);
}
