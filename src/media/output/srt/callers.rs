//! Receivers that call a listening output: so many at once, and fewer of one address. Each takes a descriptor and a queue of
//! some megabytes, and nobody is asked for a token there.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, glib, prelude::*};
use parking_lot::Mutex;

use crate::media::port::{Blame, OutputFault, SRT_CALLERS, network_of};

/// Receivers of one address at once: some may share one behind their router.
const OF_ADDRESS: usize = 8;

/// Time within which somebody who was let in is counted by the sink, or has failed.
const COMING: Duration = Duration::from_secs(2);

/// Time between two lines of the log about those who are refused.
const SAID: Duration = Duration::from_secs(60);

/// The receivers of one listening output. What has no address that we know counts as one address.
#[derive(Debug)]
struct Callers {
    most: usize,
    of_address: usize,
    /// Below zero for a moment where the sink says that somebody is gone before it says that they are there.
    here: HashMap<Option<IpAddr>, isize>,
    /// Let in, and not there yet.
    coming: Vec<(Option<IpAddr>, Instant)>,
    said: Option<Instant>,
}

impl Callers {
    fn new(most: usize, of_address: usize) -> Self {
        Self { most, of_address, here: HashMap::new(), coming: Vec::new(), said: None }
    }

    /// Says whether somebody of this address may come in, and counts them then.
    fn admit(&mut self, address: Option<IpAddr>, now: Instant) -> bool {
        self.coming.retain(|(_, since)| now.saturating_duration_since(*since) < COMING);
        let of_address = |one: &Option<IpAddr>| *one == address;
        let here = |of: &dyn Fn(&Option<IpAddr>) -> bool| {
            let here: isize = self.here.iter().filter(|(one, _)| of(one)).map(|(_, count)| *count).sum();
            let coming = self.coming.iter().filter(|(one, _)| of(one)).count();
            usize::try_from(here).unwrap_or(0) + coming
        };
        let is_free = here(&|_| true) < self.most && here(&of_address) < self.of_address;
        if is_free {
            self.coming.push((address, now));
        }
        is_free
    }

    /// Notes that somebody is there.
    fn add(&mut self, address: Option<IpAddr>) {
        if let Some(index) = self.coming.iter().position(|(one, _)| *one == address) {
            self.coming.swap_remove(index);
        }
        self.change(address, 1);
    }

    /// Notes that somebody is gone.
    fn remove(&mut self, address: Option<IpAddr>) {
        self.change(address, -1);
    }

    fn change(&mut self, address: Option<IpAddr>, by: isize) {
        let count = self.here.entry(address).or_default();
        *count += by;
        if *count == 0 {
            self.here.remove(&address);
        }
    }

    /// Says whether the log is to hear of somebody who is refused.
    fn is_news(&mut self, now: Instant) -> bool {
        let is_news = self.said.is_none_or(|said| now.saturating_duration_since(said) >= SAID);
        if is_news {
            self.said = Some(now);
        }
        is_news
    }
}

/// Has a listening sink refuse those who are too many.
///
/// # Errors
/// When the sink does not ask whom it may let in.
pub(super) fn bound(sink: &gst::Element) -> Result<(), OutputFault> {
    bound_at(sink, Callers::new(SRT_CALLERS, OF_ADDRESS)).map(drop)
}

fn bound_at(sink: &gst::Element, callers: Callers) -> Result<Arc<Mutex<Callers>>, OutputFault> {
    let asks = |name| glib::subclass::SignalId::lookup(name, sink.type_()).is_some();
    if !["caller-connecting", "caller-added", "caller-removed"].into_iter().all(asks) {
        return Err(OutputFault::new(Blame::Operator, "this GStreamer's srtsink does not say who calls".to_owned()));
    }
    let callers = Arc::new(Mutex::new(callers));
    // Without it the sink asks nobody.
    sink.set_property("authentication", true);
    // The handlers run on SRT's threads, under locks of the sink: they touch nothing but the count.
    let asked = callers.clone();
    sink.connect("caller-connecting", false, move |values| {
        let (address, now) = (address(values.get(1)), Instant::now());
        let mut callers = asked.lock();
        let is_admitted = callers.admit(address, now);
        let is_news = !is_admitted && callers.is_news(now);
        drop(callers);
        if is_news {
            let of = address.map_or_else(|| "an unknown address".to_owned(), |address| address.to_string());
            tracing::warn!("an SRT output has too many receivers: one of {of} is refused");
        }
        Some(is_admitted.to_value())
    });
    let added = callers.clone();
    sink.connect("caller-added", false, move |values| {
        added.lock().add(address(values.get(2)));
        None
    });
    let removed = callers.clone();
    sink.connect("caller-removed", false, move |values| {
        removed.lock().remove(address(values.get(2)));
        None
    });
    Ok(callers)
}

