import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags as t } from "@lezer/highlight";

/** The editor's look, by the theme's tokens alone: it changes with them, without being made anew. */
const look = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "transparent", height: "100%" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", fontSize: "13px", lineHeight: "20px" },
  ".cm-content": { caretColor: "var(--text)", padding: "5px 0" },
  // Below 16 px, phones zoom in on focus.
  "@media (max-width: 720px)": { ".cm-scroller": { fontSize: "16px", lineHeight: "22px" } },
  ".cm-line": { padding: "0 6px" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-placeholder": { color: "var(--text-faint)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selected)",
  },
  ".cm-activeLine": { backgroundColor: "transparent" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": {
    backgroundColor: "var(--accent-soft)",
    outline: "1px solid var(--border-strong)",
  },
  ".cm-nonmatchingBracket, &.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--bad-soft)" },
  ".cm-gutters": {
    backgroundColor: "var(--surface-sunk)",
    color: "var(--text-faint)",
    border: "0",
    borderRight: "1px solid var(--border)",
  },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--text-soft)" },
  ".cm-tooltip": {
    border: "1px solid var(--border)",
    borderRadius: "var(--radius)",
    backgroundColor: "var(--surface-raised)",
    boxShadow: "var(--shadow)",
    color: "var(--text)",
    overflow: "hidden",
    zIndex: "60",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: "var(--mono)",
    fontSize: "12.5px",
    maxHeight: "16em",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px", lineHeight: "18px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--selected)",
    color: "var(--text)",
  },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--accent)", fontWeight: "600" },
  ".cm-completionDetail": { color: "var(--text-faint)", fontStyle: "normal", marginLeft: "1em" },
  ".cm-completionInfo": {
    padding: "8px 11px",
    maxWidth: "360px",
    fontFamily: "var(--sans)",
    fontSize: "12.5px",
  },
  ".cm-completionIcon": { display: "none" },
  ".cm-diagnostic": { padding: "5px 10px", fontFamily: "var(--sans)", fontSize: "12.5px", maxWidth: "520px" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--bad)" },
  ".cm-diagnostic-warning": { borderLeft: "3px solid var(--warn)" },
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--bad)",
    textUnderlineOffset: "3px",
  },
  ".cm-lintRange-warning": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--warn)",
    textUnderlineOffset: "3px",
  },
  ".cm-panels": {
    backgroundColor: "var(--surface-sunk)",
    color: "var(--text)",
    borderColor: "var(--border)",
  },
  ".cm-panel input, .cm-panel button": {
    border: "1px solid var(--border-strong)",
    borderRadius: "var(--radius-small)",
    background: "var(--surface)",
    backgroundImage: "none",
    color: "var(--text)",
  },
  ".cm-searchMatch": { backgroundColor: "var(--mark)" },
  ".cm-foldPlaceholder": { background: "var(--hover)", border: "0", color: "var(--text-soft)" },
});

const colours = HighlightStyle.define([
  { tag: [t.keyword, t.operatorKeyword, t.modifier], color: "var(--series-5)" },
  { tag: [t.function(t.variableName), t.function(t.name), t.standard(t.name)], color: "var(--series-8)" },
  {
    tag: [t.labelName, t.propertyName, t.attributeName, t.definition(t.propertyName)],
    color: "var(--accent)",
  },
  { tag: [t.string, t.special(t.string)], color: "var(--code-string)" },
  { tag: [t.number, t.bool, t.null, t.literal], color: "var(--code-number)" },
  { tag: [t.operator, t.punctuation, t.separator, t.bracket], color: "var(--text-soft)" },
  { tag: [t.comment, t.lineComment, t.blockComment], color: "var(--text-faint)", fontStyle: "italic" },
  { tag: [t.typeName, t.className], color: "var(--code-type)" },
  { tag: t.invalid, color: "var(--bad)" },
]);

export const editorLook: Extension = [look, syntaxHighlighting(colours)];
