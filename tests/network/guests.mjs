// Some WHEP viewers, in a process of their own that can be killed: the other half of `churn.mjs`.
//
//   node guests.mjs ENDPOINT COUNT [--without-sound]
//
// Says `watching` when all get pictures. Then it leaves, properly, as soon as its standard input ends.

import { until } from "../browser/wait.mjs";
import { DataChannelViewer } from "../clients/datachannel.mjs";

/** Pictures that each has seen before it counts. */
const PICTURES = 5;

const [endpoint, count, without] = process.argv.slice(2);

const watch = () => DataChannelViewer.watch(endpoint, { sound: without === undefined });
const viewers = await Promise.all(Array.from({ length: Number(count) }, watch));
await until("all get pictures", () => viewers.every(({ got }) => got.video.frames >= PICTURES), { within: 30_000 });
console.log("watching");
for await (const _ of process.stdin);
await Promise.all(viewers.map((viewer) => viewer.leave()));
process.exit(0);
