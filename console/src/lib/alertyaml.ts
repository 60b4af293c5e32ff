import { yamlLanguage } from "@codemirror/lang-yaml";
import type { SyntaxNode } from "@lezer/common";

/**
 * YAML as the forms need it: read into plain values, and written back by changing only the text of what changed, so that comments,
 * order and style stay. The parser is the editor's. What forms cannot change safely (anchors, aliases, tags, several documents) is
 * refused by name; the YAML editor is the place for it.
 */

export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

interface Place {
  readonly from: number;
  readonly to: number;
  /** Whether it is written in brackets or braces. */
  readonly flow: boolean;
}
interface Entry extends Place {
  readonly key: string;
  readonly value: Node;
}
type Node =
  | (Place & { readonly kind: "scalar"; readonly value: Value })
  | (Place & { readonly kind: "list"; readonly items: readonly { from: number; to: number; value: Node }[] })
  | (Place & { readonly kind: "map"; readonly entries: readonly Entry[] });

/** YamlError says why a text cannot be read into forms, and where. */
export class YamlError extends Error {
  override readonly name = "YamlError";
  readonly line: number;
  constructor(message: string, text: string, at: number) {
    super(message);
    this.line = text.slice(0, at).split("\n").length;
  }
}

/** readYaml reads a document; an empty one is null. */
export function readYaml(text: string): Value {
  return plainOf(parse(text));
}

/** lineOf is the line of what a JSON pointer names; of what is not there, that of the nearest thing around it. */
export function lineOf(text: string, pointer: string): number {
  let node = parse(text);
  let at = node.from;
  for (const step of pointer.split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    const next =
      node.kind === "map"
        ? node.entries.find(({ key }) => key === name)
        : node.kind === "list"
          ? node.items[Number(name)]
          : undefined;
    if (!next) break;
    at = next.from;
    node = next.value;
  }
  return text.slice(0, at).split("\n").length;
}

function parse(text: string): Node {
  const tree = yamlLanguage.parser.parse(text);
  tree.iterate({
    enter({ name, type, from }) {
      if (type.isError) throw new YamlError("This is not YAML.", text, from);
      if (["Anchor", "Alias", "Tag", "Directive"].includes(name))
        throw new YamlError(
          `Forms cannot change YAML with an ${name.toLowerCase()}; use the YAML editor.`,
          text,
          from,
        );
    },
  });
  const documents = tree.topNode.getChildren("Document");
  if (documents.length > 1)
    throw new YamlError("There is more than one document.", text, documents[1]?.from ?? 0);
  const root = documents[0] && contentOf(documents[0]);
  return root ? nodeOf(root, text) : { kind: "scalar", value: null, from: 0, to: 0, flow: false };
}

const content = [
  "BlockMapping",
  "BlockSequence",
  "FlowMapping",
  "FlowSequence",
  "Literal",
  "QuotedLiteral",
  "BlockLiteral",
];

function contentOf(node: SyntaxNode): SyntaxNode | undefined {
  for (let child = node.firstChild; child; child = child.nextSibling)
    if (content.includes(child.name)) return child;
  return undefined;
}

function nodeOf(node: SyntaxNode, text: string): Node {
  const flow = node.name.startsWith("Flow");
  const place = { from: node.from, to: node.to, flow };
  if (node.name.endsWith("Mapping"))
    return { ...place, kind: "map", entries: node.getChildren("Pair").map((pair) => entryOf(pair, text)) };
  if (node.name.endsWith("Sequence")) {
    const items = node.getChildren("Item").map((item) => {
      const inner = contentOf(item);
      const value = inner ? nodeOf(inner, text) : emptyAt(item.to);
      return { from: item.from, to: Math.max(item.to, value.to), value };
    });
    return { ...place, kind: "list", items };
  }
  return { ...place, kind: "scalar", value: scalarOf(node, text) };
}

