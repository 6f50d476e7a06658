// Two people join one room by the page: what each of them sees and hears.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { real } from "./clips.mjs";
import { CANVAS, lookSharp, pattern } from "./picture.mjs";
import { artifact } from "./place.mjs";
import { startServer } from "./server.mjs";
import { hears } from "./tones.mjs";
import { until } from "./wait.mjs";

const ROOM = "duo";
const ANN_TONE = 440;
const BOB_TONE = 1000;
/** Where the two stand, and where ann goes. */
const ANN = { x: 40, y: 40, width: 560, height: 315 };
const BOB = { x: 680, y: 40, width: 560, height: 315 };
const ANN_BELOW = { ...ANN, y: 380 };
/** How long it may take until both are seen, on a busy machine. */
const PEOPLE_MS = 45_000;

const whyNot = "needs the real clips of ../shared";

let server;
let ann;
let bob;
const browsers = [];

before(async () => {
  server = await startServer();
  await server.ask("PUT", `/assets/${pattern.name}`, pattern.png());
  await server.ask("PUT", `/rooms/${ROOM}`, {});
  await server.ask("PUT", `/rooms/${ROOM}/layout`, {
    canvas: { background: pattern.name },
    layers: [
      { id: "ann", source: { participant: "ann" }, ...ANN, cutout: "person" },
      { id: "bob", source: { participant: "bob" }, ...BOB, cutout: "person" },
    ],
    auto: { mode: "off" },
  });
  const [left, right] = await Promise.all([
    startBrowser({ clip: "ann", tone: ANN_TONE }),
    startBrowser({ clip: "bob", tone: BOB_TONE }),
  ]);
  browsers.push(left, right);
  [ann, bob] = await Promise.all([left.joined(server, ROOM, "ann"), right.joined(server, ROOM, "bob")]);
});

after(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await server?.stop();
});

/** Whether somebody stands in the box: where the chests of both are, below their chins, is not the background. */
function stands(picture, box) {
  const chest = { x: box.x + 240, y: box.y + 210, width: 100, height: 95 };
  return 1 - picture.share(chest, pattern.shown);
}

/** How much of the background is as it was put, outside the boxes. */
function untouched(picture, boxes) {
  const around = 4;
  const inside = (x, y) => ({ x: left, y: top, width, height }) =>
    x >= left - around && x < left + width + around && y >= top - around && y < top + height + around;
  const whole = { x: 0, y: 0, ...CANVAS };
  return picture.share(whole, (color, x, y) => (boxes.some(inside(x, y)) ? null : pattern.shown(color, x, y)));
}

test("both see both people at the layout's places, before the background", async () => {
  for (const [name, tab] of [["ann", ann], ["bob", bob]]) {
    const picture = await until(`${name} sees both people`, async () => {
      const picture = await lookSharp(tab.mix);
      const [left, right] = [stands(picture, ANN), stands(picture, BOB)];
      if (left > 0.9 && right > 0.9) return picture;
      throw new Error(`ann fills ${left.toFixed(2)} of the middle of her box, bob ${right.toFixed(2)} of his`);
    }, { within: PEOPLE_MS });
    picture.keep(`two-people-seen-by-${name}.png`);
    assert.deepEqual([picture.width, picture.height], [CANVAS.width, CANVAS.height]);
    const share = untouched(picture, [ANN, BOB]);
    assert.ok(share > 0.999, `${name} sees the background at ${share} of the places outside the boxes`);
  }
  await ann.screenshot(artifact("page-two-people.png"));
});

test("where their rooms were, the background shows through", { skip: !real && whyNot }, async () => {
  for (const [name, tab] of [["ann", ann], ["bob", bob]]) {
    const picture = await lookSharp(tab.mix);
    for (const [who, box] of [["ann", ANN], ["bob", BOB]]) {
      for (const [corner, x] of [["left", box.x], ["right", box.x + box.width - 120]]) {
        const share = picture.share({ x, y: box.y, width: 120, height: 90 }, pattern.shown);
        assert.ok(share > 0.95, `${name} sees the background in ${share} of the upper ${corner} corner of ${who}'s box`);
      }
      const people = 1 - picture.share(box, pattern.shown);
      assert.ok(people > 0.15 && people < 0.7, `${name} sees ${who} on ${people} of the box`);
    }
  }
});

