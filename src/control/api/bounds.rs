//! What an operator has set and a producer cannot exceed: how many may be in a room, and where it may be sent.

use tokio::{net::lookup_host, time::timeout};

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiResult, Problem},
};
use crate::{
    layout::Fault,
    media::port::{OutputTarget, SrtAddress, is_internal},
};

/// How long finding a host's addresses may take.
const LOOKUP: std::time::Duration = std::time::Duration::from_secs(5);

/// Whether the caller may set so many participants. `pointer`: where they said so.
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

/// Whether the caller may send a room there: into the server's own networks an admin may, and others where the
/// operator allows it.
///
/// # Errors
/// 422.
pub(super) async fn check_target(app: &AppState, access: &Access, target: &OutputTarget) -> ApiResult<()> {
    if access.role == Role::Admin || app.config.internal_outputs {
        return Ok(());
    }
    let refused =
        |detail: &str| Err(Problem::invalid(vec![Fault { pointer: "/url".to_owned(), detail: detail.to_owned() }]));
    let host = match target {
        OutputTarget::Rtmp(address) => address.host.as_str(),
        OutputTarget::Srt(SrtAddress { host: Some(host), .. }) => host.as_str(),
        OutputTarget::Srt(_) => {
            return refused("opens a port of the server: start it with --internal-outputs, or have an admin do it");
        }
        OutputTarget::File(_) => return Ok(()),
    };
    let Ok(Ok(found)) = timeout(LOOKUP, lookup_host((host, 0))).await else {
        return refused("its host cannot be found");
    };
    if found.into_iter().any(|address| is_internal(address.ip())) {
        return refused(
            "is in a network of the server's own: start it with --internal-outputs, or have an admin do it",
        );
    }
    Ok(())
}
