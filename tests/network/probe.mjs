// What arrives in a page, by its own measure: every picture shown, and the connection's counters.

/** Runs in every page before its own scripts: keeps all connections that it makes, for their numbers. */
export function keepConnections() {
  window.connections = [];
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(...settings) {
      super(...settings);
      window.connections.push(this);
    }
  };
}

/** Runs in the page: notes every picture that the video shows, and every 50 ms how much sound was made up. */
function observe(video) {
  const seen = { frames: [], sound: [] };
  window.seenOnLine = seen;

  const shown = (at, { height, presentedFrames }) => {
    seen.frames.push({ at, height, count: presentedFrames });
    video.requestVideoFrameCallback(shown);
  };
  video.requestVideoFrameCallback(shown);

  /** The entries of one type of all connections that are alive. */
  window.entriesOnLine = async (fits) => {
    const alive = window.connections.filter(({ connectionState }) => connectionState === "connected");
    const reports = await Promise.all(alive.map((connection) => connection.getStats()));
    const numbered = (report, connection) => [...report.values()].map((entry) => ({ ...entry, connection }));
    return reports.flatMap(numbered).filter(fits);
  };
  const listen = async () => {
    const receivers = window.connections.flatMap((connection) => connection.getReceivers());
    const ear = receivers.find(({ track }) => track.kind === "audio" && track.readyState === "live");
    for (const entry of (await ear?.getStats())?.values() ?? []) {
      if (entry.type !== "inbound-rtp" || entry.trackIdentifier !== ear.track.id) continue;
      seen.sound.push({ at: performance.now(), all: entry.totalSamplesReceived, made: entry.concealedSamples });
    }
    setTimeout(listen, 50);
  };
  listen();
}

/** Runs in the page: the counters of what arrives. */
async function count() {
  const all = await window.entriesOnLine(({ type }) => type === "inbound-rtp" || type === "candidate-pair");
  // Probes of the line may count as streams of their own.
  const stream = (wanted) => {
    const those = all.filter(({ type, kind }) => type === "inbound-rtp" && kind === wanted);
    return those.sort((a, b) => b.packetsReceived - a.packetsReceived)[0] ?? {};
  };
  const [video, audio] = [stream("video"), stream("audio")];
  const pairs = all.filter(({ type, nominated }) => type === "candidate-pair" && nominated);
  const pair = pairs.find(({ connection }) => connection === video.connection) ?? {};
  return {
    at: performance.now(),
    decoded: video.framesDecoded ?? 0,
    bytes: (video.bytesReceived ?? 0) + (audio.bytesReceived ?? 0),
    retransmitted: video.retransmittedPacketsReceived ?? 0,
    lost: video.packetsLost ?? 0,
    keyframes: video.keyFramesDecoded ?? 0,
    plis: video.pliCount ?? 0,
    buffered: video.jitterBufferDelay ?? 0,
    emitted: video.jitterBufferEmittedCount ?? 0,
    samples: audio.totalSamplesReceived ?? 0,
    made: audio.concealedSamples ?? 0,
    roundTripMs: (pair.currentRoundTripTime ?? NaN) * 1_000,
  };
}

/** Observes the video of a tab from now on. */
export class Probe {
  static async on(tab) {
    const probe = new Probe(tab);
    await tab.mix.evaluate(observe);
    return probe;
  }

  constructor(tab) {
    this.page = tab.page;
  }

  /** The page's counters now; `at` is its clock. */
  count() {
    return this.page.evaluate(count);
  }

  /** The pictures and the notes on sound since a time of the page's clock, and the clock now. */
  since(from) {
    return this.page.evaluate((from) => {
      const { frames, sound } = window.seenOnLine;
      const after = (list) => list.slice(list.findLastIndex(({ at }) => at < from) + 1);
      return { frames: after(frames), sound: after(sound), now: performance.now() };
    }, from);
  }

  /**
   * Since when, after `from`, all pictures have been so high (`since`, if the newest is), and until when (`until`, the
   * newest one's time); `now` as above.
   */
  async asHigh(height, from) {
    const { frames, now } = await this.since(from);
    const other = frames.findLastIndex((frame) => frame.height !== height);
    return { since: frames[other + 1]?.at, until: frames.at(-1)?.at, now };
  }
}

/** The longest time without a new picture between two times, in ms. */
export function longestFreeze(frames, from, to) {
  const times = [from, ...frames.map(({ at }) => at).filter((at) => at > from && at < to), to];
  return Math.max(...times.slice(1).map((at, n) => at - times[n]));
}

/** Samples of sound a millisecond, at the 48 kHz that everything here has. */
const SAMPLES_A_MS = 48;

/**
 * The longest stretch of made-up sound, in ms: notes in a row of which more than half was made up. Single lost packets,
 * however many, are less than that.
 */
export function longestGap(sound) {
  let longest = 0;
  let gap = 0;
  for (let n = 1; n < sound.length; n += 1) {
    const made = sound[n].made - sound[n - 1].made;
    const all = sound[n].all - sound[n - 1].all;
    if (all === 0) continue;
    gap = made > all / 2 ? gap + made / SAMPLES_A_MS : 0;
    longest = Math.max(longest, gap);
  }
  return longest;
}