function emptyAt(at: number): Node {
  return { kind: "scalar", value: null, from: at, to: at, flow: false };
}

function entryOf(pair: SyntaxNode, text: string): Entry {
  const key = pair.getChild("Key");
  const name = key?.firstChild ? scalarText(key.firstChild, text) : "";
  const inner = contentOf(pair);
  const value = inner ? nodeOf(inner, text) : emptyAt(pair.to);
  return { key: name, value, from: pair.from, to: pair.to, flow: false };
}

function scalarText(node: SyntaxNode, text: string): string {
  return String(scalarOf(node, text) ?? "");
}

function scalarOf(node: SyntaxNode, text: string): Value {
  const raw = text.slice(node.from, node.to);
  if (node.name === "QuotedLiteral") return raw.startsWith("'") ? single(raw) : double(raw);
  if (node.name === "BlockLiteral") return blockText(node, text);
  const plain = raw.replace(/[ \t]*\n\s*/g, " ");
  if (/^(~|null|)$/i.test(plain)) return null;
  if (/^(true|false)$/i.test(plain)) return plain.toLowerCase() === "true";
  const number = /^[-+]?(0|[1-9]\d*)(\.\d+)?$/.test(plain) ? Number(plain) : undefined;
  // A number that would not be written back as it was stays text.
  return number !== undefined && String(number) === plain ? number : plain;
}

const single = (raw: string) =>
  raw
    .slice(1, -1)
    .replaceAll("''", "'")
    .replace(/[ \t]*\n\s*/g, " ");

const escapes: Record<string, string> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "0": "\0",
  a: "\x07",
  b: "\b",
  e: "\x1b",
  f: "\f",
  v: "\v",
};

function double(raw: string): string {
  const folded = raw
    .slice(1, -1)
    .replace(/\\\n\s*/g, "")
    .replace(/[ \t]*\n\s*/g, " ");
  return folded.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([\s\S]))/g,
    (_, x, u, long, one) => {
      const code = x ?? u ?? long;
      return code ? String.fromCodePoint(Number.parseInt(code, 16)) : (escapes[one] ?? one);
    },
  );
}

/** blockText reads a text after | or >: its indentation is that of its first line. */
function blockText(node: SyntaxNode, text: string): string {
  const header = node.getChild("BlockLiteralHeader");
  const style = header ? text.slice(header.from, header.to) : "|";
  const start = text.indexOf("\n", node.from);
  if (start < 0) return "";
  const lines = text.slice(start + 1, node.to).split("\n");
  const said = /\d/.exec(style)?.[0];
  const outer = /^ */.exec(text.slice(text.lastIndexOf("\n", node.from) + 1))?.[0].length ?? 0;
  const first = lines.find((line) => line.trim() !== "") ?? "";
  const indent = said ? outer + Number(said) : (/^ */.exec(first)?.[0].length ?? 0);
  const bare = lines.map((line) => line.slice(Math.min(indent, line.search(/\S|$/))));
  const body = style.startsWith(">")
    ? bare.join("\n").replace(/([^\n])\n(?=[^\n ])/g, "$1 ")
    : bare.join("\n");
  return `${body.replace(/\n+$/, "")}${style.includes("-") ? "" : "\n"}`;
}

function plainOf(node: Node): Value {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(({ value }) => plainOf(value));
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainOf(value)]));
}

/** sameValue compares values; the order of keys does not count. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  if (isList(a) || isList(b))
    return (
      isList(a) && isList(b) && a.length === b.length && a.every((one, i) => sameValue(one, b[i] ?? null))
    );
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => key in b && sameValue(a[key] ?? null, b[key] ?? null))
  );
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * editYaml changes a text so that it reads as the value. Where that cannot be done in place the document is written anew, and
 * `kept` is false: comments are lost then.
 */
