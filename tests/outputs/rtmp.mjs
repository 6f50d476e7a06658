// RTMP servers to send to: nginx with its RTMP module, and the same behind TLS, which nginx's stream module takes off.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";

import { lacking } from "../browser/rtmp.mjs";
import { until } from "../browser/wait.mjs";
import { Far, bytesIn, filesIn, freePort } from "./far.mjs";

const RTMP = process.env.NGINX_RTMP_MODULE || "/usr/lib/nginx/modules/ngx_rtmp_module.so";
const STREAM = join(dirname(RTMP), "ngx_stream_module.so");

/** Why there can be none here, or `null`. */
export function noRtmp() {
  return lacking() ?? (existsSync(STREAM) ? null : `nginx has no stream module at ${STREAM}`);
}

export class Nginx extends Far {
  /** `certificate`: its chain and key (`chain`, `key`), for RTMPS. */
  static async at(address, certificate = null) {
    const inner = await freePort("127.0.0.1");
    return new Nginx(address, await freePort(address), certificate && { ...certificate, inner });
  }

  constructor(address, port, tls) {
    super(tls ? "rtmps" : "rtmp");
    Object.assign(this, { address, port, scheme: tls ? "rtmps" : "rtmp" });
    this.recorded = join(this.folder, "recorded");
    mkdirSync(this.recorded);
    const file = (name) => join(this.folder, name);
    // One process for both: it is killed and stopped as a whole.
    const front = tls && `
      load_module ${STREAM};
      stream {
        server {
          listen ${address}:${port} ssl;
          ssl_certificate ${tls.chain};
          ssl_certificate_key ${tls.key};
          proxy_pass 127.0.0.1:${tls.inner};
        }
      }`;
    writeFileSync(file("nginx.conf"), `
      load_module ${RTMP};
      ${front ?? ""}
      daemon off;
      master_process off;
      pid ${file("nginx.pid")};
      error_log ${file("error.log")} warn;
      events {}
      rtmp {
        server {
          listen ${tls ? `127.0.0.1:${tls.inner}` : `${address}:${port}`};
          application live {
            live on;
            # A publisher whose connection was cut on the way, without a word to nginx, keeps its stream for itself.
            drop_idle_publisher 5s;
            wait_key on;
            wait_video on;
            record all;
            record_unique on;
            record_path ${this.recorded};
          }
        }
      }`);
  }

  command() {
    const { folder } = this;
    return ["nginx", ["-p", folder, "-e", join(folder, "error.log"), "-c", join(folder, "nginx.conf")]];
  }

  async ready() {
    await until("nginx takes connections", () => {
      if (this.child.exitCode !== null) throw new Error(`nginx ended: ${this.log}`);
      return takesConnections(this.address, this.port);
    });
  }

  /** What an output to it is made of. */
  body(key = "key") {
    return { type: "rtmp", url: `${this.scheme}://${this.address}:${this.port}/live/${key}` };
  }

  bytes() {
    return bytesIn(this.recorded, ".flv");
  }

  /** What nginx has recorded of it. */
  files() {
    return filesIn(this.recorded, ".flv");
  }
}

function takesConnections(address, port) {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy() && resolve(true));
  });
}
