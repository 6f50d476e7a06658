//! Log lines on stderr, and numbers for Prometheus.

use std::{
    io::{self, IsTerminal as _},
    sync::OnceLock,
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::{build_info, config::LogFormat, error::ProgramError};

/// Directives of the log when nobody sets others. tract logs every rewriting of a model's graph.
const DEFAULT_DIRECTIVES: &str = "info,tract=warn";

/// Whatever is asked for: what the HTTP client says of its requests shows paths and headers, and so the secrets of
/// webhooks.
const HTTP_CLIENT: [&str; 2] = ["ureq=info", "ureq_proto=info"];

/// Upper ends of the buckets of every `…_seconds` histogram: from a part of a frame to a slow request.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Returns what of the log is shown.
fn filter(level: Option<&str>) -> Result<EnvFilter, ProgramError> {
    let directives = level.unwrap_or(DEFAULT_DIRECTIVES);
    let mut filter = EnvFilter::try_new(directives)
        .map_err(|error| ProgramError::Usage(format!("log-level: {directives:?} cannot be read: {error}")))?;
    for quiet in HTTP_CLIENT {
        filter = filter.add_directive(quiet.parse().expect("it is a crate and a level"));
    }
    Ok(filter)
}

/// Sends log lines to stderr from now on. `level` is a level or a list of `tracing` directives.
///
/// # Errors
/// [`ProgramError::Usage`] when `level` cannot be read. A second call in a process changes nothing and is no error.
pub fn start(format: LogFormat, level: Option<&str>) -> Result<(), ProgramError> {
    let filter = filter(level)?;
    let colours = io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours);
    // Fails when there is a subscriber already, which is as good.
    let _ = match format {
        LogFormat::Text => builder.with_target(true).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// Returns the process's metrics. The first call makes the recorder; call it before anything is counted.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .expect("the list of buckets is not empty");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Fails when a test has installed its own recorder; then this one stays empty.
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder is installed; /metrics will be empty");
        }
        metrics::describe_gauge!("virfie_build_info", "Always 1; its labels say which program runs");
        let revision = build_info::revision().unwrap_or("unknown");
        metrics::gauge!("virfie_build_info", "version" => build_info::VERSION, "revision" => revision).set(1.0);
        handle
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_wrong_level_is_named_by_its_key() {
        let error = start(LogFormat::Text, Some("virfie=loud")).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().starts_with("log-level: "), "{error}");
    }

    #[test]
    fn the_program_s_name_means_all_of_its_crates() {
        use tracing::{Level, enabled, subscriber::with_default};
        use tracing_subscriber::layer::SubscriberExt as _;

        let subscriber = tracing_subscriber::registry().with(filter(Some("warn,virfie=debug")).unwrap());
        with_default(subscriber, || {
            assert!(enabled!(target: "virfie::control", Level::DEBUG));
            assert!(enabled!(target: "virfie_segment::models", Level::DEBUG));
            assert!(enabled!(target: "virfie_layout", Level::DEBUG));
            assert!(!enabled!(target: "virfie_segment::models", Level::TRACE));
            assert!(!enabled!(target: "hyper", Level::DEBUG));
        });
    }

    #[test]
    fn what_is_counted_is_rendered() {
        let handle = metrics();
        metrics::counter!("virfie_test_total").increment(2);
        metrics::histogram!("virfie_test_seconds").record(0.02);
        let text = handle.render();
        assert!(text.contains("virfie_test_total 2"), "{text}");
        assert!(text.contains("virfie_test_seconds_bucket{le=\"0.025\"} 1"), "{text}");
        assert!(std::ptr::eq(handle, metrics()));
        let build = text.lines().find(|line| line.starts_with("virfie_build_info{")).unwrap();
        assert!(build.contains(&format!("version=\"{}\"", build_info::VERSION)), "{build}");
        assert!(build.contains("revision=\"") && build.ends_with(" 1"), "{build}");
    }
}
