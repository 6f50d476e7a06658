// A camera that is a clock, and a reader of it: how long a picture takes from a canvas to a screen.

/** Bars, one a bit: with 20 of them the clock, in milliseconds, starts again after 17 minutes. */
export const BITS = 20;

/**
 * Runs in the page before its own scripts: the camera becomes a clock. The upper half of the picture has a white bar
 * for each set bit, most significant first; the lower half has the opposite, which distinguishes a clean picture from a
 * broken one.
 */
export function clockCamera(bits) {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const original = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints) => {
    const stream = constraints.audio ? await original({ audio: constraints.audio }) : new MediaStream();
    if (!constraints.video) return stream;
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
    const context = canvas.getContext("2d", { alpha: false });
    const bar = canvas.width / bits;
    const draw = () => {
      const time = Math.round(performance.now());
      for (let bit = 0; bit < bits; bit += 1) {
        const set = (time >> (bits - 1 - bit)) & 1;
        context.fillStyle = set ? "#fff" : "#000";
        context.fillRect(bit * bar, 0, bar, 180);
        context.fillStyle = set ? "#000" : "#fff";
        context.fillRect(bit * bar, 180, bar, 180);
      }
      requestAnimationFrame(draw);
    };
    draw();
    stream.addTrack(canvas.captureStream(30).getVideoTracks()[0]);
    return stream;
  };
}

/**
 * Runs in the page: reads the clock from every frame of the mix for some time.
 *
 * @returns per frame, in ms: `shown`, from the drawing to the expected display of the mix; `arrived`, to the last
 *   packet's receipt; and how many frames could not be read
 */
export function readClock(mix, { bits, duration }) {
  const context = new OffscreenCanvas(bits * 4, 8).getContext("2d", { willReadFrequently: true });
  const frames = [];
  let unreadable = 0;
  const read = () => {
    context.drawImage(mix, 0, 0, bits * 4, 8);
    const { data } = context.getImageData(0, 0, bits * 4, 8);
    // The middle of each bar, away from the edges that scaling has mixed.
    const brightness = (bit, row) => data[(row * bits * 4 + bit * 4 + 1) * 4 + 1] + data[(row * bits * 4 + bit * 4 + 2) * 4 + 1];
    let time = 0;
    for (let bit = 0; bit < bits; bit += 1) {
      const difference = brightness(bit, 2) - brightness(bit, 6);
      if (Math.abs(difference) < 160) return null;
      time = time * 2 + (difference > 0 ? 1 : 0);
    }
    return time;
  };
  return new Promise((resolve) => {
    const end = performance.now() + duration;
    const next = (now, { expectedDisplayTime, receiveTime }) => {
      const time = read();
      const wrapped = (at) => at - Math.floor(performance.now() / 2 ** bits) * 2 ** bits;
      if (time === null) unreadable += 1;
      else frames.push({ shown: wrapped(expectedDisplayTime) - time, arrived: wrapped(receiveTime ?? now) - time });
      if (now < end) mix.requestVideoFrameCallback(next);
      else resolve({ frames, unreadable });
    };
    mix.requestVideoFrameCallback(next);
  });
}

/** The value of a sorted list that so much of it is below. */
export function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Median and 95th percentile of milliseconds, in words. */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const [median, p95] = [quantile(sorted, 0.5), quantile(sorted, 0.95)].map(Math.round);
  return `median ${median} ms, p95 ${p95} ms`;
}
