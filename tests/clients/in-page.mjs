// A WHEP viewer as a script of a page: for every browser the same.

/**
 * Runs in a page of the server's origin: watches a room for some seconds.
 *
 * @param {{endpoint: string, token?: string, seconds: number, tones: number[], codec?: string}} wish
 * @returns what `wish.mjs` says
 */
export async function watchInPage({ endpoint, token, seconds, tones, codec: only }) {
  const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  const stream = new MediaStream();
  for (const kind of ["audio", "video"]) {
    const line = connection.addTransceiver(kind, { direction: "recvonly" });
    stream.addTrack(line.receiver.track);
    if (kind === "audio" || !only) continue;
    const wanted = [`video/${only}`, "video/rtx"];
    const known = RTCRtpReceiver.getCapabilities("video").codecs;
    line.setCodecPreferences(known.filter(({ mimeType }) => wanted.includes(mimeType)));
  }
  const video = Object.assign(document.createElement("video"), { autoplay: true, muted: true, srcObject: stream });
  document.body.replaceChildren(video);

  await connection.setLocalDescription();
  while (connection.iceGatheringState !== "complete") await new Promise((resolve) => setTimeout(resolve, 20));
  const headers = { "content-type": "application/sdp", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(endpoint, { method: "POST", headers, body: connection.localDescription.sdp });
  const answer = await response.text();
  if (response.status !== 201) throw new Error(`${endpoint}: ${response.status} ${answer}`);
  await connection.setRemoteDescription({ type: "answer", sdp: answer });
  const deadline = performance.now() + 20_000;
  while (video.videoWidth === 0 || video.currentTime === 0) {
    if (performance.now() > deadline) throw new Error(`no picture; the connection is ${connection.connectionState}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }

  // Recorded and then looked at, because an AudioContext that runs needs a loudspeaker in some browsers.
  const recorder = new MediaRecorder(new MediaStream(stream.getAudioTracks()));
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
  await fetch(response.headers.get("location"), { method: "DELETE", headers });
  connection.close();
  return result;
}
