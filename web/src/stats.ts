/** Numbers of the connections, from WebRTC's own statistics. */

export interface Sample {
  /** The mix as it arrives. */
  width: number;
  height: number;
  framesPerSecond: number;
  framesDecoded: number;
  framesDropped: number;
  freezeCount: number;
  videoBytes: number;
  videoPacketsLost: number;
  videoCodec: string;
  audioBytes: number;
  audioPacketsLost: number;
  /** Energy of the sound that arrived since the start; it stands still when there is silence. */
  audioEnergy: number;
  /** The media that this page sends. */
  sentVideoBytes: number;
  sentFrames: number;
  sentWidth: number;
  sentHeight: number;
  sentVideoCodec: string;
  sentAudioBytes: number;
  /** Milliseconds to the server and back, `null` until measured. */
  roundTripMs: number | null;
  /** Milliseconds, since the page's start. */
  at: number;
}

type Entry = Record<string, unknown>;

/**
 * Condenses the statistics of the receiving and the sending connection into the numbers above; what a browser does not
 * report is 0 or "".
 */
export function condense(received: Iterable<Entry>, sent: Iterable<Entry>, at: number): Sample {
  // Apart, because ids are unique only within one connection.
  const [incoming, outgoing] = [[...received], [...sent]];
  const number = (entry: Entry | undefined, key: string) => (typeof entry?.[key] === "number" ? entry[key] : 0);
  const stream = (entries: Entry[], type: string, kind: string) =>
    entries.find((entry) => entry.type === type && entry.kind === kind);
  const codec = (entries: Entry[], entry: Entry | undefined) => {
    const mime = entries.find((each) => each.type === "codec" && each.id === entry?.codecId)?.mimeType;
    return typeof mime === "string" ? mime.replace(/^\w+\//, "").toLowerCase() : "";
  };
  const video = stream(incoming, "inbound-rtp", "video");
  const audio = stream(incoming, "inbound-rtp", "audio");
  const sentVideo = stream(outgoing, "outbound-rtp", "video");
  const sentAudio = stream(outgoing, "outbound-rtp", "audio");
  const pairs = incoming.filter((entry) => entry.type === "candidate-pair" && entry.state === "succeeded");
  const pair = pairs.find((entry) => entry.nominated) ?? pairs[0];
  const roundTrip = pair?.currentRoundTripTime;
  return {
    width: number(video, "frameWidth"),
    height: number(video, "frameHeight"),
    framesPerSecond: number(video, "framesPerSecond"),
    framesDecoded: number(video, "framesDecoded"),
    framesDropped: number(video, "framesDropped"),
    freezeCount: number(video, "freezeCount"),
    videoBytes: number(video, "bytesReceived"),
    videoPacketsLost: number(video, "packetsLost"),
    videoCodec: codec(incoming, video),
    audioBytes: number(audio, "bytesReceived"),
    audioPacketsLost: number(audio, "packetsLost"),
    audioEnergy: number(audio, "totalAudioEnergy"),
    sentVideoBytes: number(sentVideo, "bytesSent"),
    sentFrames: number(sentVideo, "framesEncoded"),
    sentWidth: number(sentVideo, "frameWidth"),
    sentHeight: number(sentVideo, "frameHeight"),
    sentVideoCodec: codec(outgoing, sentVideo),
    sentAudioBytes: number(sentAudio, "bytesSent"),
    roundTripMs: typeof roundTrip === "number" ? Math.round(roundTrip * 1000) : null,
    at,
  };
}

/** Returns one line for under the picture: what arrives and how far away the server is. */
export function readout(now: Sample, before: Sample | null): string {
  if (!now.width) return "";
  const words = [`${now.width}×${now.height}`, `${Math.round(now.framesPerSecond)} fps`];
  const seconds = before ? (now.at - before.at) / 1000 : 0;
  if (before && seconds > 0 && now.videoBytes >= before.videoBytes) {
    words.push(`${(((now.videoBytes - before.videoBytes) * 8) / seconds / 1e6).toFixed(1)} Mbit/s`);
  }
  if (now.videoCodec) words.push(now.videoCodec.toUpperCase());
  if (now.roundTripMs !== null) words.push(`${now.roundTripMs} ms round trip`);
  return words.join("  ·  ");
}
