import { type Diagnostic, linter } from "@codemirror/lint";
import { StateEffect, StateField, type Text } from "@codemirror/state";
import type { EditorDiagnostic } from "./CodeEditor";

/** setDiagnostics replaces what the server said about the text. */
export const setDiagnostics = StateEffect.define<readonly EditorDiagnostic[]>();

const field = StateField.define<readonly EditorDiagnostic[]>({
  create: () => [],
  update(before, transaction) {
    for (const effect of transaction.effects) if (effect.is(setDiagnostics)) return effect.value;
    // The server spoke of the text as it was.
    return transaction.docChanged ? [] : before;
  },
});

/** diagnosticsExtension underlines what the server said, beside what a language's own linter finds. */
export const diagnosticsExtension = [
  field,
  linter((view) => view.state.field(field).map((one) => toDiagnostic(one, view.state.doc)), {
    delay: 50,
    needsRefresh: ({ transactions }) =>
      transactions.some(({ effects }) => effects.some((effect) => effect.is(setDiagnostics))),
  }),
];

/** toDiagnostic finds the place in the text; one outside of it, or none, is the whole of its line. */
export function toDiagnostic(one: EditorDiagnostic, doc: Text): Diagnostic {
  const { message, severity = "error" } = one;
  const line = doc.line(Math.min(Math.max(1, one.line ?? 1), doc.lines));
  if (one.column === undefined) return { from: line.from, to: line.to, severity, message };
  const from = Math.min(line.from + Math.max(0, one.column - 1), line.to);
  const word = /^(?:[\w.]+|\S|)/.exec(line.text.slice(from - line.from))?.[0] ?? "";
  // At the end of a line there is nothing to underline but what came before.
  if (word === "") return { from: Math.max(line.from, from - 1), to: from, severity, message };
  return { from, to: from + word.length, severity, message };
}
