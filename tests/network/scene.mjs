// All that a measurement needs: a line, a server with somebody in it at one end, and a browser at the other.

import { Line } from "./line.mjs";
import { RECEIVERS, startBrowserAt } from "./receivers.mjs";
import { takeThrough } from "./run.mjs";
import { Studio } from "./studio.mjs";

// Ended from outside, this process cleans up as if it had ended by itself.
for (const [signal, number] of [["SIGHUP", 1], ["SIGINT", 2], ["SIGTERM", 15]]) {
  process.once(signal, () => process.exit(128 + number));
}

export class Scene {
  static async open() {
    const scene = new Scene();
    try {
      scene.line = await Line.open();
      await scene.line.set();
      scene.studio = await Studio.open(scene.line);
      return scene;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  /** Lets a receiver (a name of `RECEIVERS`) come on the first line, and takes it through all; see `takeThrough`. */
  async receive(receiver, steps, tell) {
    const { line, studio } = this;
    await line.set(steps[0].faults);
    const browser = await startBrowserAt(line.client, studio);
    try {
      const tab = await RECEIVERS[receiver](browser, studio);
      await takeThrough(steps, { line, studio, tab }, tell);
    } finally {
      // Over a bad line, the browser's goodbye would come late.
      await line.set();
      await browser.close();
    }
  }

  async close() {
    try {
      await this.studio?.close();
    } finally {
      await this.line?.close();
    }
  }
}
