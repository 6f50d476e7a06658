// WHEP viewer and WHIP sender as scripts of a page: for every browser the same. What connects is `window.maker`, which
// `plain` defines here, and others elsewhere:
//
//   watch(video, {endpoint, token, codec}): shows the room in the video element; resolves to {connection, leave}
//   send(stream, {endpoint, token, codec}): sends the stream's tracks; resolves to {connection, leave}

/** Runs in a page: WHIP and WHEP with nothing but what the browser has. */
export function plain() {
  const prefer = (line, capabilities, codec) => {
    const wanted = [`video/${codec}`, "video/rtx"];
    line.setCodecPreferences(capabilities.codecs.filter(({ mimeType }) => wanted.includes(mimeType)));
  };
  const offer = async (connection, { endpoint, token }) => {
    await connection.setLocalDescription();
    while (connection.iceGatheringState !== "complete") await new Promise((resolve) => setTimeout(resolve, 20));
    const headers = { "content-type": "application/sdp", ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(endpoint, { method: "POST", headers, body: connection.localDescription.sdp });
    const answer = await response.text();
    if (response.status !== 201) throw new Error(`${endpoint}: ${response.status} ${answer}`);
    await connection.setRemoteDescription({ type: "answer", sdp: answer });
    const leave = async () => {
      const gone = await fetch(new URL(response.headers.get("location"), response.url), { method: "DELETE", headers });
      connection.close();
      if (gone.status !== 200) throw new Error(`DELETE: ${gone.status} ${await gone.text()}`);
    };
    return { connection, leave };
  };
  window.maker = {
    watch(video, { codec, ...where }) {
      const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
      video.srcObject = new MediaStream();
      for (const kind of ["audio", "video"]) {
        const line = connection.addTransceiver(kind, { direction: "recvonly" });
        video.srcObject.addTrack(line.receiver.track);
        if (kind === "video" && codec) prefer(line, RTCRtpReceiver.getCapabilities("video"), codec);
      }
      return offer(connection, where);
    },
    send(stream, { codec, ...where }) {
      const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
      for (const track of stream.getTracks()) {
        const line = connection.addTransceiver(track, { direction: "sendonly", streams: [stream] });
        if (track.kind === "video" && codec) prefer(line, RTCRtpSender.getCapabilities("video"), codec);
      }
      return offer(connection, where);
    },
  };
}

/**
 * Runs in a page of the server's origin: sends camera and microphone until `window.leave` is called.
 *
 * @param {{endpoint: string, token?: string, codec?: string, paint?: number[]}} wish `paint`: a plain picture of this
 *   colour is sent in place of the camera's
 * @returns {Promise<{codec: string}>} once pictures are sent
 */
export async function sendInPage({ paint, ...where }) {
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const video = !paint && { width: 640, height: 360, frameRate: 30 };
  const stream = await navigator.mediaDevices.getUserMedia({ audio, video });
  if (paint) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
    const context = canvas.getContext("2d");
    let painted = 0;
    setInterval(() => {
      context.fillStyle = `rgb(${paint})`;
      context.fillRect(0, 0, 640, 360);
      // One pixel changes, or the canvas would give no new frames.
      context.fillStyle = (painted += 1) % 2 ? "#000" : "#fff";
      context.fillRect(639, 359, 1, 1);
    }, 33);
    stream.addTrack(canvas.captureStream(30).getVideoTracks()[0]);
  }
  const { connection, leave } = await window.maker.send(stream, where);
  window.leave = leave;
  const deadline = performance.now() + 20_000;
  for (;;) {
    const entries = [...(await connection.getStats()).values()];
    const sent = entries.find((entry) => entry.type === "outbound-rtp" && entry.kind === "video");
    const codec = entries.find((entry) => entry.id === sent?.codecId)?.mimeType.replace("video/", "");
    if (codec && sent.packetsSent > 0) return { codec };
    if (performance.now() > deadline) throw new Error(`nothing is sent; the connection is ${connection.connectionState}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Runs in a page of the server's origin: watches a room for some seconds.
 *
 * @param {{endpoint: string, token?: string, seconds: number, tones: number[], codec?: string}} wish
 * @returns what `wish.mjs` says
 */
export async function watchInPage({ seconds, tones, ...where }) {
  const video = Object.assign(document.createElement("video"), { autoplay: true, muted: true });
  document.body.replaceChildren(video);
  const { connection, leave } = await window.maker.watch(video, where);
  const deadline = performance.now() + 20_000;
  while (video.videoWidth === 0 || video.currentTime === 0) {
    if (performance.now() > deadline) throw new Error(`no picture; the connection is ${connection.connectionState}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }

  // Recorded and then looked at, because an AudioContext that runs needs a loudspeaker in some browsers.
  const recorder = new MediaRecorder(new MediaStream(video.srcObject.getAudioTracks()));
  const pieces = [];
  recorder.addEventListener("dataavailable", ({ data }) => pieces.push(data));
  recorder.start();
  const entries = async () => [...(await connection.getStats()).values()];
  const incoming = async (kind) => (await entries()).find((entry) => entry.type === "inbound-rtp" && entry.kind === kind);
  const [before, from] = [await incoming("video"), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const [after, to] = [await incoming("video"), performance.now()];

  const { videoWidth: width, videoHeight: height } = video;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  const { data } = context.getImageData(width / 4, height / 4, width / 2, height / 2);
  const mean = (channel) => {
    let sum = 0;
    for (let at = channel; at < data.length; at += 4) sum += data[at];
    return Math.round((sum * 4) / data.length);
  };
  const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
  recorder.stop();
  await stopped;
  const heard = await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(await new Blob(pieces).arrayBuffer());
  const samples = heard.getChannelData(0);
  /** How loud a tone is, in dB of full scale: the mean over pieces of 100 ms. */
  const level = (hertz) => {
    const [length, powers] = [4_800, []];
    for (let start = 0; start + length <= samples.length; start += length) {
      let [real, imaginary] = [0, 0];
      for (let n = 0; n < length; n += 1) {
        const value = samples[start + n] * (1 - Math.cos((2 * Math.PI * n) / length));
        const angle = (2 * Math.PI * hertz * n) / 48_000;
        real += value * Math.cos(angle);
        imaginary += value * Math.sin(angle);
      }
      powers.push(((2 * Math.hypot(real, imaginary)) / length) ** 2);
    }
    return 10 * Math.log10(powers.reduce((sum, power) => sum + power, 1e-20) / powers.length);
  };
  const codec = (await entries()).find((entry) => entry.id === after.codecId)?.mimeType.replace("video/", "");
  const result = {
    codec,
    width,
    height,
    color: [mean(0), mean(1), mean(2)],
    fps: ((after.framesDecoded - before.framesDecoded) * 1_000) / (to - from),
    tones: tones.map(level),
    lost: after.packetsLost,
    retransmitted: after.retransmittedPacketsReceived ?? null,
  };
  await leave();
  return result;
}
