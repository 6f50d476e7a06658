// Every command of the documentation runs: the `sh` blocks of README.md and docs/*.md, those of one file in order in one
// shell, against a real server of their own. Layouts in `json` blocks are checked by that server, too, and links lead
// somewhere. `blocks.mjs` says how a block is left out, or prepared.
//
//   VIRFIE_BIN=…/release/virfie node --test tests/docs

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { ffmpeg } from "../browser/clips.mjs";
import { program, scratch } from "../browser/place.mjs";
import { startServer } from "../browser/server.mjs";
import { until } from "../browser/wait.mjs";
import { anchors, blocks, links, script } from "./blocks.mjs";
import { prepared } from "./prepared.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const PROJECT = resolve(HERE, "../..");
/** Where the documentation says that the server is. */
const ADDRESS = /(127\.0\.0\.1|localhost):8080/g;
/** Cutting people out of a second of video takes some seconds on a busy machine. */
const FILE_MS = 180_000;
/** Characters of what the commands print that a failure shows. */
const SAID = 3000;
/** What a layout can have. */
const LAYOUT_KEYS = ["canvas", "layers", "auto", "transition", "triggers", "music"];

const PAGES = fs.readdirSync(join(PROJECT, "docs")).filter((name) => name.endsWith(".md"));
const FILES = ["README.md", ...PAGES.map((name) => `docs/${name}`)];
const CHECKED = [...FILES, "CONTRIBUTING.md", "SECURITY.md"];

for (const file of FILES) {
  const text = fs.readFileSync(join(PROJECT, file), "utf8");
  const all = blocks(text);
  const shell = all.filter(({ language }) => language === "sh");
  const run = shell.filter(({ left }) => left === null);
  const left = shell.filter(({ left }) => left !== null);
  const json = all.filter(({ language }) => language === "json");
  if (shell.length + json.length === 0) continue;

  test(`the commands of ${file}`, { timeout: FILE_MS + 60_000 }, async (t) => {
    t.diagnostic(`${file}: ${run.length} blocks run, ${left.length} left out, ${json.length} of JSON read`);
    for (const { line, left: why } of left) t.diagnostic(`${file}:${line}: left out: ${why}`);
    const layouts = json.map((block) => ({ ...block, value: parsed(file, block) })).filter(({ value }) => isLayout(value));
    if (run.length + layouts.length === 0) return;
    const studio = await Studio.start();
    try {
      const faults = await studio.run(file, script(text, run));
      for (const { line, value } of layouts) {
        const path = "/rooms/demo/layout?dry_run=true";
        await studio.server.ask("PUT", path, value).catch((error) => faults.push(`${file}:${line}: ${error.message}`));
      }
      if (faults.length > 0) assert.fail(`\n${faults.join("\n")}`);
    } finally {
      await studio.end();
    }
  });
}

test("links of the documentation lead somewhere", () => {
  const faults = [];
  for (const file of CHECKED) {
    const text = fs.readFileSync(join(PROJECT, file), "utf8");
    for (const { line, target } of links(text)) {
      const [path, anchor] = target.split("#");
      const to = path === "" ? join(PROJECT, file) : resolve(PROJECT, dirname(file), path);
      if (!fs.existsSync(to)) faults.push(`${file}:${line}: there is no ${relative(PROJECT, to)}`);
      else if (anchor !== undefined && to.endsWith(".md") && !anchors(fs.readFileSync(to, "utf8")).includes(anchor))
        faults.push(`${file}:${line}: ${relative(PROJECT, to)} has no heading #${anchor}`);
    }
  }
  if (faults.length > 0) assert.fail(`\n${faults.join("\n")}`);
});

function parsed(file, { line, lines }) {
  try {
    return JSON.parse(lines.join("\n"));
  } catch (error) {
    throw new Error(`${file}:${line}: ${error.message}`);
  }
}

function isLayout(value) {
  const keys = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  return keys.length > 0 && keys.every((key) => LAYOUT_KEYS.includes(key));
}

/** A server with the room `demo`, in which somebody is, and a folder with the files that the commands name. */
class Studio {
  static async start() {
    const server = await startServer([], { model: "embedded" });
    return prepared(new Studio(server, fs.mkdtempSync(join(scratch, "docs-"))));
  }

