// Where things are: the program under test, real clips, the folder for temporary files, and the one for
// pictures that somebody may want to look at after a run.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const project = resolve(fileURLToPath(import.meta.url), "../../..");
const shared = join(project, "../shared/data");

/** A folder for this process, gone when it ends. */
export const scratch = mkdtempSync(join(tmpdir(), "virfie-browser-"));
process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));

const kept = process.env.VIRFIE_ARTIFACTS || join(tmpdir(), "virfie-artifacts");

/** The path of a kept picture or recording. */
export function artifact(name) {
  mkdirSync(kept, { recursive: true });
  return join(kept, name);
}

/** A real clip of someone, or `null` where it is missing. */
export function clipFile(name) {
  const file = join(shared, "video", name);
  return existsSync(file) ? file : null;
}

/** The program under test. */
export function program() {
  const file = process.env.VIRFIE_BIN || join(targetFolder(), "release/virfie");
  if (!existsSync(file)) throw new Error(`${file} is not there: run \`cargo build --release\`, or set VIRFIE_BIN`);
  return file;
}

function targetFolder() {
  const asked = spawnSync("cargo", ["metadata", "--format-version=1", "--no-deps", "--offline"], {
    cwd: project,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return asked.status === 0 ? JSON.parse(asked.stdout).target_directory : join(project, "target");
}
