#![allow(clippy::unwrap_used)]
use std::fs;

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    written: Written,
}

fn flags(arguments: &[&str]) -> Written {
    Program::try_parse_from(std::iter::once("virfie").chain(arguments.iter().copied())).unwrap().written
}

fn file(text: &str) -> Written {
    Written::parse(text).unwrap()
}

fn refusal(written: Written) -> String {
    match ServeConfig::resolve(written).unwrap_err() {
        ProgramError::Usage(line) => line,
        ProgramError::Failed(line) => panic!("not a matter of usage: {line}"),
    }
}

#[test]
fn nothing_written_gives_the_defaults() {
    let config = ServeConfig::resolve(Written::default()).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!((config.max_rooms, config.max_participants, config.hold_ms), (64, 16, 2000));
    assert_eq!((config.canvas.width, config.canvas.height, config.canvas.fps), (1280, 720, 30));
    assert_eq!(config.canvas.background, Background::Image("studio.jpg".into()));
    assert_eq!((config.tls, config.model, config.api_key), (Tls::Off, ModelChoice::Embedded, None));
}

#[test]
fn a_flag_beats_the_file_key_by_key() {
    let given = flags(&["--listen", "0.0.0.0:1", "--fps", "25"]);
    let below = file("listen = \"0.0.0.0:2\"\nhold-ms = 500\nbackground = \"#fff\"\n");
    let config = ServeConfig::resolve(given.over(below)).unwrap();
    assert_eq!((config.listen.port(), config.canvas.fps, config.hold_ms), (1, 25, 500));
    assert_eq!(config.canvas.background, Background::Color([255; 3]));
}

#[test]
fn the_environment_is_between_flag_and_file() {
    // Which clap does: a variable fills a flag that is not there. Setting variables in a test would touch other
    // threads, so what is checked is that every key has its variable, and which.
    let command = <Program as clap::CommandFactory>::command();
    for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
        let flag = argument.get_long().unwrap();
        let variable = format!("VIRFIE_{}", flag.replace('-', "_").to_uppercase());
        assert_eq!(argument.get_env().unwrap().to_str().unwrap(), variable);
    }
}

#[test]
fn every_flag_is_a_key_of_the_file() {
    let text = r##"
        listen = "[::]:80"
        data-dir = "/d"
        model = "embedded"
        api-key = "0123456789abcdef"
        tls = "self-signed"
        ice-server = ["stun:a", "turn:u:p@b", "turn:c"]
        turn-secret = "north"
        trusted-proxy = ["10.0.0.0/8", "::1"]
        base-path = "/studio/"
        internal-outputs = true
        webhook = ["https://hooks.example/a?b=c", "http://ann:pw@127.0.0.1:9000/"]
        webhook-secret = "fedcba9876543210"
        public-ip = "192.0.2.1"
        udp-ports = "50000-50999"
        media-port = 3478
        media-tcp = false
        max-rooms = 1
        max-participants = 2
        hold-ms = 0
        background = "#102030"
        canvas = "640x360"
        fps = 15
        max-canvas = "1280x720"
        max-fps = 25
        log-format = "json"
        log-level = "debug"
    "##;
    let config = ServeConfig::resolve(file(text)).unwrap();
    assert_eq!(config.ice_servers.len(), 3);
    assert!(config.ice_servers[2].has_secret() && config.internal_outputs);
    let hooks: Vec<&str> = config.webhooks.iter().map(Webhook::url).collect();
    assert_eq!(hooks, ["https://hooks.example/a?b=c", "http://127.0.0.1:9000/"]);
    assert_eq!(config.webhook_secret.as_deref(), Some("fedcba9876543210"));
    assert!(config.trusts_proxy("10.9.9.9".parse().unwrap()) && config.trusts_proxy("::1".parse().unwrap()));
    assert!(!config.trusts_proxy("11.0.0.1".parse().unwrap()));
    assert_eq!(config.base_path, "/studio");
    assert_eq!((config.udp_ports, config.media_port), (Some((50000, 50999)), 3478));
    assert!(!config.media_tcp && ServeConfig::default().media_tcp);
    assert_eq!(config.public_ip, Some("192.0.2.1".parse().unwrap()));
    assert_eq!((config.canvas.width, config.canvas.height, config.canvas.fps), (640, 360, 15));
    assert_eq!(config.largest_canvas, CanvasLimit { width: 1280, height: 720, fps: 25 });
    assert_eq!((config.tls, config.model), (Tls::SelfSigned, ModelChoice::Embedded));
    assert_eq!((config.max_rooms, config.max_participants, config.hold_ms), (1, 2, 0));
    assert_eq!((config.log_format, config.log_level.as_deref()), (LogFormat::Json, Some("debug")));
    for key in ["tls-cert = \"c\"\ntls-key = \"k\"", "pipelines = \"p\""] {
        file(key);
    }
}