  constructor(server, folder) {
    this.server = server;
    this.folder = folder;
    const who = ["--server", server.url, "--room", "demo", "--name", "ann"];
    this.bot = spawn(program(), ["bot", ...who, "--size", "320x180", "--fps", "10"], { stdio: "ignore" });
    this.left = new Promise((resolve) => this.bot.once("exit", resolve));
  }

  async prepare() {
    const put = (name, file) => this.server.ask("PUT", `/assets/${name}`, fs.readFileSync(join(this.folder, file)));
    const file = (name) => join(this.folder, name);
    fs.copyFileSync(join(PROJECT, "models/pictures/portrait.jpg"), file("photo.jpg"));
    fs.copyFileSync(join(PROJECT, "pipelines/assets/studio.jpg"), file("beach.jpg"));
    ffmpeg(["-f", "lavfi", "-i", "testsrc=s=160x90:r=5:d=0.4", file("cheers.gif")]);
    ffmpeg(["-f", "lavfi", "-i", "color=orange:s=160x90:d=0.1", "-frames:v", "1", file("logo.png")]);
    ffmpeg(["-f", "lavfi", "-i", "sine=d=1", file("club.wav")]);
    const picture = ["-f", "lavfi", "-i", "testsrc=s=320x180:r=10:d=0.5", "-f", "lavfi", "-i", "sine=d=0.5"];
    for (const name of ["clip.mp4", "talk.mp4"]) ffmpeg([...picture, "-pix_fmt", "yuv420p", file(name)]);
    for (const name of ["beach.jpg", "club.jpg"]) await put(name, "beach.jpg");
    for (const name of ["logo.png", "sun.png", "away.png", "beer.png", "frame.png"]) await put(name, "logo.png");
    for (const name of ["cheers.gif", "clip.mp4", "club.wav"]) await put(name, name);
    await put("click.wav", "club.wav");
    fs.mkdirSync(file("bin"));
    fs.symlinkSync(resolve(program()), file("bin/virfie"));
    const isIn = async () => (await this.server.people("demo")).get("ann")?.video;
    await until("somebody is in the room", isIn, { within: 20_000 });
  }

  /** Runs a script; resolves to a fault for every line that fails. */
  async run(file, commands) {
    const name = join(this.folder, "commands.sh");
    const faults = join(this.folder, "faults");
    fs.writeFileSync(name, commands.replaceAll(ADDRESS, new URL(this.server.url).host));
    fs.writeFileSync(faults, "");
    const kept = Object.entries(process.env).filter(([key]) => !key.startsWith("VIRFIE_"));
    const api = `${this.server.url}/api/v1`;
    const env = {
      ...Object.fromEntries(kept),
      PATH: `${join(this.folder, "bin")}:${process.env.PATH}`,
      HOME: this.folder,
      BASH_ENV: join(HERE, "shell.sh"),
      DOCS_SCRATCH: this.folder,
      DOCS_FAULTS: faults,
      API: api,
      OUTPUTS: `${api}/rooms/demo/outputs`,
      KEY: "a-key-of-an-open-server",
      // Without it, bots would look for a server at the usual address.
      VIRFIE_BOT_SERVER: this.server.url,
    };
    // A group of its own, so that nothing that it starts in the background stays.
    const child = spawn("bash", [name], { cwd: this.folder, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
    const late = setTimeout(() => process.kill(-child.pid, "SIGKILL"), FILE_MS);
    const [code, signal] = await new Promise((resolve) => child.once("close", (...how) => resolve(how)));
    clearTimeout(late);
    const lines = commands.split("\n");
    const numbers = fs.readFileSync(faults, "utf8").split("\n").filter((number) => number !== "");
    const found = numbers.map((number) => `${file}:${number}: ${lines[Number(number) - 1]}`);
    if (signal !== null) found.push(`${file}: its commands take more than ${FILE_MS / 1000} s`);
    // A script that bash cannot read, or a variable that no line sets.
    if (code !== 0 && signal === null && found.length === 0) found.push(`${file}: bash ended with ${code}`);
    if (found.length > 0) found.push(said.slice(-SAID).replaceAll(name, file));
    return found;
  }

  async end() {
    this.bot.kill("SIGTERM");
    await this.left;
    await this.server.stop();
  }
}