export function editYaml(text: string, value: Value): { text: string; kept: boolean } {
  const root = parse(text);
  if (root.from !== root.to) {
    const edits: Edit[] = [];
    reconcile(text, root, value, edits);
    const edited = apply(text, edits);
    if (reads(edited, value)) return { text: edited, kept: true };
  }
  return { text: `${blockOf(value, 0).trimStart()}\n`, kept: text.trim() === "" };
}

function reads(text: string, value: Value): boolean {
  try {
    return sameValue(readYaml(text), value);
  } catch {
    return false;
  }
}

function apply(text: string, edits: readonly Edit[]): string {
  let out = text;
  for (const edit of [...edits].sort((a, b) => b.from - a.from || b.to - a.to))
    out = out.slice(0, edit.from) + edit.text + out.slice(edit.to);
  return out;
}

/** columnOf is how far a place is from its line's beginning; block content there is indented as far. */
function columnOf(text: string, at: number): number {
  return at - (text.lastIndexOf("\n", at - 1) + 1);
}

function reconcile(text: string, node: Node, value: Value, edits: Edit[]): void {
  if (sameValue(plainOf(node), value)) return;
  const isMap = typeof value === "object" && value !== null && !isList(value);
  if (node.kind === "map" && isMap && node.entries.length > 0) reconcileMap(text, node, value, edits);
  else if (node.kind === "list" && isList(value) && node.items.length > 0 && value.length > 0)
    reconcileList(text, node, value, edits);
  else replace(text, node, value, edits);
}

function replace(text: string, node: Node, value: Value, edits: Edit[]): void {
  // Brackets and braces are right everywhere, also within others of them.
  const from = node.kind === "scalar" || node.flow ? node.from : text.slice(0, node.from).trimEnd().length;
  const gap = /\s/.test(text[from - 1] ?? " ") ? "" : " ";
  edits.push({ from, to: node.to, text: gap + flowOf(value) });
}

function reconcileMap(
  text: string,
  node: Node & { kind: "map" },
  value: { readonly [key: string]: Value },
  edits: Edit[],
): void {
  const kept = node.entries.filter(({ key }) => key in value);
  if (kept.length === 0) {
    replace(text, node, value, edits);
    return;
  }
  for (const entry of kept) reconcile(text, entry.value, value[entry.key] ?? null, edits);
  node.entries.forEach((entry, place) => {
    if (!(entry.key in value)) edits.push(removal(text, node.flow, node.entries, place));
  });
  const known = new Set(node.entries.map(({ key }) => key));
  const added = Object.entries(value).filter(([key]) => !known.has(key));
  const last = node.entries.at(-1);
  if (added.length === 0 || !last) return;
  if (node.flow) {
    const pairs = added.map(([key, one]) => `, ${scalar(key)}: ${flowOf(one)}`).join("");
    edits.push({ from: last.to, to: last.to, text: pairs });
    return;
  }
  const column = columnOf(text, node.entries[0]?.from ?? 0);
  const lines = added.map(
    ([key, one]) => `\n${" ".repeat(column)}${scalar(key)}:${blockOf(one, column + 2)}`,
  );
  const end = lineEnd(text, last.to);
  edits.push({ from: end, to: end, text: lines.join("") });
}

