// Two people in one room by the page, each with a tone of their own.

import { startBrowser } from "./browser.mjs";
import { startServer } from "./server.mjs";

/** Starts a server and has ann and bob join a room of it, whose microphones hear these tones, in Hz. */
export async function startDuo(room, tones) {
  const server = await startServer();
  const browsers = [];
  const stop = async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await server.stop();
  };
  try {
    await server.ask("PUT", `/rooms/${room}`, {});
    for (const clip of ["ann", "bob"]) browsers.push(await startBrowser({ clip, tone: tones[clip] }));
    const [ann, bob] = await Promise.all(["ann", "bob"].map((name, index) => browsers[index].joined(server, room, name)));
    return { server, browsers, ann, bob, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
