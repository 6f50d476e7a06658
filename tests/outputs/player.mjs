// hls.js in a real Chromium, on a page of another site, as `../browser/hls.test.mjs` has it.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { startBrowser } from "../browser/browser.mjs";
import { until } from "../browser/wait.mjs";

const SCRIPT = new URL("../browser/node_modules/hls.js/dist/hls.js", import.meta.url);
const PAGE = `<!doctype html><title>Player</title><video muted width="640" height="360"></video><script src="hls.js"></script>`;
/** Three segments in the player's buffer. */
const PLAYS_MS = 40_000;

export class Player {
  /** Plays a playlist; resolves when pictures come. */
  static async open(address) {
    const player = new Player();
    player.site = createServer((request, response) => {
      const isScript = request.url === "/hls.js";
      response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
      response.end(isScript ? readFileSync(SCRIPT) : PAGE);
    });
    await new Promise((resolve) => player.site.listen(0, "127.0.0.1", resolve));
    player.browser = await startBrowser();
    player.tab = await player.browser.tab();
    await player.tab.page.goto(`http://127.0.0.1:${player.site.address().port}/`);
    await player.tab.page.evaluate((address) => {
      const video = document.querySelector("video");
      const hls = new window.Hls();
      window.seen = { trouble: [], stalls: 0, level: null };
      hls.on("hlsError", (_, { type, details, fatal }) => fatal && window.seen.trouble.push(`${type} ${details}`));
      hls.on("hlsManifestParsed", (_, { levels }) => {
        window.seen.level = levels[0];
        video.play();
      });
      video.addEventListener("waiting", () => (window.seen.stalls += 1));
      hls.loadSource(address);
      hls.attachMedia(video);
    }, address);
    player.from = await until("hls.js plays", async () => {
      const now = await player.now();
      return now.time > 0 && now.frames > 0 && now;
    }, { within: PLAYS_MS });
    return player;
  }

  now() {
    return this.tab.page.evaluate(() => {
      const video = document.querySelector("video");
      const { trouble, stalls, level } = window.seen;
      const { totalVideoFrames: frames, droppedVideoFrames: dropped } = video.getVideoPlaybackQuality();
      const { videoWidth: width, videoHeight: height, currentTime: time } = video;
      const { videoCodec, audioCodec } = level?.attrs ? level : {};
      return { time, frames, dropped, width, height, trouble, stalls, videoCodec, audioCodec };
    });
  }

  /** What it has played since it began, and what went wrong. */
  async close() {
    const to = await this.now();
    const seconds = to.time - this.from.time;
    await this.browser.close();
    this.site.close();
    const { errors } = this.tab;
    return { ...to, seconds, rate: (to.frames - this.from.frames) / seconds, stalls: to.stalls - this.from.stalls, errors };
  }
}
