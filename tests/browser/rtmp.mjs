// An RTMP server to send to: nginx with its RTMP module, in a folder of its own.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { join } from "node:path";

import { scratch } from "./place.mjs";
import { until } from "./wait.mjs";

const MODULE = process.env.NGINX_RTMP_MODULE || "/usr/lib/nginx/modules/ngx_rtmp_module.so";

/** Why there can be no RTMP server here, or `null`. */
export function lacking() {
  if (spawnSync("nginx", ["-v"]).error) return "nginx is not installed";
  return existsSync(MODULE) ? null : `nginx has no RTMP module at ${MODULE}`;
}

/** Starts an RTMP server on a free port. */
export async function startRtmp() {
  const server = new RtmpServer(await freePort());
  await server.start();
  return server;
}

class RtmpServer {
  constructor(port) {
    this.port = port;
    this.folder = mkdtempSync(join(scratch, "rtmp-"));
    mkdirSync(join(this.folder, "recorded"));
    writeFileSync(this.file("nginx.conf"), `
      load_module ${MODULE};
      daemon off;
      master_process off;
      pid ${this.file("nginx.pid")};
      error_log ${this.file("error.log")} info;
      events {}
      rtmp {
        server {
          listen 127.0.0.1:${port};
          application live {
            live on;
            wait_key on;
            wait_video on;
            record all;
            record_unique on;
            record_path ${this.file("recorded")};
          }
        }
      }`);
  }

  file(name) {
    return join(this.folder, name);
  }

  /** Where to send. */
  url(key) {
    return `rtmp://127.0.0.1:${this.port}/live/${key}`;
  }

  /** Starts, also after a kill; resolves when it takes connections. */
  async start() {
    const args = ["-p", this.folder, "-e", this.file("error.log"), "-c", this.file("nginx.conf")];
    this.child = spawn("nginx", args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    this.child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
    await until("nginx takes connections", () => {
      if (this.child.exitCode !== null) throw new Error(`nginx ended: ${said}`);
      return takesConnections(this.port);
    });
  }

  /** Kills it where it stands. */
  async kill() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await ended;
  }

  /** The recordings so far, oldest first. */
  recordings() {
    return readdirSync(this.file("recorded")).sort().map((name) => join(this.file("recorded"), name));
  }
}

/**
 * What ffprobe knows of a file's two streams. Beside its own words: `times`, when its packets are to be shown, in seconds
 * and in order; `first` and `last` of these; `count`, the packets; `rate`, packets a second between the two.
 */
export function probe(file) {
  const args = ["-v", "error", "-show_packets", "-show_streams", "-of", "json", file];
  const { status, stdout, stderr } = spawnSync("ffprobe", args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) throw new Error(`ffprobe ${file}: ${stderr}`);
  const { streams, packets } = JSON.parse(stdout);
  const [video, audio] = ["video", "audio"].map((kind) => {
    const times = packets.filter((packet) => packet.codec_type === kind).map((packet) => Number(packet.pts_time));
    times.sort((a, b) => a - b);
    const [first, last] = [times[0], times.at(-1)];
    const rate = (times.length - 1) / (last - first);
    return { ...streams.find((stream) => stream.codec_type === kind), times, first, last, rate, count: times.length };
  });
  return { video, audio };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function takesConnections(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
