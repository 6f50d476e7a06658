use serde_json::json;
use virfie::media::port::{MediaEvent, ParticipantId, TrackKind};

use super::{
    fake_media::{OUR_SDP, REFUSED_UFRAG},
    server::{Answer, Server, answer},
};

/// An offer as OBS posts it; its ICE user fragment is `Yb3W`.
pub const WHIP_OFFER: &str = include_str!("../../src/media/sdp/fixtures/obs_whip_offer.sdp");

/// An offer to receive, as Firefox gives it.
pub const WHEP_OFFER: &str = include_str!("../../src/media/sdp/fixtures/firefox_whep_offer.sdp");

pub const SDP: &str = "application/sdp";
pub const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

async fn patch(server: &Server, location: &str, etag: Option<&str>, body: &str) -> Answer {
    let request = server.request_at_top("PATCH", location).header("content-type", FRAGMENT).body(body.to_owned());
    answer(match etag {
        Some(etag) => request.header("if-match", etag),
        None => request,
    })
    .await
}

fn candidate(ufrag: &str) -> String {
    format!(
        "a=ice-ufrag:{ufrag}\r\na=ice-pwd:s0VnQe7TkA4xMz9LhPr2Ud\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
         a=candidate:1 1 UDP 2122317823 192.0.2.9 61764 typ host\r\na=end-of-candidates\r\n"
    )
}

#[tokio::test]
async fn a_sender_posts_trickles_and_deletes() {
    let server = Server::start().await;
    let posted = server.post("/whip/demo?name=cam", SDP, WHIP_OFFER).await;
    assert_eq!((posted.status.as_u16(), posted.text().as_str()), (201, OUR_SDP), "{posted:?}");
    assert_eq!(posted.header("content-type"), SDP);
    let location = posted.header("location");
    assert!(location.starts_with("/api/v1/whip/demo/"), "{location}");
    let links: Vec<&str> = posted.headers.get_all("link").iter().map(|link| link.to_str().unwrap()).collect();
    assert_eq!(
        links,
        [
            "<stun:stun.example:3478>; rel=\"ice-server\"",
            "<turn:turn.example:3478>; rel=\"ice-server\"; username=\"ann\"; credential=\"secret\"; credential-type=\"password\""
        ]
    );
    let exposed = posted.header("access-control-expose-headers").to_ascii_lowercase();
    assert!(["location", "etag", "link"].iter().all(|name| exposed.contains(name)), "{exposed}");
    let list = server.get("/rooms/demo/participants").await.json();
    assert_eq!((&list[0]["name"], &list[0]["video"]), (&json!("cam"), &json!(false)));

    let media = server.media.room("demo");
    let participant = ParticipantId(list[0]["id"].as_str().unwrap().into());
    media.say(MediaEvent::TrackStarted { participant, kind: TrackKind::Video, size: Some((1280, 720)) });
    media.say(MediaEvent::PeerConnected(media.newest_peer()));

    let etag = posted.header("etag").to_owned();
    assert_eq!(patch(&server, location, Some(&etag), &candidate("Yb3W")).await.status, 204);
    let peer = media.newest_peer();
    media.wait_for(&format!("candidate {peer} 61764")).await;
    media.wait_for(&format!("candidate {peer} end")).await;
    patch(&server, location, Some("\"other\""), &candidate("Yb3W")).await.problem(412);
    let restart = patch(&server, location, Some("*"), &candidate("n3wfrag")).await;
    assert!(restart.problem(422)["detail"].as_str().unwrap().contains("restart"));
    patch(&server, location, None, "a=candidate:nonsense\r\n").await.problem(400);
    let useless = candidate("Yb3W").replace("192.0.2.9", "nas").replace("61764", "61765");
    assert_eq!(patch(&server, location, None, &useless).await.status, 204, "it is passed over");
    let seen = server.get("/rooms/demo/participants").await.json();
    assert_eq!((&seen[0]["video"], &seen[0]["size"]), (&json!(true), &json!([1280, 720])));

    let deleted = answer(server.request_at_top("DELETE", location)).await;
    assert_eq!(deleted.status, 200);
    media.wait_for("forget").await;
    answer(server.request_at_top("DELETE", location)).await.problem(404);
    patch(&server, location, None, &candidate("Yb3W")).await.problem(404);
}

#[tokio::test]
async fn the_short_path_works_and_stays_itself() {
    let server = Server::start().await;
    let request = server.request_at_top("POST", "/whip/demo").header("content-type", SDP).body(WHIP_OFFER);
    let posted = answer(request).await;
    assert_eq!(posted.status, 201, "{posted:?}");
    let location = posted.header("location");
    assert!(location.starts_with("/whip/demo/"), "{location}");
    assert_eq!(server.get("/rooms/demo/participants").await.json()[0]["name"], "guest");
    assert_eq!(answer(server.request_at_top("DELETE", location)).await.status, 200);
}

