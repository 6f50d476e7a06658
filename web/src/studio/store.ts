/**
 * The room's layout as this editor sees it: the server's, with changes that are still under way laid over it.
 * Everything that changes the layout goes through here, so that it can be undone.
 */

import type { Answer } from "./api";
import { ApiError } from "../problem";
import { applied, layerEdit, merged, type Edit } from "./edits";
import { History, type Step } from "./history";
import { findLayer, readLayout, type Json, type Layer, type Layout } from "./model";
import { Stream } from "./stream";

/** The requests that the store makes. `revision`: what the room must be at, else the request fails with status 412. */
export interface LayoutApi {
  getLayout(): Promise<Answer>;
  putLayout(layout: unknown): Promise<Answer>;
  patchLayout(patch: unknown, revision?: number | null): Promise<Answer>;
  patchLayer(id: string, patch: unknown): Promise<Answer>;
  deleteLayer(id: string): Promise<Answer>;
}

export interface StoreHandlers {
  /** Another layout is to be shown now. */
  changed(): void;
  /** A change was refused. */
  trouble(error: unknown): void;
  /** For those who cannot see it. */
  tell(text: string): void;
}

/** How often an addition is tried again because others changed the layout meanwhile. */
const ATTEMPTS = 5;

/** A layer that is being dragged: what this editor says of it counts until it is let go. */
interface Hold {
  label: string;
  before: Layer;
  now: Layer;
  /** Keys that were changed at any time: all of them are sent, also those that are back where they were. */
  touched: Set<string>;
  stream: Stream<Json>;
  /** Whether undoing takes back what was done right before it, too. */
  joins: boolean;
  refused: boolean;
}

