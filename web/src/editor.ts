/** A CodeMirror editor for one JSON text, with marks at wrong places. */

import { acceptCompletion, autocompletion, completionKeymap, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { forEachDiagnostic, lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { EditorState, type Text } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

import { spotAt, type Offer, type Spot } from "./complete";
import { locate, type Place } from "./pointer";

export interface Mark {
  from: number;
  to: number;
  message: string;
}

const SERVER = "server";
/** A pause in typing after which the syntax is checked: not at every half-written key. */
const CHECK_MS = 350;

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "#8ec7ff" },
  { tag: tags.string, color: "#b8dc8c" },
  { tag: tags.number, color: "#f5b870" },
  { tag: [tags.bool, tags.null], color: "#e99bd6" },
  { tag: [tags.separator, tags.squareBracket, tags.brace], color: "#8d97a8" },
]);

const theme = EditorView.theme(
  {
    "&": { height: "100%", fontSize: "12.5px", backgroundColor: "transparent", color: "#e3e7ed" },
    ".cm-scroller": { fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace", lineHeight: "1.55" },
    ".cm-gutters": { backgroundColor: "transparent", color: "#7d8797", border: "none" },
    ".cm-activeLine": { backgroundColor: "#ffffff08" },
    ".cm-activeLineGutter": { backgroundColor: "transparent", color: "#aab4c3" },
    ".cm-content": { caretColor: "#ff6a55" },
    ".cm-cursor": { borderLeftColor: "#ff6a55" },
    "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "#2f4a6b !important" },
    "&.cm-focused": { outline: "none" },
    ".cm-tooltip": { backgroundColor: "#1b2028", border: "1px solid #353d4a", color: "#e3e7ed", borderRadius: "6px" },
    ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "inherit", maxHeight: "12em" },
    ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "#2c4a6e", color: "#fff" },
    ".cm-completionMatchedText": { textDecoration: "none", color: "#8ec7ff" },
    ".cm-tooltip.cm-completionInfo": { maxWidth: "260px", padding: "6px 9px", fontSize: "12px" },
    ".cm-diagnostic-error": { borderLeft: "3px solid #ff5f52" },
  },
  { dark: true },
);

export interface EditorHandlers {
  /** The text differs, or no longer differs, from the one that was last `load`ed. */
  edited(dirty: boolean): void;
  /** Ctrl+Enter. */
  apply(): void;
  /** Returns what may be written there. */
  offers(spot: Spot): Offer[];
  /** A pause in typing. */
  paused(): void;
}

export class JsonEditor {
  private readonly view: EditorView;
  private check: ReturnType<typeof setTimeout> | undefined;
  private baseline: Text;

  constructor(
    parent: HTMLElement,
    label: string,
    private readonly handlers: EditorHandlers,
  ) {
    const run = () => {
      handlers.apply();
      return true;
    };
    this.view = new EditorView({
      parent,
      extensions: [
        lineNumbers(),
        lintGutter(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        indentOnInput(),
        bracketMatching(),
        EditorState.tabSize.of(2),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
        json(),
        syntaxHighlighting(colours),
        theme,
        autocompletion({ override: [(context) => this.complete(context)], icons: false }),
        // Escape, then Tab leaves the editor: CodeMirror's own way out of a Tab that indents.
        keymap.of([
          { key: "Mod-Enter", run },
          { key: "Mod-s", run },
          ...completionKeymap,
          { key: "Tab", run: acceptCompletion },
          ...defaultKeymap,
          ...historyKeymap,
          ...lintKeymap,
          indentWithTab,
        ]),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          handlers.edited(this.dirty);
          clearTimeout(this.check);
          this.check = setTimeout(() => {
            this.checkSyntax();
            if (this.dirty && this.syntax().length === 0) handlers.paused();
          }, CHECK_MS);
        }),
      ],
    });
    this.baseline = this.view.state.doc;
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  get dirty(): boolean {
    return !this.view.state.doc.eq(this.baseline);
  }

  /** Shows `text` as the unedited state. Only what differs is replaced: cursor and scroll stay where they can. */
  load(text: string): void {
    const old = this.text;
    this.baseline = EditorState.create({ doc: text }).doc;
    let from = 0;
    while (from < old.length && from < text.length && old[from] === text[from]) from += 1;
    let tail = 0;
    const most = Math.min(old.length, text.length) - from;
    while (tail < most && old[old.length - 1 - tail] === text[text.length - 1 - tail]) tail += 1;
    const changes = { from, to: old.length - tail, insert: text.slice(from, text.length - tail) };
    if (changes.from !== changes.to || changes.insert) this.view.dispatch({ changes });
    this.mark([]);
  }

  /** Returns where a JSON pointer leads in the text, or in one that it was. */
  place(pointer: string, text = this.text): Place {
    return locate(text, pointer);
  }

  /** The text as it stands is the unedited state now. */
  settle(): void {
    this.baseline = this.view.state.doc;
  }

  /** Marks the places that the server refused; they move with the text as it is edited. */
  mark(marks: Mark[]): void {
    const diagnostics = marks.map((mark): Diagnostic => ({ ...mark, severity: "error", source: SERVER }));
    this.view.dispatch(setDiagnostics(this.view.state, this.syntax().concat(diagnostics)));
  }

  reveal(position: number): void {
    const at = Math.min(position, this.view.state.doc.length);
    this.view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    this.view.focus();
  }

  /** Brings a place into view without going there. */
  look(position: number): void {
    this.view.dispatch({ effects: EditorView.scrollIntoView(Math.min(position, this.view.state.doc.length), { y: "start", yMargin: 24 }) });
  }

  private complete({ state, pos, explicit }: CompletionContext): CompletionResult | null {
    const spot = spotAt(state.sliceDoc(0, pos));
    if (!spot || (spot.from === pos && !explicit && spot.kind === "value")) return null;
    // A closing quotation mark behind the cursor belongs to what is replaced.
    const to = state.sliceDoc(pos, pos + 1) === '"' ? pos + 1 : pos;
    const colon = /^"?\s*:/.test(state.sliceDoc(pos, pos + 20));
    const options = this.handlers.offers(spot).map(({ text, about }) => ({
      label: spot.kind === "key" ? `"${text}"` : text,
      displayLabel: spot.kind === "key" ? text : text.replace(/^"(.*)"$/, "$1"),
      apply: spot.kind === "key" ? `"${text}"${colon ? "" : ": "}` : text,
      info: about || undefined,
    }));
    if (options.length === 0) return null;
    const typed = state.sliceDoc(spot.from, pos);
    // The typed text may lack the quotation mark that the labels begin with.
    const found = typed.startsWith('"') ? options : options.map((option) => ({ ...option, label: option.label.replace(/^"/, "") }));
    return { from: spot.from, to, options: found.map(({ info, ...option }) => (info ? { ...option, info } : option)) };
  }

  private checkSyntax(): void {
    const kept: Diagnostic[] = [];
    forEachDiagnostic(this.view.state, (diagnostic, from, to) => {
      if (diagnostic.source === SERVER) kept.push({ ...diagnostic, from, to });
    });
    this.view.dispatch(setDiagnostics(this.view.state, this.syntax().concat(kept)));
  }

  private syntax(): Diagnostic[] {
    return this.view.state.doc.length === 0 ? [] : jsonParseLinter()(this.view);
  }
}
