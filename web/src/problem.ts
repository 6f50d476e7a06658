/** Errors as the server reports them (RFC 9457), and in words for people. */

import type { components } from "./generated/api";

/** A wrong place in a request's body; `pointer` is an RFC 6901 JSON pointer, "" is the whole body. */
export type Fault = components["schemas"]["ProblemPlace"];

/** The part of a problem that the page reads. */
export interface Problem extends Pick<components["schemas"]["Problem"], "title" | "status" | "detail"> {
  errors: Fault[];
}

/** A request that failed. `message` is a sentence that can be shown. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problemText(problem));
    this.name = "ApiError";
  }
}

/** Reads a problem object, filling in what is missing. */
export function readProblem(value: unknown, status = 0): Problem {
  const object = isObject(value) ? value : {};
  return {
    title: typeof object.title === "string" ? object.title : "",
    status: typeof object.status === "number" ? object.status : status,
    detail: typeof object.detail === "string" ? object.detail : "",
    errors: readFaults(object.errors),
  };
}

/** Reads places of a body and what is said of each, also those that are only warned of. */
export function readFaults(value: unknown): Fault[] {
  const faults = Array.isArray(value) ? value : [];
  return faults.filter(isObject).map((fault) => ({
    pointer: typeof fault.pointer === "string" ? fault.pointer : "",
    detail: typeof fault.detail === "string" ? fault.detail : "not valid",
  }));
}

/** Warnings as one line; `null` without any. */
export function warningText(warnings: Fault[]): string | null {
  return warnings.map(({ pointer, detail }) => (pointer ? `${pointer}: ${detail}` : detail)).join("; ") || null;
}

/** Returns the sentence of a problem that says most. */
export function problemText(problem: Problem): string {
  if (problem.detail) return problem.detail;
  if (problem.title) return problem.title;
  if (problem.status === 401) return "The server wants a token. Open the link that you were given, with its ?token=.";
  if (problem.status === 403) return "You are not allowed to do that here.";
  return problem.status ? `The server answered with status ${problem.status}.` : "The server cannot be reached.";
}

/** Returns any thrown value as a sentence. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