function reconcileList(
  text: string,
  node: Node & { kind: "list" },
  value: readonly Value[],
  edits: Edit[],
): void {
  const { items } = node;
  const same = (i: number, j: number) => sameValue(plainOf(items[i]?.value ?? emptyAt(0)), value[j] ?? null);
  let head = 0;
  while (head < items.length && head < value.length && same(head, head)) head++;
  let tail = 0;
  while (
    tail < items.length - head &&
    tail < value.length - head &&
    same(items.length - 1 - tail, value.length - 1 - tail)
  )
    tail++;
  const before = items.slice(head, items.length - tail);
  const after = value.slice(head, value.length - tail);
  if (before.length === items.length && after.length === 0) {
    replace(text, node, value, edits);
    return;
  }
  before.forEach((item, i) => {
    if (i < after.length) reconcile(text, item.value, after[i] ?? null, edits);
    else edits.push(removal(text, node.flow, items, head + i, "-"));
  });
  const more = after.slice(before.length);
  if (more.length === 0) return;
  const previous = items[head + before.length - 1];
  if (node.flow) {
    const at = previous ? previous.to : node.from + 1;
    const written = more.map(flowOf).join(", ");
    edits.push({ from: at, to: at, text: previous ? `, ${written}` : `${written}, ` });
    return;
  }
  const column = columnOf(text, node.from);
  const lines = more.map((one) => `${" ".repeat(column)}-${itemOf(one, column + 2)}`);
  if (previous) {
    const end = lineEnd(text, previous.to);
    edits.push({ from: end, to: end, text: `\n${lines.join("\n")}` });
  } else {
    const start = node.from - column;
    edits.push({ from: start, to: start, text: `${lines.join("\n")}\n` });
  }
}

/** removal takes an entry or an item out, with its line or its comma. */
function removal(
  text: string,
  flow: boolean,
  all: readonly { from: number; to: number }[],
  place: number,
  dash = "",
): Edit {
  const one = all[place] ?? { from: 0, to: 0 };
  const next = all[place + 1];
  const previous = all[place - 1];
  if (flow) {
    if (previous) return { from: previous.to, to: one.to, text: "" };
    return { from: one.from, to: next ? next.from : one.to, text: "" };
  }
  const from = dash ? text.lastIndexOf(dash, one.from) : one.from;
  const start = text.lastIndexOf("\n", from - 1) + 1;
  // The first entry of an item stands after its dash; the next one takes its place there.
  if (text.slice(start, from).trim() !== "")
    return { from, to: next ? next.from : lineEnd(text, one.to), text: "" };
  const end = lineEnd(text, one.to);
  return { from: start, to: Math.min(text.length, end + 1), text: "" };
}

function lineEnd(text: string, at: number): number {
  // A block of text ends with its newline already.
  if (text[at - 1] === "\n") return at - 1;
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function scalar(value: Value): string {
  if (value === null) return "null";
  if (typeof value !== "string") return String(value);
  if (/^(\d+(ms|[smhdwy]))+$/.test(value)) return value;
  const plain =
    /^[A-Za-z_/][\w ./@+-]*$/.test(value) && !/\s$|^(null|true|false|yes|no|on|off|y|n)$/i.test(value);
  return plain ? value : JSON.stringify(value);
}

function flowOf(value: Value): string {
  if (typeof value !== "object" || value === null) return scalar(value);
  if (isList(value)) return `[${value.map(flowOf).join(", ")}]`;
  return `{${Object.entries(value)
    .map(([key, one]) => `${scalar(key)}: ${flowOf(one)}`)
    .join(", ")}}`;
}

/** isShort says whether a value stands well on one line. */
function isShort(value: Value): boolean {
  if (typeof value !== "object" || value === null) return true;
  const isFlat = Object.values(value).every((one) => typeof one !== "object" || one === null);
  return Object.keys(value).length === 0 || (isList(value) && isFlat && flowOf(value).length < 80);
}

/** blockOf writes what stands after "key:" at an indentation. */
function blockOf(value: Value, indent: number): string {
  if (isShort(value) || typeof value !== "object" || value === null) return ` ${flowOf(value)}`;
  const space = " ".repeat(indent);
  if (isList(value)) return value.map((one) => `\n${space}-${itemOf(one, indent + 2)}`).join("");
  return Object.entries(value)
    .map(([key, one]) => `\n${space}${scalar(key)}:${blockOf(one, indent + 2)}`)
    .join("");
}

/** itemOf writes what stands after the dash of an item; a map's first key stands on the same line. */
function itemOf(value: Value, indent: number): string {
  const block = blockOf(value, indent);
  return block.startsWith("\n") ? ` ${block.slice(1 + indent)}` : block;
}
