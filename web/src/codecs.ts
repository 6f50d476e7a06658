/** Which video codecs to name when joining, best first. */

export interface Codec {
  mimeType: string;
  sdpFmtpLine?: string;
}

/** H.264 decodes in hardware nearly everywhere and is the encoding that a room always has. */
const RECEIVE = ["h264", "vp8", "vp9"];
/** VP8 first: every browser encodes it in software without start-up pauses. */
const SEND = ["vp8", "h264", "vp9"];

/** H.264 counts only as constrained baseline or baseline with packetization-mode 1: that is what rooms speak. */
function usable(codec: Codec): boolean {
  if (codec.mimeType.toLowerCase() !== "video/h264") return true;
  const line = (codec.sdpFmtpLine ?? "").toLowerCase();
  return /packetization-mode=1\b/.test(line) && /profile-level-id=42(e0|c0|00)/.test(line);
}

function nameOf(codec: Codec): string {
  return codec.mimeType.toLowerCase().replace(/^video\//, "");
}

function choose(preferred: string[], codecs: Codec[] | undefined, override: string[]): string[] {
  const known = (codecs ?? []).filter(usable).map(nameOf);
  const chosen = override.filter((name) => known.includes(name));
  return chosen.length > 0 ? chosen : preferred.filter((name) => known.includes(name));
}

export function receivable(codecs: Codec[] | undefined, override: string[] = []): string[] {
  return choose(RECEIVE, codecs, override);
}

export function sendable(codecs: Codec[] | undefined, override: string[] = []): string[] {
  return choose(SEND, codecs, override);
}

/** Returns an offer that takes Opus in stereo. Browsers play both channels only if their own description says so. */
export function takesStereo(sdp: string): string {
  const payloads = [...sdp.matchAll(/^a=rtpmap:(\d+) opus\//gim)].map(([, payload = ""]) => payload);
  return payloads.reduce((text: string, payload) => {
    const line = new RegExp(`^(a=fmtp:${payload} )(.*)$`, "m");
    const parameters = line.exec(text)?.[2];
    if (parameters === undefined) return text.replace(new RegExp(`^(a=rtpmap:${payload} .*)$`, "m"), `$1\r\na=fmtp:${payload} stereo=1`);
    return /(^|;)\s*stereo=/.test(parameters) ? text : text.replace(line, "$1stereo=1;$2");
  }, sdp);
}

/**
 * Returns the codecs to offer for the names `receivable` gave, in their order, with retransmission. Empty when no name is
 * known.
 */
export function preferred<T extends Codec>(codecs: T[], names: string[]): T[] {
  const named = names.flatMap((name) => codecs.filter((codec) => nameOf(codec) === name && usable(codec)));
  return named.length === 0 ? [] : [...named, ...codecs.filter((codec) => nameOf(codec) === "rtx")];
}
