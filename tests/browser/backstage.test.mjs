// Someone who is taken backstage, says that they are ready, and is put on air again, all in the page.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startDuo } from "./duo.mjs";
import { hearsSides } from "./tones.mjs";
import { until } from "./wait.mjs";

const ROOM = "green-room";
const TONE = 880;
/** A tone is heard above the first and not heard below the second, in dB. */
const [HEARD, SILENT] = [-60, -75];

let duo;
let server;
let ann;
let bob;

before(async () => {
  duo = await startDuo(ROOM, { ann: TONE, bob: 440 });
  ({ server, ann, bob } = duo);
});

after(() => duo?.stop());

/** Resolves when the room's state says where ann stands. */
const annIs = (stage) =>
  until(`ann is ${stage}`, async () => {
    const { stage: now } = (await server.people(ROOM)).get("ann");
    if (now !== stage) throw new Error(`she is ${now}`);
    return true;
  });

const heard = () => hearsSides("bob hears ann", bob.mix, TONE, (left) => left > HEARD);
const silent = () => hearsSides("bob does not hear ann", bob.mix, TONE, (left, right) => left < SILENT && right < SILENT);
const row = (peer) => peer.page.locator('#participants li[data-name="ann"]');

test("who directs takes somebody backstage, and puts them on air when they are ready", async () => {
  await heard();
  await row(bob).getByTestId("person-mix").click();
  await row(bob).getByTestId("person-off-air").click();
  await annIs("backstage");
  await silent();
  await ann.page.getByText("You are backstage: you are not in the programme until you are put on air.").waitFor();
  assert.match(await row(bob).textContent(), /backstage/, "bob's list says it");

  await ann.page.getByTestId("ready").click();
  await annIs("ready");
  await until("bob's list says that she is ready", async () => {
    const text = await row(bob).textContent();
    if (!/ready/.test(text)) throw new Error(text);
    return true;
  });

  await row(bob).getByTestId("person-on-air").click();
  await annIs("on_air");
  await heard();
  assert.equal(await ann.page.getByTestId("ready").count(), 0, "nothing is asked of who is on air");
});