test("without a cut-out, the whole pictures are shown", { skip: real && "people are cut out here" }, async () => {
  const picture = await lookSharp(ann.mix);
  for (const box of [ANN, BOB]) {
    const share = picture.share(box, pattern.shown);
    assert.ok(share < 0.01, `the background shows on ${share} of the box`);
  }
});

test("a change of one layer is seen at once", async (t) => {
  await Promise.all([lookSharp(ann.mix), lookSharp(bob.mix)]);
  const ms = await ann.mix.evaluate(async (mix, { url, patch, from, to, tile, colors, tolerance }) => {
    const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    /** How much of the box's lower middle is something else than the background. */
    const filled = (box) => {
      const [x, y, width, height] = [box.x + 200, box.y + 160, 160, 150];
      context.canvas.width = width;
      context.canvas.height = height;
      context.drawImage(mix, x, y, width, height, 0, 0, width, height);
      const { data } = context.getImageData(0, 0, width, height);
      let other = 0;
      for (let row = 0; row < height; row += 3) {
        for (let column = 0; column < width; column += 3) {
          const expected = colors[(Math.floor((x + column) / tile) + Math.floor((y + row) / tile)) % 2];
          const at = (row * width + column) * 4;
          if (expected.some((value, channel) => Math.abs(data[at + channel] - value) > tolerance)) other += 9;
        }
      }
      return other / (width * height);
    };
    let moved;
    const seen = new Promise((resolve) => (moved = resolve));
    const watch = (now) => {
      if (filled(to) > 0.8 && filled(from) < 0.3) moved(now);
      else mix.requestVideoFrameCallback(watch);
    };
    mix.requestVideoFrameCallback(watch);
    const response = await fetch(url, {
      method: "PATCH",
      headers: { "content-type": "application/merge-patch+json" },
      body: JSON.stringify(patch),
    });
    const answered = performance.now();
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error("the move was not seen in 5 s")), 5_000));
    return (await Promise.race([seen, late])) - answered;
  }, {
    url: `/api/v1/rooms/${ROOM}/layout/layers/ann`,
    patch: { y: ANN_BELOW.y },
    from: ANN,
    to: ANN_BELOW,
    tile: pattern.tile,
    colors: pattern.colors,
    tolerance: pattern.tolerance,
  });
  t.diagnostic(`from the PATCH's answer to the first frame that shows it: ${ms.toFixed(0)} ms (aim 200)`);
  // A busy machine may be late; the aim stands above.
  assert.ok(ms < 1000, `${ms} ms`);
  // Another browser shows the same frame at another instant: it has a connection and a jitter buffer of its own.
  const since = performance.now();
  let picture;
  do picture = await lookSharp(bob.mix);
  while (stands(picture, ANN_BELOW) <= 0.8 && performance.now() - since < 1000);
  t.diagnostic(`bob saw it ${(performance.now() - since).toFixed(0)} ms later, at most`);
  picture.keep("two-people-ann-moved.png");
  assert.ok(stands(picture, ANN_BELOW) > 0.8, "bob sees ann at her new place");
  const share = untouched(picture, [ANN_BELOW, BOB]);
  assert.ok(share > 0.99, `bob sees the background at ${share} of the other places`);
});

test("each hears the other and not themselves", async (t) => {
  const [byAnn, byBob] = await Promise.all([
    hears("ann", ann.mix, BOB_TONE, ANN_TONE),
    hears("bob", bob.mix, ANN_TONE, BOB_TONE),
  ]);
  t.diagnostic(`the other is above oneself by ${byAnn.toFixed(0)} dB for ann, ${byBob.toFixed(0)} dB for bob`);
});

test("nobody's console has errors", () => {
  assert.deepEqual([...ann.errors, ...bob.errors], []);
});