export class LayoutStore {
  /** The layout to show. */
  layout: Layout = readLayout(null);
  readonly history = new History();
  /** The revision that the newest of this editor's own changes made. */
  answered = -1;
  private server: Layout = this.layout;
  private revision = -1;
  private pending: Edit[] = [];
  private held: Hold | null = null;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly api: LayoutApi,
    private readonly handlers: StoreHandlers,
  ) {}

  /** Starts over, in another room or after a lost connection. */
  reset(layout: unknown, revision: number): void {
    this.held?.stream.drop();
    this.held = null;
    this.revision = revision;
    this.answered = -1;
    this.server = readLayout(layout);
    this.refresh();
  }

  /** Takes a layout that the server reports. Older news than what is known is passed over. */
  take({ layout, revision }: Answer): void {
    if (revision !== null && revision < this.revision) return;
    this.revision = revision ?? this.revision;
    this.server = readLayout(layout);
    this.refresh();
  }

  /** Returns whether the server has not answered a change of this layer yet. */
  waits(id: string): boolean {
    const isOf = (edit: Edit) => (edit.kind === "layer" ? edit.id === id : !("layer" in edit) || edit.layer.id === id);
    return this.held?.before.id === id || this.pending.some(isOf);
  }

  get dragging(): string | null {
    return this.held?.before.id ?? null;
  }

  /** Makes a change and remembers it. Resolves to whether the server took it. `key`: see `History.push`. */
  edit(label: string, edits: (Edit | null)[], key = ""): Promise<boolean> {
    const wanted = edits.filter((edit) => edit !== null);
    if (wanted.length === 0) return Promise.resolve(true);
    return this.send(wanted).then((sent) => {
      if (sent) this.history.push({ label, edits: wanted }, key);
      this.handlers.changed();
      return sent;
    });
  }

  /** Notes a change that somebody else has already sent. */
  note(step: Step): void {
    this.history.push(step);
    this.handlers.changed();
  }

  undo(): Promise<void> {
    return this.step(() => this.history.undo(), "Undone");
  }

  redo(): Promise<void> {
    return this.step(() => this.history.redo(), "Done again");
  }

  /** Takes hold of a layer: `draft` then changes it live. `joins`: undoing takes back the edit before, too. */
  hold(id: string, label: string, joins = false): boolean {
    if (this.held?.before.id === id && this.held.label === label) return true;
    void this.release();
    const layer = findLayer(this.layout, id);
    if (!layer) return false;
    // A change that was let go before is sent before.
    const turn = this.queue;
    const stream = new Stream<Json>(async (patch) => {
      await turn;
      try {
        this.answer(await this.api.patchLayer(id, patch));
      } catch (error) {
        stream.drop();
        held.refused = true;
        if (this.held === held) this.held = null;
        this.refresh();
        this.handlers.trouble(error);
      }
    });
    const held: Hold = { label, before: layer, now: layer, touched: new Set(), stream, joins, refused: false };
    this.held = held;
    return true;
  }

  /** Changes the held layer by a merge patch from how it was when it was taken. */
  draft(patch: Json): void {
    const { held } = this;
    if (!held) return;
    held.now = merged(held.before, patch) as Layer;
    for (const key of Object.keys(patch)) held.touched.add(key);
    if (held.touched.size === 0) return;
    held.stream.push(wanted(held));
    this.refresh();
  }

  /** Changes the held layer by a merge patch from how it is now. */
  draftMore(patch: Json): void {
    if (this.held) this.draft({ ...wanted(this.held), ...patch });
  }

  /** Lets go: what was drafted last stays. `key`: see `History.push`. */
  async release(key = ""): Promise<void> {
    const { held } = this;
    if (!held) return;
    this.held = null;
    const edit = layerEdit(held.before, held.now);
    if (held.touched.size === 0) return;
    const shown: Edit = { kind: "layer", id: held.before.id, now: held.now.id, patch: wanted(held), back: {} };
    this.pending.push(shown);
    await (this.queue = this.queue.then(() => held.stream.flush()));
    this.pending = this.pending.filter((other) => other !== shown);
    const step = { label: held.label, edits: edit && !held.refused ? [edit] : [] };
    if (step.edits.length > 0 && held.joins) this.history.join(step);
    else if (step.edits.length > 0) this.history.push(step, key);
    this.refresh();
  }

  /** Lets go, and puts the layer back to where it was taken. */
  async cancel(): Promise<void> {
    const { held } = this;
    if (!held) return;
    held.now = held.before;
    if (held.touched.size > 0) held.stream.push(wanted(held));
    await this.release();
  }

  private step(take: () => Step | null, verb: string): Promise<void> {
    void this.release();
    return (this.queue = this.queue.then(async () => {
      const step = take();
      if (!step) return;
      this.pending.push(...step.edits);
      this.refresh();
      if (await this.sendNow(step.edits)) this.handlers.tell(`${verb}: ${step.label}`);
      this.handlers.changed();
    })) as Promise<void>;
  }

  private send(edits: Edit[]): Promise<boolean> {
    void this.release();
    this.pending.push(...edits);
    this.refresh();
    const sent = this.queue.then(() => this.sendNow(edits));
    this.queue = sent;
    return sent;
  }

  /** Sends edits that are pending; whether the server took them all. */
  private async sendNow(edits: Edit[]): Promise<boolean> {
    try {
      for (const edit of edits) {
        this.answer(await this.request(edit));
        this.pending = this.pending.filter((other) => other !== edit);
      }
      return true;
    } catch (error) {
      this.handlers.trouble(error);
      return false;
    } finally {
      this.pending = this.pending.filter((other) => !edits.includes(other));
      this.refresh();
    }
  }

  private async request(edit: Edit): Promise<Answer> {
    switch (edit.kind) {
      case "layer":
        return this.api.patchLayer(edit.id, edit.patch);
      case "remove":
        return this.api.deleteLayer(edit.layer.id);
      case "layout":
        return this.api.patchLayout(edit.patch);
      case "whole":
        return this.api.putLayout(edit.after);
      case "add":
        for (let attempt = 1; ; attempt += 1) {
          try {
            return await this.api.patchLayout({ layers: applied(this.server, edit).layers }, this.revision);
          } catch (error) {
            const stale = error instanceof ApiError && error.problem.status === 412;
            if (!stale || attempt === ATTEMPTS) throw error;
            this.take(await this.api.getLayout());
          }
        }
    }
  }

  private answer(answer: Answer): void {
    this.answered = Math.max(this.answered, answer.revision ?? -1);
    this.take(answer);
  }

  private refresh(): void {
    let layout = this.pending.reduce(applied, this.server);
    const { held } = this;
    if (held) layout = { ...layout, layers: layout.layers.map((layer) => (layer.id === held.before.id ? held.now : layer)) };
    this.layout = layout;
    this.handlers.changed();
  }
}

/** Returns everything that the hold has touched, as it is now. */
function wanted({ now, touched }: Hold): Json {
  return Object.fromEntries([...touched].map((key) => [key, now[key] ?? null]));
}