#[tokio::test]
async fn a_second_post_of_the_same_name_takes_over() {
    let server = Server::start().await;
    let first = server.post("/whip/demo?name=cam", SDP, WHIP_OFFER).await;
    let before = server.get("/rooms/demo/participants").await.json();
    let old_peer = server.media.room("demo").newest_peer();
    let second = server.post("/whip/demo?name=cam", SDP, WHIP_OFFER).await;
    assert_eq!(second.status, 201);
    assert_ne!(first.header("location"), second.header("location"));
    assert_ne!(first.header("etag"), second.header("etag"));
    server.media.room("demo").wait_for(&format!("remove {old_peer}")).await;
    let after = server.get("/rooms/demo/participants").await.json();
    assert_eq!((after.as_array().unwrap().len(), &after[0]["id"]), (1, &before[0]["id"]));
    answer(server.request_at_top("DELETE", first.header("location"))).await.problem(404);

    // Senders without a name are different people.
    for _ in 0..2 {
        server.post("/whip/demo", SDP, WHIP_OFFER).await;
    }
    let names = server.get("/rooms/demo/participants").await.json();
    let names: Vec<&str> = names.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["cam", "guest", "guest-2"]);
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_and_leaves_no_trace() {
    let server = Server::start().await;
    server.post("/whip/demo", "application/json", "{}").await.problem(415);
    server.post("/whip/demo", SDP, "v=0").await.problem(400);
    server.post("/whip/demo", SDP, "").await.problem(400);
    let av1 = WHIP_OFFER.replace("H264/", "AV1/");
    let refused = server.post("/whip/demo", SDP, &av1).await.problem(422);
    assert_eq!(refused["detail"], "mid 1: video is offered as AV1, and received as vp8/h264/vp9");
    server.post("/whip/demo", SDP, &WHIP_OFFER.replace("a=sendonly", "a=recvonly")).await.problem(422);
    server.post("/whip/demo?name=%00", SDP, WHIP_OFFER).await.problem(422);
    server.post("/whip/de.mo", SDP, WHIP_OFFER).await.problem(400);
    assert!(!server.media.has_opened("demo"));
    let refused = server.post("/whip/demo?name=cam", SDP, &WHIP_OFFER.replace("Yb3W", REFUSED_UFRAG)).await;
    assert_eq!(refused.problem(422)["detail"], "no codec in common");
    assert_eq!(server.get("/rooms/demo/participants").await.json(), json!([]));
}

#[tokio::test]
async fn every_method_is_answered_as_the_protocol_has_it() {
    let server = Server::start_with(|config| config.api_key = Some("key".to_owned())).await;
    for path in ["/whip/demo", "/whep/demo", "/whip/demo/", "/whep/demo/"] {
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
            let refused = answer(server.request(method, path)).await;
            assert_eq!((refused.status.as_u16(), refused.header("allow")), (405, "POST,OPTIONS"), "{method} {path}");
        }
        let stranger = answer(server.request("OPTIONS", path)).await;
        assert_eq!((stranger.status.as_u16(), stranger.header("accept-post")), (204, SDP));
        assert_eq!(stranger.header("access-control-allow-methods"), "POST, OPTIONS");
        assert!(!stranger.headers.contains_key("link"), "{stranger:?}");
        let known = answer(server.request("OPTIONS", path).header("authorization", "Bearer key")).await;
        assert_eq!(known.headers.get_all("link").iter().count(), 2, "{known:?}");
        let preflight = server.request("OPTIONS", path).header("access-control-request-method", "POST");
        let preflight = answer(preflight.header("origin", "http://localhost")).await;
        assert_eq!((preflight.header("access-control-allow-methods"), preflight.header("accept-post")), ("POST", SDP));
        assert!(!preflight.headers.contains_key("link"), "{preflight:?}");
    }
    for method in ["GET", "HEAD", "PUT", "POST"] {
        let refused = answer(server.request(method, "/whip/demo/secret")).await;
        assert_eq!(refused.status, 405, "{method}");
        assert!(refused.header("allow").contains("PATCH"), "{refused:?}");
    }
}

#[tokio::test]
async fn a_slash_behind_the_room_is_the_room() {
    let server = Server::start().await;
    let posted = server.post("/whip/demo/", SDP, WHIP_OFFER).await;
    assert_eq!(posted.status, 201, "{posted:?}");
    let location = posted.header("location");
    assert!(location.starts_with("/api/v1/whip/demo/") && !location.contains("//"), "{location}");
    assert_eq!(server.post("/whep/demo/", SDP, WHEP_OFFER).await.status, 201);
    assert_eq!(answer(server.request_at_top("DELETE", location)).await.status, 200);
}

