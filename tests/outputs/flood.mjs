// Viewers that ask for keyframes all the time: a flood of PLI, packets of RTCP that say that a picture is lost.
//
// They are peers of libdatachannel (`npm ci` in ../clients), which ask whenever they are asked to; a browser would ask
// as often only on a line that loses nearly everything. What they get shows that the requests come: their encoder
// follows.

import { ROOM } from "./room.mjs";

/** Now and then libdatachannel 0.33 has no transport yet when the answer comes. */
const ATTEMPTS = 5;
/** Types of NAL units: an instantaneous decoder refresh, and the two ways in which RTP cuts and joins units. */
const [REFRESH, JOINED, CUT] = [5, 24, 28];

export class Flood {
  asked = 0;
  /** Pictures and refreshes that the first viewer got. */
  pictures = 0;
  keyframes = 0;

  /** `viewers` ask every so many milliseconds each. */
  static async open(url, { viewers = 2, every = 50 } = {}) {
    const { DataChannelViewer } = await import("../clients/datachannel.mjs");
    const flood = new Flood();
    flood.viewers = [];
    for (let count = 0; count < viewers; count += 1) {
      flood.viewers.push(await watch(DataChannelViewer, `${url}/whep/${ROOM}`));
    }
    flood.viewers[0].onPacket = (kind, packet) => kind === "video" && flood.#count(packet);
    flood.since = performance.now();
    const ask = () => flood.viewers.forEach(({ tracks }) => (flood.asked += tracks.video.requestKeyframe() ? 1 : 0));
    flood.timer = setInterval(ask, every);
    return flood;
  }

  #count(packet) {
    if (packet[1] & 0x80) this.pictures += 1;
    if (begins(packet)) this.keyframes += 1;
  }

  /** Ends it; resolves to what was asked for and what came, a second. */
  async close() {
    clearInterval(this.timer);
    const seconds = (performance.now() - this.since) / 1_000;
    await Promise.all(this.viewers.map((viewer) => viewer.leave().catch(() => {})));
    const rate = (count) => count / seconds;
    return { seconds, asked: rate(this.asked), keyframes: rate(this.keyframes), pictures: rate(this.pictures) };
  }
}

async function watch(Viewer, endpoint, attempt = 1) {
  try {
    return await Viewer.watch(endpoint);
  } catch (error) {
    if (attempt === ATTEMPTS) throw error;
    return watch(Viewer, endpoint, attempt + 1);
  }
}

/** Whether a packet of RTP begins a slice of a refresh with the picture's first block. */
function begins(packet) {
  const extended = packet[0] & 0x10;
  let at = 12 + (packet[0] & 0x0f) * 4;
  if (extended) at += 4 + packet.readUInt16BE(at + 2) * 4;
  const first = (slice) => Boolean(packet[slice] & 0x80);
  const type = packet[at] & 0x1f;
  if (type === REFRESH) return first(at + 1);
  if (type === CUT) return Boolean(packet[at + 1] & 0x80) && (packet[at + 1] & 0x1f) === REFRESH && first(at + 2);
  if (type !== JOINED) return false;
  for (let unit = at + 1; unit + 3 < packet.length; unit += 2 + packet.readUInt16BE(unit)) {
    if ((packet[unit + 2] & 0x1f) === REFRESH && first(unit + 3)) return true;
  }
  return false;
}
