// What a process of this machine uses, as the kernel counts it.

import { readFileSync, readdirSync } from "node:fs";

/** Of a second: the unit of times in /proc on every Linux of today. */
const TICK_S = 0.01;

/** CPU time in seconds, threads, open descriptors and resident memory in MB, of a process. */
export function used(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field, the program's name in brackets, may have blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1];
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) * TICK_S,
    threads: readdirSync(`/proc/${pid}/task`).length,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    memory: Number(resident) / 1_024,
  };
}
