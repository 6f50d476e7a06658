//! The words of texts: data, timers, clocks, names.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::{
    control::room::state::{
        BOXES_PERIOD,
        data::MAX_KEYS,
        scenes::SceneName,
        timer::{MAX_TIMERS, TimerOrder, check_course},
        words::{COMPARE_PERIOD, LEAST_REST, MISSED_PERIOD, replace},
    },
    layout::{Lettering, read},
};

fn scene(text: &str) -> Arc<Scene> {
    let layers = json!([{"id": "who", "source": {"slot": 1}}, {"id": "t", "source": {"text": text}}]);
    Arc::new(read(&json!({ "layers": layers }), &Canvas::default()).unwrap())
}

/// Returns how often the words of the program are ordered now, or after a rest that the room's clock does not show.
fn orders(studio: &mut Studio) -> usize {
    let now = orders_now(studio);
    if now > 0 {
        return now;
    }
    studio.now.clock += LEAST_REST;
    orders_now(studio)
}

fn orders_now(studio: &mut Studio) -> usize {
    studio.state.tick(studio.now);
    studio.state.take_effects().iter().filter(|effect| matches!(effect, Effect::Words(None))).count()
}

/// Draws what is to be drawn.
fn draw(studio: &Studio) -> Words {
    let wanted = studio.state.wanted_words(None, studio.now).unwrap();
    let picture = |lettering: Lettering| Image { name: lettering.name().into(), still: still(), clip: None };
    let texts = wanted.filled.letterings().map(|(_, lettering)| picture(lettering)).collect();
    Words { texts, ..wanted }
}

/// Draws what is ordered, and shows it; what texts say is the answer where something was.
fn drawn(studio: &mut Studio) -> Option<String> {
    if orders(studio) == 0 {
        return None;
    }
    let words = draw(studio);
    studio.state.set_words(None, words, studio.now);
    let shown = studio.state.take_effects().into_iter().find_map(|effect| match effect {
        Effect::Media(MediaCommand::SetPicture(picture)) => Some(picture),
        _ => None,
    });
    let shown = shown.expect("what is drawn is shown");
    let names: Vec<String> = shown.scene.letterings().map(|(_, lettering)| lettering.name()).collect();
    assert!(names.iter().all(|name| shown.images.iter().any(|image| *image.name == **name)), "its picture is there");
    assert!(shown.images.len() <= 2, "and no older ones but the last: {:?}", shown.images);
    Some(shown.scene.words().collect())
}

fn still() -> Arc<Still> {
    Arc::new(Still::new(&[255; 16], 2, 2))
}

fn show(studio: &mut Studio, text: &str) {
    studio.state.set_layout(scene(text), Drawn::default());
}

