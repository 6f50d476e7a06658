// The fenced blocks of a Markdown file, each with its place and with what the comments above it say to the tests:
//
//   <!-- not run: WHY -->    the block is left out, and the report says why
//   <!-- first: COMMAND -->  the tests run this before the block; readers do not see it

const FENCE = /^\s*```(\w*)\s*$/;
const COMMENT = /^\s*<!--\s*(.*?)\s*-->\s*$/;
const NOT_RUN = /^not run: (.+)$/;
const FIRST = /^first: (.+)$/;

/**
 * @typedef {object} Block
 * @property {string} language what stands behind the fence; empty: nothing
 * @property {number} line the number of its first line
 * @property {string[]} lines what stands between the fences
 * @property {string | null} left why it is not run
 * @property {{line: number, command: string}[]} first what is run before it
 */

/** Finds all blocks of a text. @returns {Block[]} */
export function blocks(text) {
  const found = [];
  let open = null;
  let said = { left: null, first: [] };
  for (const [index, line] of text.split("\n").entries()) {
    const fence = FENCE.exec(line);
    if (open !== null) {
      if (fence === null) open.lines.push(line);
      else {
        found.push(open);
        open = null;
      }
    } else if (fence !== null) {
      open = { language: fence[1], line: index + 2, lines: [], ...said };
      said = { left: null, first: [] };
    } else if (COMMENT.test(line)) {
      const comment = COMMENT.exec(line)[1];
      const [first, left] = [FIRST.exec(comment), NOT_RUN.exec(comment)];
      if (first !== null) said.first.push({ line: index + 1, command: first[1] });
      if (left !== null) said.left = left[1];
    } else if (line.trim() !== "") {
      said = { left: null, first: [] };
    }
  }
  if (open !== null) throw new Error(`line ${open.line - 1}: this block has no end`);
  return found;
}

/** Makes a script of some blocks in which every line has the number that it has in the text. */
export function script(text, of) {
  const lines = text.split("\n").map(() => "");
  for (const { line, lines: own, first } of of) {
    for (const { line: at, command } of first) lines[at - 1] = command;
    own.forEach((command, index) => (lines[line - 1 + index] = command));
  }
  return lines.join("\n");
}

/** Finds the relative links of a text, each with its line; those in blocks do not count. */
export function links(text) {
  const inside = new Set(blocks(text).flatMap(({ line, lines }) => lines.map((_, index) => line + index)));
  const found = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (inside.has(index + 1)) continue;
    for (const [, target] of line.replaceAll(/`[^`]*`/g, "").matchAll(/\]\(([^)\s]+)\)/g)) {
      if (!/^[a-z]+:/i.test(target)) found.push({ line: index + 1, target });
    }
  }
  return found;
}

/** The names by which links find the headings of a text, as GitHub makes them. */
export function anchors(text) {
  const inside = new Set(blocks(text).flatMap(({ line, lines }) => lines.map((_, index) => line + index)));
  const headings = text.split("\n").filter((line, index) => /^#+ /.test(line) && !inside.has(index + 1));
  const seen = new Map();
  return headings.map((heading) => {
    const words = heading.replace(/^#+ /, "").trim().toLowerCase();
    const plain = words.replaceAll(/[^\p{L}\p{N}\- _]/gu, "").replaceAll(" ", "-");
    const count = seen.get(plain) ?? 0;
    seen.set(plain, count + 1);
    return count === 0 ? plain : `${plain}-${count}`;
  });
}
