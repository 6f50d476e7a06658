// The lines that a receiver goes through, one after the other, and what must hold on each.

const atLeast = (least, of = "") => ({ holds: (value) => value >= least, said: `at least ${least}${of}` });
const atMost = (most, of = "") => ({ holds: (value) => value <= most, said: `at most ${most}${of}` });

/** Times in seconds: from a change of the line until it is measured, and how long. */
const SETTLE = 6;
const WINDOW = 10;

/** On every line: no long standstill after the change or later, and others notice nothing. */
const ALWAYS = { freezeMs: atMost(2_000, " ms"), otherFps: atLeast(29), otherLowest: atLeast(720) };

const WHOLE = { fps: atLeast(29), lowest: atLeast(720) };
/** What is missing comes again; this shows that it does. */
const AGAIN = { retransmitted: atLeast(1) };

/** However little comes, the sound goes on. */
const SOUND = { made: atMost(2, " %"), gapMs: atMost(100, " ms") };

/**
 * `recover`: the whole picture must be there so many seconds after the change, before the line is measured. `must` is
 * of the numbers in `run.mjs`.
 */
export const LINES = [
  { name: "clean", faults: {}, recover: 20, must: { ...WHOLE, made: atMost(0.5, " %") } },
  { name: "5 % loss", faults: { loss: 5 }, must: { fps: atLeast(28), ...AGAIN } },
  { name: "10 % loss", faults: { loss: 10 }, must: { fps: atLeast(25), ...AGAIN } },
  { name: "5 % loss both ways", faults: { loss: 5, lossBack: 5 }, must: { fps: atLeast(25), ...AGAIN } },
  { name: "clean again", faults: {}, recover: 20, must: WHOLE },
  { name: "2 Mbit/s", faults: { rate: "2mbit" }, must: { fps: atLeast(24) } },
  { name: "700 kbit/s", faults: { rate: "700kbit" }, must: { fps: atLeast(24), highest: atMost(360) } },
  { name: "no limit again", faults: {}, recover: 20, must: WHOLE },
  { name: "200 kbit/s", faults: { rate: "200kbit" }, settle: 5, must: SOUND },
].map(complete);

/** The lines on which somebody comes. The first picture must be there so soon after the connection. */
const SOON = { firstMs: atMost(2_000, " ms") };
export const ARRIVALS = [
  { name: "comes at 5 % loss", faults: { loss: 5 }, must: { fps: atLeast(28), ...SOON } },
  // Firewalls that know nothing but HTTPS: media goes by TCP. The browser tries UDP first.
  {
    name: "comes where no UDP goes",
    faults: { loss: 100, lossBack: 100 },
    must: { ...WHOLE, ...SOUND, firstMs: atMost(4_000, " ms") },
  },
  { name: "comes at 700 kbit/s", faults: { rate: "700kbit" }, must: { fps: atLeast(24), highest: atMost(360), ...SOON } },
].map(complete);

/** Tools that direct the room come to a producer's page after the picture, and take a part of the line for seconds. */
const WITH_TOOLS = {
  name: "comes at 700 kbit/s",
  faults: { rate: "700kbit" },
  settle: 10,
  must: { fps: atLeast(20), highest: atMost(360), ...SOON },
};

const named = (lines, ...names) => lines.filter(({ name }) => names.includes(name));

/**
 * What the tests try with each receiver of `receivers.mjs`. VP8 goes the way of H.264 but for its encoder, so it takes
 * fewer lines; `measure.mjs` takes everything through all of them.
 */
export const TRIED = {
  "viewer, H.264": { lines: LINES, arrivals: ARRIVALS },
  "viewer, VP8": {
    lines: named(LINES, "clean", "10 % loss", "700 kbit/s", "no limit again"),
    arrivals: named(ARRIVALS, "comes at 700 kbit/s"),
  },
  "page, H.264": { lines: LINES, arrivals: ARRIVALS },
  "producer's page, H.264": { lines: [], arrivals: [complete(WITH_TOOLS)] },
};

function complete(line) {
  return { settle: SETTLE, window: WINDOW, ...line, must: { ...ALWAYS, ...line.must } };
}

/** What does not hold of a row, in words. */
export function misses(line, row) {
  const wrong = Object.entries(line.must).filter(([key, { holds }]) => !holds(row[key]));
  const said = wrong.map(([key, { said }]) => `${key} ${Math.round(row[key] * 10) / 10}, ${said} wanted`);
  if (line.recover && !(row.recoverMs <= line.recover * 1_000)) said.push(`no whole picture within ${line.recover} s`);
  return said;
}

/** Whether this machine had too much to do: the receiver on a good line missed pictures, which the bad one cannot cause. */
export function isBusy({ otherFps }) {
  return !ALWAYS.otherFps.holds(otherFps);
}
