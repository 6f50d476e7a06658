// Tables, and what does not hold.

/** Writes a row of a table at once, so that a long run shows how far it is. */
export function write(cells) {
  console.log(`| ${cells.join(" | ")} |`);
}

/** Writes the head of a table; columns whose name ends in `>` stand to the right. */
export function head(columns) {
  write(columns.map((name) => name.replace(/>$/, "")));
  write(columns.map((name) => (name.endsWith(">") ? "--:" : "---")));
}

/** What was to hold and does not. */
export class Verdict {
  wrong = [];

  /** Notes the sentence where `holds` is false. */
  expect(holds, sentence) {
    if (!holds) this.wrong.push(sentence);
  }

  /** Says all, and sets the exit code. */
  say() {
    if (this.wrong.length === 0) console.log("\nAll of it holds.");
    else console.log(`\nDoes not hold:\n${this.wrong.map((sentence) => `- ${sentence}`).join("\n")}`);
    process.exitCode = this.wrong.length > 0 ? 1 : 0;
  }
}

export const near = (value, wanted, tolerance) => Math.abs(value - wanted) <= tolerance;