#[test]
fn a_wrong_file_is_named_by_its_key_in_one_line() {
    for (text, key) in [
        ("lisen = \"x\"", "lisen"),
        ("max-rooms = \"many\"", "max-rooms"),
        ("ice-server = [1]", "ice-server"),
        ("listen = ", "line 1"),
        ("max-rooms = 1\nmax-rooms = 2", "line 2"),
    ] {
        let problem = Written::parse(text).unwrap_err();
        assert!(problem.contains(key), "{problem}");
        assert!(!problem.contains('\n') && problem.len() < 120, "{problem}");
    }
}

#[test]
fn a_wrong_value_is_named_by_its_key() {
    for (arguments, key) in [
        (["--listen", "everywhere"], "listen"),
        (["--model", "/no/such/file"], "model"),
        (["--api-key", "two words"], "api-key"),
        (["--api-key", "0123456789abcde"], "api-key"),
        (["--trusted-proxy", "10.0.0.0/99"], "trusted-proxy"),
        (["--base-path", "/a/../b"], "base-path"),
        (["--turn-secret", "north"], "turn-secret"),
        (["--tls", "maybe"], "tls"),
        (["--tls-cert", "c.pem"], "tls-key"),
        (["--tls-key", "k.pem"], "tls-cert"),
        (["--ice-server", "http://x"], "ice-server"),
        (["--public-ip", "here"], "public-ip"),
        (["--udp-ports", "9-1"], "udp-ports"),
        (["--udp-ports", "70000-70001"], "udp-ports"),
        (["--media-port", "70000"], "media-port"),
        (["--pipelines", "/no/such/folder"], "pipelines"),
        (["--max-rooms", "0"], "max-rooms"),
        (["--fps", "61"], "fps"),
        (["--canvas", "1280"], "canvas"),
        (["--canvas", "1281x720"], "canvas"),
        (["--canvas", "99999x720"], "canvas"),
        (["--max-canvas", "1281x720"], "max-canvas"),
        (["--max-fps", "0"], "max-fps"),
        (["--background", "../x.jpg"], "background"),
        (["--log-format", "xml"], "log-format"),
        (["--webhook", "hooks.example"], "webhook"),
        (["--webhook-secret", "fedcba9876543210"], "webhook-secret"),
    ] {
        let line = refusal(flags(&arguments));
        assert!(line.starts_with(&format!("{key}: ")), "{arguments:?}: {line}");
        assert!(!line.contains('\n'));
    }
}

#[test]
fn ice_servers_come_one_by_one_or_with_commas() {
    let config = ServeConfig::resolve(flags(&["--ice-server", "stun:a", "--ice-server", "stun:b,stun:c"])).unwrap();
    assert_eq!(
        config.ice_servers.iter().map(|server| server.url.as_str()).collect::<Vec<_>>(),
        ["stun:a:3478", "stun:b:3478", "stun:c:3478"]
    );
}

