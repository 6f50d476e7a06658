// Left and right, from the room's mix to what browsers play.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startDuo } from "./duo.mjs";
import { plainPage, watch } from "./peers.mjs";
import { hearsSides } from "./tones.mjs";
import { until } from "./wait.mjs";

const ROOM = "stage";
const TONE = 880;
/** A tone is heard above this, in dB, and on one side alone when the other is so far below. */
const HEARD = -60;
const APART = 20;

let duo;
let server;
let browsers;
let ann;
let bob;

const isLeft = (left, right) => left > HEARD && left - right > APART;
const isRight = (left, right) => right > HEARD && right - left > APART;
const isMiddle = (left, right) => left > HEARD && Math.abs(left - right) < 1;

before(async () => {
  duo = await startDuo(ROOM, { ann: TONE, bob: 440 });
  ({ server, browsers, ann, bob } = duo);
});

after(() => duo?.stop());

async function place(name, pan) {
  const { id } = (await server.people(ROOM)).get(name);
  await server.ask("PATCH", `/rooms/${ROOM}/participants/${id}`, { pan });
}

test("the page plays a voice where it is placed", async (t) => {
  const [middle] = await hearsSides("bob hears ann in the middle", bob.mix, TONE, isMiddle);
  await place("ann", -1);
  const left = await hearsSides("bob hears ann on the left", bob.mix, TONE, isLeft);
  await place("ann", 1);
  const right = await hearsSides("bob hears ann on the right", bob.mix, TONE, isRight);
  const words = (sides) => sides.map((side) => side.toFixed(1)).join(" and ");
  t.diagnostic(`in the middle ${middle.toFixed(1)} dB; on the left ${words(left)}; on the right ${words(right)}`);
  await place("ann", 0);
  await hearsSides("bob hears ann in the middle again", bob.mix, TONE, isMiddle);
});

test("who directs places people in the page", async () => {
  const row = bob.page.locator('#participants li[data-name="ann"]');
  await row.getByTestId("person-mix").click();
  await row.getByTestId("person-pan").fill("-1");
  await hearsSides("bob hears ann on the left", bob.mix, TONE, isLeft);
  await until("the room's state says so", async () => {
    const { pan } = (await server.people(ROOM)).get("ann");
    if (pan !== -1) throw new Error(`she is at ${pan}`);
    return true;
  });
  const shown = await ann.page.locator('#participants li[data-name="ann"]').getByTestId("person-pan").inputValue();
  assert.equal(shown, "-1", "others who direct see it");
});

test("a viewer whose offer takes stereo hears it, and another one hears the same in mono", async () => {
  const [wide, narrow] = [await plainPage(browsers[0], server), await plainPage(browsers[0], server)];
  await watch(wide, ROOM, { stereo: true });
  await watch(narrow, ROOM);
  await hearsSides("ann on the left", wide.mix, TONE, isLeft);
  await hearsSides("ann, somewhere", narrow.mix, TONE, (left) => left > HEARD);
});

test("the page says how loud the programme is", async () => {
  const text = await until("a loudness is shown", async () => {
    const text = await bob.page.getByTestId("loudness").textContent();
    if (/^-\d+\.\d LUFS$/.test(text)) return text;
    throw new Error(text);
  });
  const { loudness } = await server.ask("GET", `/rooms/${ROOM}`);
  assert.ok(Math.abs(Number.parseFloat(text) - loudness.short_term) < 3, `${text}, ${JSON.stringify(loudness)}`);
});