/// Reads the address of a `GInetSocketAddress`. `None` where it is not given, or is of another family.
fn address(value: Option<&glib::Value>) -> Option<IpAddr> {
    let socket = value?.get::<Option<glib::Object>>().ok()??;
    let has = |object: &glib::Object, name| object.find_property(name).is_some();
    if !has(&socket, "address") {
        return None;
    }
    let inet = socket.property_value("address").get::<Option<glib::Object>>().ok()??;
    if !has(&inet, "family") || !has(&inet, "bytes") {
        return None;
    }
    let family = inet.property_value("family");
    let (_class, family) = glib::EnumValue::from_value(&family)?;
    let bytes = inet.property_value("bytes").get::<glib::Pointer>().ok()?;
    if bytes.is_null() {
        return None;
    }
    match family.nick() {
        // SAFETY: GIO's `bytes` of an IPv4 address are the four bytes within `inet`, which lives until we return.
        "ipv4" => Some(IpAddr::from(unsafe { bytes.cast::<[u8; 4]>().read_unaligned() })),
        // SAFETY: as above, and of an IPv6 address they are sixteen.
        "ipv6" => Some(network_of(IpAddr::from(unsafe { bytes.cast::<[u8; 16]>().read_unaligned() }))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{net::UdpSocket, thread::sleep};

    use super::*;

    fn of(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn so_many_come_in_and_fewer_of_one_address() {
        let (mut callers, now) = (Callers::new(3, 2), Instant::now());
        assert!(callers.admit(of(1), now) && callers.admit(of(1), now));
        assert!(!callers.admit(of(1), now), "those who are coming count");
        callers.add(of(1));
        callers.add(of(1));
        assert!(!callers.admit(of(1), now) && callers.admit(of(2), now) && !callers.admit(of(3), now));
        callers.add(of(2));
        callers.remove(of(1));
        assert!(callers.admit(of(1), now) && !callers.admit(of(3), now));
    }

    #[test]
    fn who_is_let_in_and_does_not_come_leaves_the_place() {
        let (mut callers, now) = (Callers::new(2, 1), Instant::now());
        assert!(callers.admit(None, now) && !callers.admit(None, now) && callers.admit(of(1), now));
        assert!(!callers.admit(of(2), now + COMING / 2) && callers.admit(of(2), now + COMING));
    }

    #[test]
    fn who_is_gone_before_the_sink_says_that_they_are_there_takes_nothing() {
        let (mut callers, now) = (Callers::new(1, 1), Instant::now());
        for _ in 0..3 {
            assert!(callers.admit(of(1), now));
            callers.remove(of(1));
            callers.add(of(1));
        }
        assert!(callers.here.is_empty() && callers.coming.is_empty());
    }

    #[test]
    fn the_log_hears_of_it_once_a_minute() {
        let (mut callers, now) = (Callers::new(0, 0), Instant::now());
        assert!(callers.is_news(now) && !callers.is_news(now + SAID / 2) && callers.is_news(now + SAID));
    }

    #[test]
    fn a_listening_sink_lets_no_more_in() {
        const PATIENCE: Duration = Duration::from_secs(20);
        gst::init().unwrap();
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = format!(
            "audiotestsrc is-live=true samplesperbuffer=441 ! audio/x-raw,format=S16LE,rate=44100,channels=1 \
             ! srtsink name=sink uri=srt://:{port} mode=listener wait-for-connection=false sync=false async=false"
        );
        let listener = gst::parse::launch(&text).unwrap().downcast::<gst::Pipeline>().unwrap();
        let callers = bound_at(&listener.by_name("sink").unwrap(), Callers::new(4, 2)).unwrap();
        listener.set_state(gst::State::Playing).unwrap();
        let call = || {
            let text =
                format!("srtsrc uri=srt://127.0.0.1:{port} mode=caller auto-reconnect=false ! fakesink async=false");
            let caller = gst::parse::launch(&text).unwrap();
            // A caller that is refused says so here.
            let _ = caller.set_state(gst::State::Playing);
            caller
        };
        let here = |count: isize| {
            let (begun, home) = (Instant::now(), Some(IpAddr::from([127, 0, 0, 1])));
            while callers.lock().here.get(&home).copied().unwrap_or(0) != count {
                assert!(begun.elapsed() < PATIENCE, "not {count}: {:?}", callers.lock());
                sleep(Duration::from_millis(20));
            }
        };
        let first: Vec<_> = (1..=2)
            .map(|count| {
                let caller = call();
                here(count);
                caller
            })
            .collect();
        let refused = call();
        let begun = Instant::now();
        while callers.lock().said.is_none() {
            assert!(begun.elapsed() < PATIENCE, "nobody is refused: {:?}", callers.lock());
            sleep(Duration::from_millis(20));
        }
        refused.set_state(gst::State::Null).unwrap();
        here(2);
        first[0].set_state(gst::State::Null).unwrap();
        here(1);
        let next = call();
        here(2);
        for pipeline in first.iter().chain([&next]) {
            pipeline.set_state(gst::State::Null).unwrap();
        }
        here(0);
        listener.set_state(gst::State::Null).unwrap();
    }
}