fn events(studio: &mut Studio) -> Vec<Value> {
    let events = studio.state.take_effects().into_iter().filter_map(|effect| match effect {
        Effect::Event(event) => Some(serde_json::to_value(event).unwrap()),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_text_is_drawn_again_when_what_it_shows_has_changed_and_not_before() {
    let mut studio = Studio::new();
    show(&mut studio, "{data.score|0} {viewers}");
    assert_eq!(drawn(&mut studio).as_deref(), Some("0 0"));
    assert_eq!(drawn(&mut studio), None);
    assert_eq!(studio.state.put_data("score", json!(3)), Ok(true));
    assert_eq!(drawn(&mut studio).as_deref(), Some("3 0"));
    assert_eq!(studio.state.put_data("score", json!(3)), Ok(false));
    assert_eq!(studio.state.put_data("other", json!("x")), Ok(true));
    assert_eq!(drawn(&mut studio), None, "neither is seen");
    assert_eq!(studio.state.remove_data("score"), Ok(()));
    assert_eq!(drawn(&mut studio).as_deref(), Some("0 0"));
    assert_eq!(studio.state.remove_data("score"), Err(RoomError::NoData));
    // A text without fields is what it is.
    show(&mut studio, "{score} {");
    assert_eq!(drawn(&mut studio), None);
}

#[test]
fn what_changes_while_it_is_drawn_is_drawn_after_it() {
    let mut studio = Studio::new();
    show(&mut studio, "{data.score}");
    assert_eq!(drawn(&mut studio).as_deref(), Some(""), "nothing was put");
    for score in 0..5 {
        studio.state.put_data("score", json!(score)).unwrap();
        assert_eq!(orders(&mut studio), usize::from(score == 0), "one at a time");
    }
    let words = draw(&studio);
    assert_eq!(words.filled.words().collect::<String>(), "4");
    studio.state.put_data("score", json!(5)).unwrap();
    studio.state.set_words(None, words, studio.now);
    studio.pass(Duration::from_secs(10));
    assert_eq!(drawn(&mut studio).as_deref(), Some("5"));
    // However long it takes, it is not ordered twice.
    studio.state.put_data("score", json!(6)).unwrap();
    assert_eq!(orders(&mut studio), 1);
    studio.pass(Duration::from_secs(100));
    assert_eq!(orders(&mut studio), 0);
    let words = draw(&studio);
    // Nor for another layout, which gets its own when that is back.
    show(&mut studio, "{data.score}!");
    assert_eq!(orders(&mut studio), 0);
    studio.state.set_words(None, words, studio.now);
    assert!(studio.state.scene().words().eq(studio.state.filled.words()), "what was drawn for the last one is dropped");
    studio.pass(Duration::from_secs(500));
    assert_eq!(drawn(&mut studio).as_deref(), Some("6!"));
}

#[test]
fn the_longer_a_drawing_takes_the_longer_is_the_rest_after_it() {
    let mut studio = Studio::new();
    show(&mut studio, "{data.score}");
    let is_ordered = |studio: &mut Studio| orders_now(studio) > 0;
    assert!(is_ordered(&mut studio));
    for (took, rest) in [(500, 2000), (0, 100), (20, 100), (50, 200)] {
        studio.pass(Duration::from_millis(took));
        let words = draw(&studio);
        studio.state.set_words(None, words, studio.now);
        studio.state.put_data("score", json!(took)).unwrap();
        assert!(!is_ordered(&mut studio));
        let rest = Duration::from_millis(rest);
        assert_eq!(studio.state.words_deadline(studio.now), Some(studio.now.clock + rest));
        studio.now.clock += rest - Duration::from_millis(1);
        assert!(!is_ordered(&mut studio), "after {took} ms");
        studio.now.clock += Duration::from_millis(1);
        assert!(is_ordered(&mut studio), "after {took} ms");
    }
}

#[test]
fn what_was_not_drawn_is_asked_for_later() {
    let mut studio = Studio::new();
    studio.join("ann");
    show(&mut studio, "{data.score}");
    drawn(&mut studio);
    let is_ordered = |studio: &mut Studio| orders_now(studio) > 0;
    studio.state.put_data("score", json!(1)).unwrap();
    assert_eq!(orders(&mut studio), 1);
    studio.pass(Duration::from_secs(1));
    studio.state.miss_words(None, studio.now);
    assert!(!is_ordered(&mut studio), "the font cannot be used now");
    assert_eq!(studio.state.words_deadline(studio.now), Some(studio.now.clock + MISSED_PERIOD));
    studio.pass(MISSED_PERIOD - Duration::from_millis(1));
    assert!(!is_ordered(&mut studio));
    studio.pass(Duration::from_millis(1));
    assert_eq!(drawn(&mut studio).as_deref(), Some("1"));
    // A picture that is gone is not waited for.
    studio.state.miss_words(Some(&AuxId("gone".into())), studio.now);
    assert!(!is_ordered(&mut studio));
    // Another layout does not wait for what was not drawn for the last one.
    studio.state.put_data("score", json!(2)).unwrap();
    assert_eq!(orders(&mut studio), 1);
    show(&mut studio, "{data.score}!");
    studio.state.miss_words(None, studio.now);
    assert_eq!(drawn(&mut studio).as_deref(), Some("2!"));
}

#[test]
fn boxes_are_those_of_what_texts_say_and_are_reported_when_they_differ() {
    let mut studio = Studio::new();
    show(&mut studio, "{data.score}");
    studio.pass(BOXES_PERIOD);
    studio.state.take_effects();
    // How wide the text stands in each report.
    let say = |studio: &mut Studio, score: u32, width: u32| -> Vec<Value> {
        studio.state.put_data("score", json!(score)).unwrap();
        studio.state.tick(studio.now);
        let wanted = studio.state.wanted_words(None, studio.now).unwrap();
        assert!(wanted.texts.len() <= 2 && wanted.others == 0, "{wanted:?}");
        let still = Arc::new(Still::new(&vec![255; 8 * width as usize], width, 2));
        let picture = |lettering: Lettering| Image { name: lettering.name().into(), still: still.clone(), clip: None };
        let texts = wanted.filled.letterings().map(|(_, lettering)| picture(lettering)).collect();
        studio.state.set_words(None, Words { texts, ..wanted }, studio.now);
        studio.pass(BOXES_PERIOD);
        let reports = events(studio).into_iter().filter(|event| event["type"] == "boxes_changed");
        reports.map(|event| event["boxes"].as_array().unwrap().last().unwrap()["width"].clone()).collect()
    };
    assert_eq!(say(&mut studio, 1, 2), [json!(2.0)]);
    assert!(say(&mut studio, 2, 2).is_empty(), "other words of the same size");
    assert_eq!(say(&mut studio, 3, 4), [json!(4.0)]);
    // Both pictures are there from before, and the words alone say which is meant.
    assert_eq!(say(&mut studio, 2, 2), [json!(2.0)]);
    assert_eq!(studio.state.describe().boxes.last().unwrap().width, 2.0);
}

#[test]
fn a_clock_goes_on_by_the_second_or_by_the_minute() {
    let mut studio = Studio::new();
    studio.join("ann");
    show(&mut studio, "{clock HH:mm UTC}");
    assert_eq!(drawn(&mut studio).as_deref(), Some("00:00"));
    assert_eq!(drawn(&mut studio), None);
    // Until the next minute the system's time may be set.
    assert_eq!(studio.state.words_deadline(studio.now), Some(studio.now.clock + COMPARE_PERIOD));
    studio.pass(Duration::from_secs(59));
    // It was ordered one rest before.
    let next = studio.now.clock + Duration::from_secs(1) - LEAST_REST;
    assert_eq!(studio.state.words_deadline(studio.now), Some(next));
    assert_eq!(drawn(&mut studio), None);
    studio.pass(Duration::from_secs(1));
    assert_eq!(drawn(&mut studio).as_deref(), Some("00:01"));
    show(&mut studio, "{clock HH:mm:ss UTC}");
    assert_eq!(drawn(&mut studio).as_deref(), Some("00:01:00"));
    studio.pass(Duration::from_secs(1));
    assert_eq!(drawn(&mut studio).as_deref(), Some("00:01:01"));
}

#[test]
fn clocks_and_timers_go_by_the_system_s_time_also_when_it_is_set() {
    let mut studio = Studio::new();
    studio.join("ann");
    show(&mut studio, "{clock HH:mm UTC} {countdown start}");
    let order = TimerOrder::Start(check_course(Some(300), None).unwrap());
    let started = studio.state.order_timer("start", order, studio.now).unwrap();
    assert_eq!(drawn(&mut studio).as_deref(), Some("00:00 5:00"));
    for (set_by, says) in [(120, "00:02 3:00"), (-60, "00:01 4:00"), (180, "00:04 1:00")] {
        studio.now.wall = studio.now.wall.checked_add(SignedDuration::from_secs(set_by)).unwrap();
        assert_eq!(drawn(&mut studio).as_deref(), Some(says));
        assert_eq!(studio.state.timer("start"), Ok(started.clone()), "it ends when it was to end");
        assert_eq!(drawn(&mut studio), None);
    }
    studio.now.wall = started.ends_at.unwrap();
    assert_eq!(drawn(&mut studio).as_deref(), Some("00:05 0:00"));
    assert!(!studio.state.timer("start").unwrap().running);
    // Where nothing else happens, it is looked for.
    let order = TimerOrder::Start(check_course(Some(3600), None).unwrap());
    show(&mut studio, "no clock");
    studio.state.order_timer("start", order, studio.now).unwrap();
    assert_eq!(studio.state.words_deadline(studio.now), Some(studio.now.clock + COMPARE_PERIOD));
}

#[test]
fn a_name_is_of_who_is_there() {
    let mut studio = Studio::new();
    show(&mut studio, "Hello {name}");
    assert_eq!(drawn(&mut studio).as_deref(), Some("Hello "));
    studio.join("ann");
    assert_eq!(drawn(&mut studio).as_deref(), Some("Hello ann"));
    studio.state.moderate("id1", &Moderation { hidden: Some(true), ..Moderation::default() }).unwrap();
    assert_eq!(drawn(&mut studio).as_deref(), Some("Hello "));
}

#[test]
fn a_timer_runs_ends_and_says_so_once() {
    let mut studio = Studio::new();
    studio.join("ann");
    show(&mut studio, "{countdown start}");
    assert_eq!(drawn(&mut studio).as_deref(), Some("0:00"));
    let order = |studio: &mut Studio, order| studio.state.order_timer("start", order, studio.now);
    assert_eq!(order(&mut studio, TimerOrder::Stop), Err(RoomError::NoTimer));
    let view = order(&mut studio, TimerOrder::Start(check_course(Some(3), Some("Live")).unwrap())).unwrap();
    assert_eq!(view.ends_at, Some("2026-01-01T00:00:03Z".parse().unwrap()));
    assert_eq!(drawn(&mut studio).as_deref(), Some("0:03"));
    for left in ["0:02", "0:01"] {
        studio.pass(Duration::from_secs(1));
        assert_eq!(drawn(&mut studio).as_deref(), Some(left));
    }
    studio.state.take_effects();
    studio.pass(Duration::from_millis(1000));
    let live = Job::Show(SceneChoice::Named(SceneName::parse("Live").unwrap()), Asker::Timer);
    assert!(studio.state.effects.iter().any(|effect| matches!(effect, Effect::Job(job) if *job == live)));
    let news = events(&mut studio);
    let ended: Vec<&Value> = news.iter().filter(|event| event["type"] == "timer_ended").collect();
    assert_eq!(ended.len(), 1, "{news:?}");
    assert_eq!((&ended[0]["timer"]["id"], &ended[0]["timer"]["running"]), (&json!("start"), &json!(false)));
    studio.pass(Duration::from_secs(60));
    assert!(events(&mut studio).iter().all(|event| event["type"] != "timer_ended"));
    assert_eq!(studio.state.timers().len(), 1);
    assert_eq!(studio.state.remove_timer("start"), Ok(()));
    assert_eq!(studio.state.timer("start").unwrap_err(), RoomError::NoTimer);
}

#[test]
fn a_room_has_so_many_keys_and_timers() {
    let mut studio = Studio::new();
    for number in 0..MAX_KEYS {
        studio.state.put_data(&format!("k{number}"), json!(number)).unwrap();
    }
    assert!(matches!(studio.state.put_data("more", json!(1)), Err(RoomError::TooManyData { .. })));
    assert_eq!(studio.state.put_data("k0", json!("again")), Ok(false));
    for number in 0..MAX_TIMERS {
        studio.state.order_timer(&format!("t{number}"), TimerOrder::Reset(None), studio.now).unwrap();
    }
    let more = studio.state.order_timer("more", TimerOrder::Start(None), studio.now);
    assert!(matches!(more, Err(RoomError::TooManyTimers { .. })));
}

#[test]
fn data_and_timers_are_kept_with_the_room() {
    let mut studio = Studio::new();
    assert!(studio.state.take_unkept().is_none());
    studio.state.put_data("score", json!(3)).unwrap();
    studio.state.order_timer("start", TimerOrder::Start(check_course(Some(300), None).unwrap()), studio.now).unwrap();
    let kept = studio.state.take_unkept().expect("it has changed, and stays");
    assert!(studio.state.take_unkept().is_none());
    // They change often and may wait; what is changed beside them may not.
    studio.state.put_data("away", json!(0)).unwrap();
    assert!(studio.state.is_unkept() && !studio.state.is_more_than_words_unkept());
    show(&mut studio, "{data.away}");
    assert!(studio.state.is_more_than_words_unkept());
    studio.state.take_unkept();
    studio.state.remove_data("away").unwrap();
    assert!(studio.state.is_unkept() && !studio.state.is_more_than_words_unkept());
    assert_eq!((kept.past.data.len(), kept.past.timers.len()), (1, 1));
    let mut record = studio.state.record();
    studio.state.put_data("away", json!(1)).unwrap();
    studio.state.remove_timer("start").unwrap();
    studio.state.record_words(&mut record);
    assert_eq!((record.past.data.len(), record.past.timers.len()), (2, 0));
    let same = studio.state.record();
    assert_eq!((record.past.data, record.past.timers), (same.past.data, same.past.timers));
    let mut after = Studio::new();
    let beginning = Beginning {
        name: RoomName::parse("demo").unwrap(),
        settings: kept.settings,
        scene: kept.scene,
        segmentation: studio.state.segmentation().clone(),
        budget: Budget::of_cores(2),
        past: Some(kept.past),
    };
    after.state = State::new(beginning, after.now);
    assert_eq!(after.state.datum("score"), Ok(json!(3)));
    after.pass(Duration::from_secs(299));
    assert!(after.state.timer("start").unwrap().running);
    after.pass(Duration::from_secs(1));
    assert!(!after.state.timer("start").unwrap().running);
    assert!(after.state.is_unkept(), "that it has ended is kept, too");
}

/// Returns a timer that was started at that second of this day, for so many seconds.
fn started(at: i64, seconds: u64, scene: &str) -> Timer {
    let mut timer = Timer::default();
    let begun: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let begun = begun.checked_add(SignedDuration::from_secs(at)).unwrap();
    timer.obey(TimerOrder::Start(check_course(Some(seconds), Some(scene)).unwrap()), begun);
    timer
}

/// Returns the timers that have ended since the last look, in order, and the scenes that come.
fn ended(studio: &mut Studio) -> (Vec<Arc<str>>, Vec<SceneChoice>) {
    let (mut ids, mut scenes) = (Vec::new(), Vec::new());
    for effect in studio.state.take_effects() {
        match effect {
            Effect::Event(Event::TimerEnded { timer }) => ids.push(timer.id),
            Effect::Job(Job::Show(choice, Asker::Timer)) => scenes.push(choice),
            _ => {}
        }
    }
    (ids, scenes)
}

#[test]
fn timers_that_ended_while_the_server_was_down_end_in_order_and_the_last_scene_is_shown() {
    let mut studio = Studio::new();
    studio.state.timers = [
        ("a".into(), started(-10, 9, "Last")),
        ("b".into(), started(-20, 15, "Middle")),
        ("c".into(), started(-20, 10, "First")),
        ("d".into(), started(-5, 10, "Later")),
    ]
    .into();
    studio.pass(Duration::ZERO);
    let named = |name: &str| SceneChoice::Named(SceneName::parse(name).unwrap());
    assert_eq!(ended(&mut studio), (vec!["c".into(), "b".into(), "a".into()], vec![named("Last")]));
    studio.pass(Duration::from_secs(5));
    assert_eq!(ended(&mut studio), (vec!["d".into()], vec![named("Later")]));
}

#[test]
fn nothing_comes_of_an_imported_timer_that_is_over() {
    let mut studio = Studio::new();
    let timers = [("over".into(), started(-20, 10, "Old")), ("runs".into(), started(-20, 30, "New"))].into();
    let settings = studio.state.settings().clone();
    studio.state.import(settings, None, None, (None, Some(timers)), studio.now);
    studio.pass(Duration::ZERO);
    assert_eq!(ended(&mut studio), (Vec::new(), Vec::new()));
    let over = studio.state.timer("over").unwrap();
    assert_eq!((over.running, over.elapsed), (false, 10.0));
    studio.pass(Duration::from_secs(10));
    assert_eq!(ended(&mut studio).0, ["runs".into()]);
}

#[test]
fn words_of_before_stay_once_more_unless_they_take_too_much_memory() {
    let picture = |lettering: Lettering| Image { name: lettering.name().into(), still: still(), clip: None };
    let of = |text: &str| -> Vec<Image> { scene(text).letterings().map(|(_, lettering)| picture(lettering)).collect() };
    let logo = Image { name: "logo.png".into(), still: still(), clip: None };
    let bytes = still().bytes();
    for (most, left) in [(3 * bytes, vec!["logo.png", "1", "2"]), (2 * bytes, vec!["logo.png", "2"])] {
        let mut images = [vec![logo.clone()], of("0"), of("1")].concat();
        replace(&mut images, of("2"), &scene("1"), most);
        let names = images.iter().map(|image| image.name.rsplit(',').next().unwrap_or_default());
        assert_eq!(names.collect::<Vec<_>>(), left);
    }
}