#[tokio::test]
async fn a_session_is_patched_and_ended_by_its_secret_alone() {
    let mut server = Server::start_with(|config| config.api_key = Some("key".to_owned())).await;
    server.token = Some("key".to_owned());
    let sender = server.post("/whip/demo", SDP, WHIP_OFFER).await;
    let viewer = server.post("/whep/demo", SDP, WHEP_OFFER).await;
    server.token = None;
    for (posted, ufrag) in [(&sender, "Yb3W"), (&viewer, "6f0a93d4")] {
        let location = posted.header("location");
        let other = if location.ends_with('x') { 'y' } else { 'x' };
        let guessed = format!("{}{other}", &location[..location.len() - 1]);
        patch(&server, &guessed, None, &candidate(ufrag)).await.problem(404);
        assert_eq!(patch(&server, location, Some(posted.header("etag")), &candidate(ufrag)).await.status, 204);
        answer(server.request_at_top("DELETE", &guessed)).await.problem(404);
        let deleted = server.request_at_top("DELETE", location).header("if-match", "\"other\"");
        assert_eq!(answer(deleted).await.status, 200, "a tag does not matter to it");
    }
}

#[tokio::test]
async fn a_full_room_refuses_senders() {
    let server = Server::start_with(|config| config.max_participants = 1).await;
    assert_eq!(server.post("/whip/demo?name=a", SDP, WHIP_OFFER).await.status, 201);
    server.post("/whip/demo?name=b", SDP, WHIP_OFFER).await.problem(409);
    assert_eq!(server.post("/whip/demo?name=a", SDP, WHIP_OFFER).await.status, 201, "a takeover needs no new place");
}

#[tokio::test]
async fn a_viewer_watches_a_room_that_exists() {
    let server = Server::start().await;
    server.post("/whep/demo", SDP, WHEP_OFFER).await.problem(404);
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let posted = server.post("/whep/demo", SDP, WHEP_OFFER).await;
    assert_eq!((posted.status.as_u16(), posted.text().as_str()), (201, OUR_SDP), "{posted:?}");
    let location = posted.header("location");
    assert!(location.starts_with("/api/v1/whep/demo/"), "{location}");
    let room = server.get("/rooms/demo").await.json();
    assert_eq!((&room["viewers"], &room["participants"]), (&json!(1), &json!([])));
    assert_eq!(patch(&server, location, None, &candidate("6f0a93d4")).await.status, 204);
    patch(&server, location, None, &candidate("Yb3W")).await.problem(422);
    // A viewer's session is no sender's.
    answer(server.request_at_top("DELETE", &location.replace("whep", "whip"))).await.problem(404);

    let media = server.media.room("demo");
    let peer = media.newest_peer();
    assert_eq!(answer(server.request_at_top("DELETE", location)).await.status, 200);
    media.wait_for(&format!("remove {peer}")).await;
    assert_eq!(server.get("/rooms/demo").await.json()["viewers"], 0);

    server.post("/whep/demo", SDP, WHEP_OFFER).await;
    let peer = media.newest_peer();
    media.say(MediaEvent::PeerGone { peer, reason: "silent".to_owned() });
    media.wait_for(&format!("remove {peer}")).await;
    assert_eq!(server.get("/rooms/demo").await.json()["viewers"], 0, "a dead viewer counts no more");
}

#[tokio::test]
async fn tokens_decide_who_may_send() {
    let mut server = Server::start_with(|config| config.api_key = Some("key".to_owned())).await;
    server.post("/whip/demo", SDP, WHIP_OFFER).await.problem(401);
    server.token = Some("key".to_owned());
    let token = async |role: &str| {
        let body = json!({"room": "demo", "role": role, "name": "ann"});
        server.send("POST", "/tokens", &body).await.json()["token"].as_str().unwrap().to_owned()
    };
    let (viewer, participant) = (token("viewer").await, token("participant").await);
    server.token = Some(participant);
    assert_eq!(server.post("/whip/demo?name=bob", SDP, WHIP_OFFER).await.status, 201);
    server.send("PUT", "/rooms/demo", &json!({})).await.problem(403);
    server.token = Some(viewer);
    server.post("/whip/demo", SDP, WHIP_OFFER).await.problem(403);
    assert_eq!(server.post("/whep/demo", SDP, WHEP_OFFER).await.status, 201);
    assert_eq!(server.get("/rooms/demo/participants").await.json()[0]["name"], "ann", "the token's name");
    server.get("/rooms/other").await.problem(403);
}
