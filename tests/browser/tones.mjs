// Fake microphones that play one steady tone each, and ears that report which tones a page hears.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { ffmpeg } from "./clips.mjs";
import { scratch } from "./place.mjs";
import { until } from "./wait.mjs";

const RATE = 48_000;

/** A microphone file: one second of a sine wave of `hertz` (a whole number, so that it loops without a click). */
export function microphone(hertz) {
  const samples = new Int16Array(RATE);
  // -12 dBFS: loud enough for everything that listens, far from what a limiter would touch.
  for (let n = 0; n < RATE; n += 1) samples[n] = Math.round(8192 * Math.sin((2 * Math.PI * hertz * n) / RATE));
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + samples.byteLength, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // channels
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(samples.byteLength, 40);
  const file = join(scratch, `tone-${hertz}.wav`);
  writeFileSync(file, Buffer.concat([header, Buffer.from(samples.buffer)]));
  return file;
}

/**
 * How loud each of the tones is in what the video element plays now, in dB of full scale.
 *
 * @param {import("playwright-core").Locator} video
 * @param {number[]} tones Hz
 * @returns {Promise<number[]>}
 */
export function levels(video, tones) {
  return video.evaluate(async (element, wanted) => {
    // An ear per stream: after a reconnect the element plays another one.
    let ear = element.ear;
    if (ear?.stream !== element.srcObject) {
      await ear?.context.close();
      const context = new AudioContext();
      const analyser = new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0 });
      context.createMediaStreamSource(element.srcObject).connect(analyser);
      ear = element.ear = { stream: element.srcObject, context, analyser };
    }
    const bins = new Float32Array(ear.analyser.frequencyBinCount);
    ear.analyser.getFloatFrequencyData(bins);
    const width = ear.context.sampleRate / ear.analyser.fftSize;
    return wanted.map((hertz) => {
      const centre = Math.round(hertz / width);
      // Silence is -Infinity, which does not survive JSON.
      return Math.max(-200, ...bins.subarray(centre - 4, centre + 5));
    });
  }, tones);
}

/**
 * How loud a tone is left and right in what the video element plays now, in dB of full scale.
 *
 * @param {import("playwright-core").Locator} video
 * @param {number} hertz
 * @returns {Promise<[number, number]>}
 */
export function sides(video, hertz) {
  return video.evaluate((element, wanted) => {
    let ears = element.ears;
    if (ears?.stream !== element.srcObject) {
      const context = new AudioContext();
      const splitter = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
      const source = context.createMediaStreamSource(element.srcObject);
      source.connect(splitter);
      const analysers = [0, 1].map((side) => {
        const analyser = new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0 });
        splitter.connect(analyser, side);
        return analyser;
      });
      // The source is kept: what nobody holds may be collected.
      ears = element.ears = { stream: element.srcObject, context, source, analysers };
    }
    return ears.analysers.map((analyser) => {
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      const centre = Math.round((wanted * analyser.fftSize) / ears.context.sampleRate);
      return Math.max(-200, ...bins.subarray(centre - 4, centre + 5));
    });
  }, hertz);
}

/** Waits until a tone is as it should be on both sides: `fits` gets left and right in dB. */
export async function hearsSides(what, video, hertz, fits) {
  return until(what, async () => {
    const [left, right] = await sides(video, hertz);
    if (fits(left, right)) return [left, right];
    throw new Error(`${hertz} Hz at ${left.toFixed(0)} dB on the left and ${right.toFixed(0)} dB on the right`);
  });
}

/**
 * Waits until the video element has played `heard` at least 25 dB above `unheard` for a whole second, and resolves to
 * the smallest distance in that second, in dB.
 */
export async function hears(who, video, heard, unheard) {
  let since = null;
  let least = Infinity;
  return until(`${who} hears ${heard} Hz and not ${unheard} Hz`, async () => {
    const [wanted, unwanted] = await levels(video, [heard, unheard]);
    const told = `${heard} Hz ${wanted.toFixed(0)} dB, ${unheard} Hz ${unwanted.toFixed(0)} dB`;
    if (wanted < -60 || wanted - unwanted < 25) {
      since = null;
      least = Infinity;
      throw new Error(told);
    }
    since ??= performance.now();
    least = Math.min(least, wanted - unwanted);
    if (performance.now() - since < 1_000) throw new Error(told);
    return least;
  });
}

/** How loud each of the tones is in a recording, in dB of full scale. */
export function toneLevels(file, tones) {
  const args = ["-i", file, "-vn", "-ac", "1", "-ar", `${RATE}`, "-f", "f32le", "-"];
  const bytes = ffmpeg(args);
  const samples = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~3)));
  // In pieces of 100 ms: a gap or a jump in the sound then harms one piece, not the sum of all.
  const piece = RATE / 10;
  return tones.map((hertz) => {
    let power = 0;
    let pieces = 0;
    for (let start = 0; start + piece <= samples.length; start += piece, pieces += 1) {
      let [real, imaginary] = [0, 0];
      for (let n = 0; n < piece; n += 1) {
        const window = 1 - Math.cos((2 * Math.PI * n) / piece);
        const angle = (2 * Math.PI * hertz * n) / RATE;
        real += samples[start + n] * window * Math.cos(angle);
        imaginary += samples[start + n] * window * Math.sin(angle);
      }
      power += (2 * Math.hypot(real, imaginary) / piece) ** 2;
    }
    return 10 * Math.log10(power / pieces + 1e-20);
  });
}
