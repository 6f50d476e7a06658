/** The list of who is here and who speaks. */

import { element } from "./dom";
import { icon } from "./icons";
import { Mixing, type Mixed } from "./mixing";
import type { Participant, RoomEvent } from "./protocol";
import { describe, follow, lost, trouble } from "./roster";
import { isOffAir, onAirButton, readyButton, stageWord, type Staged } from "./staging";

export class People {
  private readonly list = element("participants", HTMLUListElement);
  private readonly count = element("people-count", HTMLSpanElement);
  private people: readonly Participant[] = [];

  /** Everybody, in order of joining. */
  get now(): readonly Participant[] {
    return this.people;
  }

  /** The person at this page, once in a room. */
  get own(): Participant | undefined {
    return this.people.find(({ id }) => id === this.self);
  }

  /** The sliders of each person, by id. */
  private readonly mixing = new Map<string, Mixing>();

  constructor(
    private readonly change: (id: string, change: Mixed | Staged) => void,
    /** The person at this page, who is backstage, says whether they are ready. */
    private readonly ready: (ready: boolean) => void,
  ) {}

  private self = "";
  /** Whether this person directs the room. */
  private directs = false;

  /** Starts over with the room as the welcome describes it. */
  reset(people: readonly Participant[], self: string, directs = false): void {
    this.self = self;
    this.directs = directs;
    this.people = people;
    this.render();
  }

  event(event: RoomEvent): void {
    const next = follow(this.people, event);
    if (next === this.people) return;
    this.people = next;
    this.render();
  }

  private render(): void {
    this.count.textContent = String(this.people.length);
    // Rows are kept by id, so that a speaking ring fades instead of jumping.
    const rows = new Map([...this.list.children].map((row) => [(row as HTMLElement).dataset.id, row as HTMLElement]));
    const wanted = this.people.map((person) => {
      const row = rows.get(person.id) ?? document.createElement("li");
      this.fill(row, person);
      return row;
    });
    const same = wanted.length === this.list.children.length && wanted.every((row, at) => row === this.list.children[at]);
    if (!same) this.list.replaceChildren(...wanted);
    for (const id of this.mixing.keys()) if (!this.people.some((person) => person.id === id)) this.mixing.delete(id);
  }

  private mixingOf({ id }: Participant): Mixing {
    const known = this.mixing.get(id) ?? new Mixing((change) => this.change(id, change));
    this.mixing.set(id, known);
    return known;
  }

  private fill(row: HTMLElement, person: Participant): void {
    const self = person.id === this.self;
    const words = describe(person, self);
    const problem = trouble(person, self, this.directs);
    row.dataset.id = person.id;
    row.dataset.name = person.name;
    row.dataset.state = person.state;
    row.dataset.speaking = String(person.speaking);
    row.dataset.lost = String(lost(person));
    row.dataset.stage = person.stage;
    row.title = words ? `${person.name} (${words})` : person.name;
    if (this.directs) this.mixingOf(person).show(person);
    // Who begins to speak changes a word only: buttons that were made again would lose the press, and the focus.
    const silent = describe({ ...person, speaking: false }, self);
    const looks = `${person.name}\n${silent}\n${self}\n${problem}\n${this.directs}`;
    if (row.dataset.looks === looks) {
      row.querySelector(".hidden-text")?.replaceChildren(words);
      return;
    }
    row.dataset.looks = looks;

    const face = document.createElement("span");
    face.className = "face";
    face.style.setProperty("--hue", String(hue(person.name)));
    face.setAttribute("aria-hidden", "true");
    face.textContent = [...person.name][0]?.toUpperCase() ?? "?";
    const name = document.createElement("span");
    name.className = "person-name";
    name.textContent = person.name;
    const spoken = document.createElement("span");
    spoken.className = "hidden-text";
    spoken.textContent = words;
    const marks = document.createElement("span");
    marks.className = "marks";
    if (self) {
      const you = document.createElement("span");
      you.className = "you";
      you.setAttribute("aria-hidden", "true");
      you.textContent = "you";
      name.append(" ", you);
    }
    if (isOffAir(person)) {
      const off = document.createElement("span");
      off.className = "off-air";
      off.setAttribute("aria-hidden", "true");
      off.textContent = stageWord(person);
      name.append(" ", off);
    }
    if (person.state !== "connected") marks.append(icon("away"));
    if (!person.audio || person.muted) marks.append(icon("microphoneOff"));
    if (!person.video) marks.append(icon("cameraOff"));
    if (lost(person)) marks.append(icon("nobody"));
    // The sliders are left where they are: taken out and put back, they would lose the hand that pulls them.
    const sliders = this.directs ? this.mixingOf(person).block : null;
    for (const child of [...row.childNodes]) if (child !== sliders) child.remove();
    row.prepend(face, name, marks, spoken);
    if (isOffAir(person) && self) spoken.after(readyButton(person, this.ready));
    if (isOffAir(person) && this.directs) spoken.after(onAirButton(person, this.change));
    if (sliders && sliders.parentNode !== row) row.append(sliders);
    if (problem) row.append(reason(problem, self));
  }
}

/** Returns why someone is not seen. */
function reason(problem: string, self: boolean): HTMLElement {
  const line = document.createElement("p");
  line.className = "person-problem";
  line.dataset.testid = "person-problem";
  line.setAttribute("role", "status");
  line.textContent = `${self ? "You are not seen" : "Not seen"}: ${problem}`;
  return line;
}

/** Returns a colour that stays with a name. */
function hue(name: string): number {
  let sum = 0;
  for (const char of name) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 360;
  return sum;
}
