//! Bounds that an operator sets and a producer cannot exceed: how many may be in a room, and where it may be sent.

use std::{io, net::IpAddr};

use tokio::{net::lookup_host, time::timeout};

use super::{
    AppState,
    auth::{Access, Role},
    places::Places,
    problem::{ApiResult, Problem},
};
use crate::{
    control::room::RoomName,
    layout::Fault,
    media::port::{OutputTarget, SrtAddress, is_internal},
};

/// Longest time that finding a host's addresses may take.
const LOOKUP: std::time::Duration = std::time::Duration::from_secs(5);

/// Hosts that are looked for at once, for all rooms and for one; half of them for one holder of tokens. Each takes one of
/// the few threads for files until the system gives up, which may be long after nobody waits any more.
pub(super) const LOOKUPS: (usize, usize) = (8, 2);

/// Returns whether the caller may set so many participants. `pointer`: where they said so.
///
/// # Errors
/// 422.
pub(super) fn check_participants(app: &AppState, access: &Access, wanted: Option<u32>, pointer: &str) -> ApiResult<()> {
    let most = app.config.max_participants;
    match wanted {
        Some(wanted) if access.role < Role::Admin && wanted as usize > most => {
            let detail = format!("must be at most {most}, the server's own limit; an admin may exceed it");
            Err(Problem::invalid(vec![Fault { pointer: pointer.to_owned(), detail }]))
        }
        _ => Ok(()),
    }
}

/// Returns whether the caller may send a room there: into the server's own networks an admin may, and others where the
/// operator allows it. Who may, may also be led there later.
///
/// # Errors
/// 422; 503 while too many other hosts are looked for.
pub(super) async fn check_target(
    app: &AppState,
    access: &Access,
    room: &RoomName,
    target: &mut OutputTarget,
) -> ApiResult<()> {
    if access.role == Role::Admin || app.config.internal_outputs {
        target.allow_internal();
        return Ok(());
    }
    let refused =
        |detail: &str| Err(Problem::invalid(vec![Fault { pointer: "/url".to_owned(), detail: detail.to_owned() }]));
    let host = match target {
        OutputTarget::Rtmp(address) => address.host.clone(),
        OutputTarget::Srt(SrtAddress { host: Some(host), .. }) => host.clone(),
        OutputTarget::Srt(_) => {
            return refused("opens a port of the server: start it with --internal-outputs, or have an admin do it");
        }
        OutputTarget::Hls(_) | OutputTarget::File(_) | OutputTarget::Iso(_) => return Ok(()),
        OutputTarget::Whip(address) => address.host().0,
    };
    let lookup = async move {
        let found = lookup_host((host, 0)).await?;
        io::Result::Ok(found.map(|address| address.ip()).collect::<Vec<_>>())
    };
    let Some(found) = found(&app.lookups, (room, access.holder().as_deref()), lookup).await? else {
        return refused("its host cannot be found");
    };
    if found.into_iter().any(is_internal) {
        return refused(
            "is in a network of the server's own: start it with --internal-outputs, or have an admin do it",
        );
    }
    Ok(())
}

/// Returns what a lookup finds in time.
///
/// # Errors
/// 503 when too many others are under way.
async fn found(
    places: &Places,
    (room, holder): (&RoomName, Option<&str>),
    lookup: impl Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static,
) -> ApiResult<Option<Vec<IpAddr>>> {
    let Some(place) = places.wait(room, holder, LOOKUP).await else {
        return Err(Problem::unavailable("other hosts are being looked for; try again later"));
    };
    // It goes on when nobody waits for it any more, and keeps its place.
    let looking = tokio::spawn(async move {
        let _place = place;
        lookup.await
    });
    let found = timeout(LOOKUP, looking).await;
    Ok(found.ok().and_then(Result::ok).and_then(Result::ok))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use tokio::sync::oneshot;

    use super::*;

    static BEGUN: AtomicUsize = AtomicUsize::new(0);

    #[tokio::test]
    async fn hosts_that_are_never_found_take_few_threads_and_leave_some_to_other_rooms() {
        let places = Places::new(4, 2);
        let [slow, other] = ["slow", "other"].map(|name| RoomName::parse(name).unwrap());
        let (ends, lookups): (Vec<_>, Vec<_>) = (0..40)
            .map(|_| {
                let (end, ended) = oneshot::channel::<io::Result<Vec<IpAddr>>>();
                let lookup = async {
                    BEGUN.fetch_add(1, Ordering::SeqCst);
                    ended.await.map_err(io::Error::other)?
                };
                (end, found(&places, (&slow, None), lookup))
            })
            .unzip();
        let outcomes = join_all(lookups).await;
        let refused: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
        assert!(refused.len() == 38 && refused.iter().all(|problem| problem.status == 503));
        assert_eq!(BEGUN.load(Ordering::SeqCst), 2, "those that nobody waits for go on");
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let lookup = || async move { Ok(vec![loopback]) };
        assert_eq!(found(&places, (&other, None), lookup()).await.unwrap(), Some(vec![loopback]));
        drop(ends);
        assert_eq!(found(&places, (&slow, None), lookup()).await.unwrap(), Some(vec![loopback]));
    }
}
