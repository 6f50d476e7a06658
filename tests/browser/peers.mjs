// WHIP senders and WHEP viewers: WebRTC by the standard, from a page that is not the room's own.

/** Opens a plain page of the server's origin, which may use cameras and knows nothing of rooms. */
export async function plainPage(browser, server) {
  const tab = await browser.tab();
  await tab.page.goto(`${server.url}/healthz`);
  return tab;
}

/**
 * Sends the tab's camera and microphone by WHIP; resolves to the session's address when media flows.
 *
 * @param {{codec?: string, color?: string}} how `codec`: the only one to send (`H264`, `VP8`); `color`: a plain picture
 *   of it is sent instead of the camera's
 */
export function publish(tab, room, name, { codec = "H264", color = null } = {}) {
  return tab.page.evaluate(async ({ endpoint, codec, color }) => {
    const stream = await navigator.mediaDevices.getUserMedia({
      video: color === null && { width: 640, height: 360, frameRate: 30 },
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    if (color !== null) {
      const context = Object.assign(document.createElement("canvas"), { width: 640, height: 360 }).getContext("2d");
      let painted = 0;
      setInterval(() => {
        context.fillStyle = color;
        context.fillRect(0, 0, 640, 360);
        // One pixel changes, or the canvas would give no new frames.
        context.fillStyle = (painted += 1) % 2 ? "#000" : "#fff";
        context.fillRect(639, 359, 1, 1);
      }, 33);
      stream.addTrack(context.canvas.captureStream(30).getVideoTracks()[0]);
    }
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    for (const track of stream.getTracks()) {
      const line = pc.addTransceiver(track, { direction: "sendonly", streams: [stream] });
      if (track.kind !== "video") continue;
      const mime = `video/${codec}`;
      const only = RTCRtpSender.getCapabilities("video").codecs.filter((one) => one.mimeType === mime);
      if (only.length === 0) throw new Error(`this browser cannot send ${codec}`);
      line.setCodecPreferences(only);
    }
    return (await window.connect(pc, endpoint)).location;
  }, { endpoint: `/whip/${room}?name=${name}`, codec, color });
}

/**
 * Receives the room by WHEP into a video element, `tab.mix`; resolves to the session's address. `stereo`: its offer takes
 * two channels of sound.
 */
export function watch(tab, room, { stereo = false } = {}) {
  return tab.page.evaluate(async ({ endpoint, stereo }) => {
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const stream = new MediaStream();
    for (const kind of ["audio", "video"]) {
      stream.addTrack(pc.addTransceiver(kind, { direction: "recvonly" }).receiver.track);
    }
    const video = Object.assign(document.createElement("video"), { autoplay: true, srcObject: stream });
    video.dataset.testid = "mix";
    document.body.replaceChildren(video);
    if (stereo) {
      const offer = await pc.createOffer();
      await pc.setLocalDescription({ ...offer, sdp: offer.sdp.replace("useinbandfec=1", "useinbandfec=1;stereo=1") });
    }
    return (await window.connect(pc, endpoint)).location;
  }, { endpoint: `/whep/${room}`, stereo });
}

/** The codec in which the tab's connection sends or receives pictures, as `H264`. */
export function videoCodec(tab, direction) {
  return tab.page.evaluate(async (type) => {
    const report = [...(await window.pc.getStats()).values()];
    const stream = report.find((entry) => entry.type === type && entry.kind === "video");
    return report.find((entry) => entry.id === stream?.codecId)?.mimeType.replace("video/", "");
  }, direction === "send" ? "outbound-rtp" : "inbound-rtp");
}

/** Runs in every page before its own scripts: offers a connection to a WHIP or WHEP endpoint. */
export function defineConnect() {
  window.connect = async (pc, endpoint) => {
    window.pc = pc;
    if (!pc.localDescription) await pc.setLocalDescription();
    if (pc.iceGatheringState !== "complete") {
      await new Promise((resolve) => {
        pc.addEventListener("icegatheringstatechange", () => pc.iceGatheringState === "complete" && resolve());
      });
    }
    const headers = { "content-type": "application/sdp" };
    const response = await fetch(endpoint, { method: "POST", headers, body: pc.localDescription.sdp });
    const text = await response.text();
    if (response.status !== 201) throw new Error(`${endpoint}: ${response.status} ${text}`);
    await pc.setRemoteDescription({ type: "answer", sdp: text });
    if (pc.connectionState !== "connected") {
      await new Promise((resolve, reject) => {
        pc.addEventListener("connectionstatechange", () => {
          if (pc.connectionState === "connected") resolve();
          if (pc.connectionState === "failed") reject(new Error(`${endpoint}: the connection failed`));
        });
      });
    }
    return { location: new URL(response.headers.get("location"), response.url).href };
  };
}
