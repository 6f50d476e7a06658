// What watches a server names numbers that a server gives: the alert rules and the dashboard of packaging/monitoring agree
// with docs/operations.md, and that with the metrics that the sources count.
//
//   node --test tests/docs

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const PROJECT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const MONITORING = join(PROJECT, "packaging/monitoring");
const RULES = join(MONITORING, "alerts.yml");
/** Metrics that tests count. */
const OF_TESTS = /^virfie_test_/;

const operations = fs.readFileSync(join(PROJECT, "docs/operations.md"), "utf8");
const rules = fs.readFileSync(RULES, "utf8");
const dashboard = JSON.parse(fs.readFileSync(join(MONITORING, "grafana.json"), "utf8"));

/** The metrics that a text names. */
function named(text) {
  return new Set([...text.matchAll(/\bvirfie_[a-z_]+/g)].map(([name]) => name));
}

/** The rows of the table below a heading, as cells. */
function table(heading) {
  const section = operations.split(`\n## ${heading}\n`)[1].split("\n## ")[0];
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((row) => row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replaceAll("\\|", "|")));
}

/** The metrics that the sources count, which stand there as texts. */
function counted() {
  const paths = ["src", "crates"].flatMap((folder) => {
    return fs.readdirSync(join(PROJECT, folder), { recursive: true }).map((name) => join(PROJECT, folder, name));
  });
  const texts = paths.filter((path) => path.endsWith(".rs")).map((path) => fs.readFileSync(path, "utf8"));
  const names = texts.flatMap((text) => [...text.matchAll(/"(virfie_[a-z_]+)"/g)].map(([, name]) => name));
  // Log targets are crates' names.
  const crates = fs.readdirSync(join(PROJECT, "crates")).map((name) => name.replaceAll("-", "_"));
  return new Set(names.filter((name) => !OF_TESTS.test(name) && !crates.includes(name)));
}

/** The metrics of the tables. */
function documented() {
  return named(table("Metrics").map(([metric]) => metric).join(" "));
}

function missing(names, from) {
  return [...names].filter((name) => !from.has(name)).sort();
}

test("the tables of metrics are what the sources count", () => {
  assert.deepEqual(missing(counted(), documented()), [], "the sources count it, and docs/operations.md does not name it");
  assert.deepEqual(missing(documented(), counted()), [], "docs/operations.md names it, and no source counts it");
});

test("alert rules and dashboard name metrics that there are", () => {
  assert.deepEqual(missing(named(rules), documented()), []);
  const queries = dashboard.panels.flatMap((panel) => panel.targets ?? []).map((target) => target.expr);
  assert.ok(queries.length > 20, "the dashboard has panels");
  assert.deepEqual(missing(named(queries.join(" ")), documented()), []);
});

test("the alert rules are those of the table", () => {
  const written = rules.split("- alert: ").slice(1);
  const found = written.map((rule) => [/ expr: (.+)/.exec(rule)[1], / for: (.+)/.exec(rule)?.[1] ?? ""]);
  const wanted = table("Alerts").map(([expression, duration]) => [expression.replaceAll("`", ""), duration]);
  const short = (duration) => duration.replace(" min", "m").replace(" s", "s");
  assert.deepEqual(found, wanted.map(([expression, duration]) => [expression, short(duration)]));
});

test("Prometheus takes the alert rules", (t) => {
  const run = spawnSync("promtool", ["check", "rules", RULES], { encoding: "utf8" });
  if (run.error?.code === "ENOENT") t.skip("promtool is not installed: Debian's package prometheus has it");
  else assert.equal(run.status, 0, run.stdout + run.stderr);
});
