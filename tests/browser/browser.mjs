// Real Chromium, one process per participant, because the fake camera and microphone are the process's; and the page
// as people use it.

import { readFile } from "node:fs/promises";
import { join, normalize } from "node:path";

import { chromium } from "playwright-core";

import { camera, plainCamera } from "./clips.mjs";
import { defineConnect } from "./peers.mjs";
import { microphone } from "./tones.mjs";
import { until } from "./wait.mjs";

/** A folder with a built page (`web/dist`) to test instead of the program's own. */
const FOLDER = process.env.VIRFIE_PAGE;

const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
  // A page that is served from a folder instead of by the server (see `fromFolder`) counts as one of the Internet,
  // which may not talk to this machine.
  `--disable-features=WebRtcHideLocalIpsWithMdns${FOLDER ? ",LocalNetworkAccessChecks" : ""}`,
  // Playwright opens every page in a window of its own; no page is to be slowed down for being behind another.
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
  "--disable-background-timer-throttling",
];

/** Joining on a busy machine: devices, ICE, DTLS, first keyframe. */
const JOIN_MS = 20_000;

/**
 * Starts a Chromium.
 *
 * @param {{clip?: "ann" | "bob", color?: number[], tone?: number}} devices what its camera shows, somebody or a plain
 *   colour, and the tone its microphone plays, Hz
 */
export async function startBrowser({ clip = "ann", color, tone = 440 } = {}) {
  const devices = [
    `--use-file-for-fake-video-capture=${color ? plainCamera(color) : camera(clip)}`,
    `--use-file-for-fake-audio-capture=${microphone(tone)}`,
  ];
  const chrome = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: [...FLAGS, ...devices],
  });
  return new Browser(chrome);
}

class Browser {
  constructor(chrome) {
    this.chrome = chrome;
  }

  /** A new tab with storage of its own. `context`: Playwright's options, such as the viewport. */
  async tab(context = {}) {
    const inside = await this.chrome.newContext({ viewport: { width: 1440, height: 900 }, ...context });
    await inside.addInitScript(recordConnection);
    await inside.addInitScript(defineConnect);
    if (FOLDER) await inside.route("**/*", fromFolder);
    const page = await inside.newPage();
    const tab = new Tab(page);
    // Nothing is passed over: a page that works says nothing on the console.
    page.on("console", (message) => message.type() === "error" && tab.errors.push(message.text()));
    page.on("pageerror", (error) => tab.errors.push(error.message));
    return tab;
  }

  /** A tab that has joined a room by the page and shows its picture. */
  async joined(server, room, name, { query = "", ...context } = {}) {
    const tab = await this.tab(context);
    await tab.join(server, room, name, query);
    return tab;
  }

  async close() {
    await this.chrome.close();
  }
}

/** A browser's tab, and the room's page in it. */
class Tab {
  /** What the page complained about on the console. */
  errors = [];

  constructor(page) {
    this.page = page;
    this.mix = page.getByTestId("mix");
  }

  /**
   * Joins as a person does: fills in the form and clicks. The microphone is left as it is: what browsers do against
   * noise takes a steady tone for noise.
   */
  async join(server, room, name, query = "") {
    await this.page.goto(`${server.url}/?processing=off${query}`);
    await this.page.getByTestId("name-input").fill(name);
    await this.page.getByTestId("room-input").fill(room);
    await this.page.getByTestId("join").click();
    await this.connected();
  }

  /** Waits until the page says that it is connected, and the mix has a picture. */
  async connected() {
    const state = () => this.page.getByTestId("connection-state").textContent();
    try {
      await until("the page is connected", async () => (await state()) === "connected", { within: JOIN_MS });
      await until("the mix has a picture", () => this.mix.evaluate((mix) => mix.videoWidth > 0), { within: JOIN_MS });
    } catch (error) {
      throw new Error(`${error.message}; state ${await state()}; console: ${this.errors.join(" | ") || "quiet"}`);
    }
  }

  /** Milliseconds from when the newest receiving connection was up to the first frame of it on the screen. */
  async firstFrame() {
    return until("a frame came after the connection", () => this.page.evaluate(() => window.seen.firstFrameMs), {
      within: JOIN_MS,
    });
  }

  /** Frames decoded a second over the next `seconds`, by the connection's own statistics. */
  async frameRate(seconds) {
    return this.page.evaluate(async (duration) => {
      const count = async () => {
        const { framesDecoded, at } = await window.virfie.stats();
        return { framesDecoded, at };
      };
      const before = await count();
      await new Promise((resolve) => setTimeout(resolve, duration * 1000));
      const after = await count();
      return ((after.framesDecoded - before.framesDecoded) * 1000) / (after.at - before.at);
    }, seconds);
  }

  /** The connection's numbers, as the page has them. */
  stats() {
    return this.page.evaluate(() => window.virfie.stats());
  }

  screenshot(file, options = {}) {
    return this.page.screenshot({ path: file, ...options });
  }
}

/**
 * Runs in the page before its own scripts: notes when a connection that receives is up, and when the first frame after
 * it shows.
 */
function recordConnection() {
  const seen = { connectedAt: null, firstFrameMs: null };
  window.seen = seen;
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(...settings) {
      super(...settings);
      this.addEventListener("connectionstatechange", () => {
        const receives = this.getTransceivers().some(({ currentDirection }) => /recv/.test(currentDirection));
        if (this.connectionState !== "connected" || !receives) return;
        Object.assign(seen, { connectedAt: performance.now(), firstFrameMs: null });
      });
    }
  };
  addEventListener("loadstart", ({ target }) => {
    if (!(target instanceof HTMLVideoElement) || target.muted) return;
    // May come before the connection's state is reported, by a task or two.
    target.requestVideoFrameCallback((now) => {
      const note = () => {
        if (seen.connectedAt === null) setTimeout(note, 5);
        else seen.firstFrameMs = Math.max(1, now - seen.connectedAt);
      };
      note();
    });
  }, true);
}

/** Serves the page from `FOLDER`: tries a change of the page without building the program again. */
async function fromFolder(route) {
  const { pathname } = new URL(route.request().url());
  const file = pathname === "/" || pathname.startsWith("/r/") ? "index.html" : pathname.slice(1);
  if (!/^(index\.html|favicon\.svg|app\/)/.test(file)) return route.fallback();
  const types = { html: "text/html", js: "text/javascript", css: "text/css", svg: "image/svg+xml" };
  const body = await readFile(join(FOLDER, normalize(file)));
  return route.fulfill({ body, contentType: types[file.split(".").pop()] });
}
