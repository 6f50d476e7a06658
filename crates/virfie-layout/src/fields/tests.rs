#![allow(clippy::unwrap_used)]
use std::time::Duration;

use jiff::Timestamp;

use super::*;

fn literal(text: &str) -> Piece {
    Piece::Literal(text.to_owned())
}

fn field(text: &str) -> Field {
    match parse(text).as_slice() {
        [Piece::Field(field)] => field.clone(),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_text_is_parted_at_its_fields() {
    let data =
        |key: &str, default: &str| Piece::Field(Field::Data { key: key.to_owned(), default: default.to_owned() });
    assert_eq!(
        parse("Home {data.home|0}:{data.away} !"),
        [literal("Home "), data("home", "0"), literal(":"), data("away", ""), literal(" !")]
    );
    assert_eq!(field("{name}"), Field::Name(None));
    assert_eq!(field("{name ann-2}"), Field::Name(Some("ann-2".to_owned())));
    assert_eq!(field("{viewers}"), Field::Viewers);
    assert_eq!((field("{chat}"), field("{chat 20}")), (Field::Chat(5), Field::Chat(20)));
    assert_eq!(field("{countdown start}"), Field::Countdown("start".to_owned()));
    assert_eq!(field("{stopwatch lap_1}"), Field::Stopwatch("lap_1".to_owned()));
    assert_eq!(field("{countdown 20:15}"), Field::Until(Time::constant(20, 15, 0, 0), None));
    assert_eq!(field("{countdown 8:05:30 UTC}"), Field::Until(Time::constant(8, 5, 30, 0), Some(TimeZone::UTC)));
    assert_eq!(field("{data.a|, b | c}"), Field::Data { key: "a".to_owned(), default: ", b | c".to_owned() });
}

#[test]
fn braces_without_a_field_are_braces() {
    for text in [
        "plain",
        "{",
        "}",
        "{}",
        "{ }",
        "{{",
        "{{}}",
        "a { b } c",
        "{x: 1}",
        "{{mustache}}",
        "{Name}",
        "{ name }",
        "{na\nme}",
        "{score}",
        "{name {clock",
        "}{",
        "{{ name }}",
        "{0}",
    ] {
        assert_eq!(parse(text), [literal(text)], "{text}");
        assert!(!is_living(text) && faults(text).is_empty(), "{text}");
    }
    assert!(parse("").is_empty());
    assert_eq!(parse("{{score} {viewers}"), [literal("{{score} "), Piece::Field(Field::Viewers)]);
    assert_eq!(parse("{a {viewers}"), [literal("{a "), Piece::Field(Field::Viewers)]);
}

#[test]
fn two_braces_show_a_field_as_it_is_written() {
    assert_eq!(parse("{{name}}"), [literal("{name}")]);
    assert_eq!(parse("write {{data.x|1}} or {{clock}!"), [literal("write {data.x|1} or {clock}!")]);
    assert_eq!(parse("{{clock qq}}"), [literal("{clock qq}")]);
    assert!(is_living("{{name}}") && faults("{{clock qq}}").is_empty());
}

#[test]
fn what_a_field_cannot_say_is_named() {
    for wrong in [
        "{name a b}",
        "{clock HH:mn}",
        "{clock Mars/Phobos}",
        "{clock HH:mm Mars/Phobos}",
        "{clock :}",
        "{countdown}",
        "{countdown a b}",
        "{countdown 25:00}",
        "{countdown 20:15 Nowhere/At_All}",
        "{countdown 1:2:3:4}",
        "{stopwatch}",
        "{viewers all}",
        "{data.}",
        "{chat 0}",
        "{chat 21}",
        "{chat all}",
        "{data.a b}",
    ] {
        let faults = faults(wrong);
        assert!(faults.len() == 1 && faults[0].starts_with(&format!("`{wrong}` ")), "{wrong}: {faults:?}");
        assert_eq!(parse(wrong), [literal(wrong)], "{wrong}");
    }
    assert_eq!(faults("{clock} {stopwatch} {data.?}").len(), 2);
    assert_eq!(doubts("{score} {viewers} {x: 1} {{home}}").len(), 1);
    assert!(doubts("{score}")[0].contains("`score` is no field"));
}

#[test]
fn a_clock_says_what_its_letters_ask_for() {
    let now: Timestamp = "2026-03-09T20:05:07.25Z".parse().unwrap();
    let at = |text: &str| match field(text) {
        Field::Clock(format) => (format.at(now), format.lasts(now)),
        other => panic!("{other:?}"),
    };
    let (second, minute) = (Duration::from_millis(750), Duration::from_millis(52_750));
    for (text, shown, lasts) in [
        ("{clock UTC}", "20:05", minute),
        ("{clock HH:mm UTC}", "20:05", minute),
        ("{clock HH:mm:ss UTC}", "20:05:07", second),
        ("{clock h:mm a UTC}", "8:05 PM", minute),
        ("{clock hh.mm UTC}", "08.05", minute),
        ("{clock d/M/yyyy UTC}", "9/3/2026", minute),
        ("{clock dd.MM. HH:mm utc}", "09.03. 20:05", minute),
    ] {
        assert_eq!(at(text), (shown.to_owned(), lasts), "{text}");
    }
    // Without a zone it is the server's, whichever that is.
    assert_eq!(at("{clock}").0.len(), 5);
    let midnight: Timestamp = "2026-03-09T00:30:00Z".parse().unwrap();
    let Field::Clock(format) = field("{clock h:mm a UTC}") else { panic!() };
    assert_eq!(format.at(midnight), "12:30 AM");
}
