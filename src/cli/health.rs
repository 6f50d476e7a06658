//! `virfie health`: whether a running server is well, by the exit code. For containers and watchers, which need no
//! other HTTP client then.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use ureq::{Agent, tls::TlsConfig};

use crate::error::ProgramError;

/// Longest time that the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Most that is read of an answer, in bytes. `/readyz` has some hundred.
const MOST_READ: u64 = 64 << 10;

/// Asks a running server whether it is well.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The question: /readyz whether the server takes requests, /healthz whether it lives
    #[arg(
        long,
        env = "VIRFIE_HEALTH_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080/readyz",
        hide_env_values = true
    )]
    url: String,
}

/// Runs the command.
///
/// # Errors
/// [`ProgramError::Usage`] for a wrong URL; [`ProgramError::Failed`] when the server does not answer, or is not well.
pub fn run(args: &Args) -> Result<(), ProgramError> {
    let said = ask(&args.url)?;
    // Nobody may be reading, and the server is well all the same.
    let _ = writeln!(io::stdout(), "{said}");
    Ok(())
}

/// Asks, and returns what a server says that is well.
fn ask(url: &str) -> Result<String, ProgramError> {
    if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(ProgramError::Usage(format!("url: {url:?} is not an http or https URL")));
    }
    // No secret is sent, and the certificate is for the name that others know the server by, not for this address.
    let tls = TlsConfig::builder().disable_verification(true).build();
    let config = Agent::config_builder()
        .user_agent(concat!("virfie/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls)
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0)
        // A proxy of the environment does not reach this machine's own servers.
        .proxy(None);
    let agent = config.build().new_agent();
    let failed = |error: ureq::Error| ProgramError::Failed(format!("{url}: {error}"));
    let mut response = agent.get(url).call().map_err(failed)?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(MOST_READ).read_to_string().map_err(failed)?;
    let said = said_in(&body);
    if status == 200 { Ok(said) } else { Err(ProgramError::Failed(format!("{url}: {status} {said}"))) }
}

/// Returns the `status` of a JSON answer, or else the first line.
fn said_in(body: &str) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let status = json.as_ref().and_then(|json| json["status"].as_str());
    status.unwrap_or_else(|| body.lines().next().unwrap_or_default().trim()).to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{
        io::{BufRead as _, BufReader},
        net::TcpListener,
        thread,
    };

    use super::*;

    /// Returns a server that answers one request, and its URL.
    fn answering(status: &str, body: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/readyz", listener.local_addr().unwrap());
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let lines = BufReader::new(connection.try_clone().unwrap()).lines();
            // The head ends with an empty line.
            for _ in lines.map_while(|line| line.ok().filter(|line| !line.is_empty())) {}
            connection.write_all(answer.as_bytes()).unwrap();
        });
        url
    }

    #[test]
    fn a_server_that_is_well_is_no_error() {
        assert_eq!(ask(&answering("200 OK", r#"{"status": "degraded"}"#)).unwrap(), "degraded");
        assert_eq!(ask(&answering("200 OK", "ok\n")).unwrap(), "ok");
    }

    #[test]
    fn one_that_is_not_well_and_one_that_is_not_there_are_named_by_their_address() {
        let url = answering("503 Service Unavailable", r#"{"status": "draining"}"#);
        assert_eq!(ask(&url).unwrap_err(), ProgramError::Failed(format!("{url}: 503 draining")));
        let nobody = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            format!("http://{}/readyz", listener.local_addr().unwrap())
        };
        let error = ask(&nobody).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(error.to_string().starts_with(&nobody), "{error}");
        assert_eq!(ask("127.0.0.1:8080").unwrap_err().exit_code(), 2);
    }
}