#[test]
fn an_empty_value_is_none() {
    let config = ServeConfig::resolve(flags(&["--api-key", "", "--model", "", "--tls", ""])).unwrap();
    assert_eq!((config.api_key, config.model, config.tls), (None, ModelChoice::Embedded, Tls::Off));
}

#[test]
fn a_model_is_a_word_or_a_file_or_the_name_of_one_that_was_fetched() {
    let config = ServeConfig::default();
    let choice = |text: &str| model_choice(text, &config.data_dir);
    assert_eq!((choice("embedded"), choice("none")), (Ok(ModelChoice::Embedded), Ok(ModelChoice::None)));
    let unknown = choice("wide").unwrap_err().to_string();
    assert!(
        unknown.starts_with("there is no file wide, and no ") && unknown.ends_with("models/wide.onnx"),
        "{unknown}"
    );
    fs::create_dir_all(config.models()).unwrap();
    let file = config.models().join("wide.onnx");
    fs::write(&file, "").unwrap();
    assert_eq!(choice("wide"), Ok(ModelChoice::File(file.clone())));
    assert_eq!(choice(&file.to_string_lossy()), Ok(ModelChoice::File(file)));
    assert!(choice("../models/wide").is_err());
    fs::remove_dir_all(&config.data_dir).unwrap();
}

#[test]
fn keys_and_secrets_are_never_shown() {
    let hook = Webhook::parse("https://u:hunter2@hooks.example/hunter2?key=hunter2").unwrap();
    let config = ServeConfig {
        api_key: Some("hunter2".into()),
        webhooks: vec![hook],
        webhook_secret: Some("hunter2".into()),
        ..ServeConfig::default()
    };
    let shown = format!("{config:?}");
    assert!(shown.contains("https://hooks.example") && !shown.contains("hunter2"), "{shown}");
    let short = refusal(flags(&["--webhook", "https://h/", "--webhook-secret", "hunter2"]));
    assert!(short.starts_with("webhook-secret: has 7 characters") && !short.contains("hunter2"), "{short}");
    let wrong = refusal(flags(&["--webhook", "gopher://u:hunter2@h/"]));
    assert!(!wrong.contains("hunter2"), "{wrong}");
}

#[test]
fn new_rooms_fit_into_the_largest_canvas() {
    let config = ServeConfig::resolve(flags(&["--max-canvas", "640x360", "--max-fps", "15"])).unwrap();
    assert_eq!((config.canvas.width, config.canvas.height, config.canvas.fps), (640, 360, 15));
    let limit = ["--max-canvas", "640x360", "--max-fps", "15"];
    let refused = |more: [&str; 2]| refusal(flags(&[limit.as_slice(), &more].concat()));
    assert!(refused(["--canvas", "1280x720"]).starts_with("canvas: 1280x720 is more than"));
    assert!(refused(["--fps", "30"]).starts_with("fps: 30 is more than"));
}

/// Returns the configuration that the package installs, with the lines of options in use: defaults, or all lines.
fn packaged(examples: bool) -> Written {
    let options = include_str!("../../packaging/virfie.toml").lines().filter_map(|line| {
        let option =
            line.strip_prefix('#').filter(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase()))?;
        (examples || !option.ends_with("# an example")).then_some(option)
    });
    file(&options.collect::<Vec<_>>().join("\n"))
}

#[test]
fn the_packaged_configuration_shows_every_option_and_changes_nothing() {
    assert_eq!(file(include_str!("../../packaging/virfie.toml")).over(Written::default()).listen, None);
    let shown = format!("{:?}", packaged(true));
    assert!(!shown.contains("None"), "an option is missing: {shown}");
    // Two are those of the service, and the log's default is left to the log.
    let own = Written { data_dir: None, recordings: None, log_level: None, ..packaged(false) };
    assert_eq!(ServeConfig::resolve(own).unwrap(), ServeConfig::resolve(Written::default()).unwrap());
}
