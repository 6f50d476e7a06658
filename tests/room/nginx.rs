//! An RTMP server of the test's own: nginx with its RTMP module, in a folder of its own.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use tokio::net::TcpStream;

use super::server::until;

/// Folders in which distributions keep the module; some build it in, then it needs no line.
const MODULES: [&str; 3] = [
    "/usr/lib/nginx/modules/ngx_rtmp_module.so",
    "/usr/lib64/nginx/modules/ngx_rtmp_module.so",
    "/usr/share/nginx/modules/ngx_rtmp_module.so",
];

/// The stream key of tests: it must be seen nowhere.
pub const KEY: &str = "sekret-stream-key-4711";

pub struct Nginx {
    folder: TempDir,
    pub port: u16,
    child: Option<Child>,
}

/// Returns a port that nobody listens at.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Nginx {
    /// Prepares one, or says aloud why it is missing.
    pub fn find() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let module = MODULES.iter().find(|module| Path::new(module).exists());
        let module = module.map(|module| format!("load_module {module};\n")).unwrap_or_default();
        let text = format!(
            "{module}daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log error.log;\n\
             events {{ worker_connections 64; }}\n\
             rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; }} }} }}\n"
        );
        fs::write(folder.path().join("nginx.conf"), text).unwrap();
        let nginx = Self { folder, port, child: None };
        match nginx.command().arg("-t").output() {
            Ok(checked) if checked.status.success() => Some(nginx),
            Ok(checked) => {
                eprintln!("SKIPPED: nginx has no RTMP module: {}", String::from_utf8_lossy(&checked.stderr));
                None
            }
            Err(error) => {
                eprintln!("SKIPPED: nginx is not installed: {error}");
                None
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("nginx");
        command.arg("-p").arg(self.folder.path()).args(["-e", "error.log", "-c"]);
        command.arg(self.folder.path().join("nginx.conf")).stdin(Stdio::null());
        command
    }

    /// Starts it, and waits until it answers.
    pub async fn start(&mut self) {
        self.child = Some(self.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let port = self.port;
        until("nginx listens", async || TcpStream::connect(("127.0.0.1", port)).await.ok()).await;
    }

    /// Kills it without a word.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Returns where to publish.
    pub fn url(&self) -> String {
        format!("rtmp://127.0.0.1:{}/live/{KEY}", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.kill();
    }
}
