// Recordings: outputs whose other end is our server's own disk.

import { statSync } from "node:fs";
import { join } from "node:path";

import { filesIn } from "./far.mjs";
import { ROOM } from "./room.mjs";

export class Recording {
  /** `folder`: the server's recordings; `ending`: `mkv` or `mp4`; `iso`: of each participant. */
  constructor(folder, name, { ending = "mkv", iso = false } = {}) {
    this.folder = join(folder, ROOM);
    Object.assign(this, { name, ending, iso });
  }

  body() {
    const { name, ending } = this;
    return this.iso ? { type: "iso", name } : { type: "file", name, container: ending };
  }

  bytes() {
    return this.files().reduce((sum, file) => sum + statSync(file).size, 0);
  }

  files() {
    const ours = (file) => file.startsWith(join(this.folder, `${this.name}-`));
    return filesIn(this.folder, `.${this.ending}`).filter(ours);
  }
}
