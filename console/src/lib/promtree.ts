import { formatDuration } from "./duration";

/** What an expression is made of, drawn from the tree that Prometheus' API returns. */
export interface TreeNode {
  /** What the node does: "sum by (pod)", "rate", "up{job=\"a\"}[5m]". */
  readonly text: string;
  readonly kind: "selector" | "function" | "aggregation" | "operator" | "number" | "text";
  readonly children: readonly TreeNode[];
  /** The selector without range and offset, by which its series can be counted. */
  readonly selector?: string;
  /** How far back each of its points reads, in seconds. */
  readonly rangeSeconds?: number;
}

interface RawNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

interface RawMatcher {
  readonly name: string;
  readonly type: string;
  readonly value: string;
}

const isNode = (value: unknown): value is RawNode =>
  typeof value === "object" && value !== null && "type" in value;
const nodesOf = (...values: unknown[]) => values.flat().filter(isNode).map(treeOf);
const listOf = (value: unknown) => (Array.isArray(value) ? value.join(", ") : "");

/** treeOf reads a node and what is below it. Kinds that are not known are named by their type. */
export function treeOf(node: RawNode): TreeNode {
  switch (node.type) {
    case "vectorSelector":
    case "matrixSelector":
      return selectorNode(node);
    case "subquery":
      return {
        kind: "operator",
        text: `subquery over ${span(node.range)}${node.step ? `, each ${span(node.step)}` : ""}`,
        children: nodesOf(node.expr),
      };
    case "call": {
      const name = isRecord(node.func) ? String(node.func.name) : "function";
      return { kind: "function", text: `${name}()`, children: nodesOf(node.args) };
    }
    case "aggregation": {
      const names = listOf(node.grouping);
      const by = node.without ? ` without (${names})` : names ? ` by (${names})` : "";
      return { kind: "aggregation", text: `${node.op}${by}`, children: nodesOf(node.param, node.expr) };
    }
    case "binaryExpr":
      return { kind: "operator", text: operatorText(node), children: nodesOf(node.lhs, node.rhs) };
    case "unaryExpr":
      return { kind: "operator", text: String(node.op), children: nodesOf(node.expr) };
    case "parenExpr":
      return isNode(node.expr) ? treeOf(node.expr) : { kind: "operator", text: "()", children: [] };
    case "numberLiteral":
      return { kind: "number", text: String(node.val), children: [] };
    case "stringLiteral":
      return { kind: "text", text: JSON.stringify(node.val), children: [] };
    default:
      return { kind: "operator", text: node.type, children: nodesOf(node.expr, node.args) };
  }
}

function selectorNode(node: RawNode): TreeNode {
  const matchers = (Array.isArray(node.matchers) ? (node.matchers as RawMatcher[]) : []).filter(
    ({ name, type, value }) => !(name === "__name__" && type === "=" && value === node.name),
  );
  const written = matchers
    .map(({ name, type, value }) => `${name}${type}${JSON.stringify(value)}`)
    .join(", ");
  const selector = `${node.name ?? ""}${written ? `{${written}}` : ""}`;
  const range = node.type === "matrixSelector" ? Number(node.range) / 1000 : 0;
  const offset = Number(node.offset) || 0;
  return {
    kind: "selector",
    text: `${selector}${range > 0 ? `[${formatDuration(range)}]` : ""}${offset ? ` offset ${span(offset)}` : ""}`,
    children: [],
    selector,
    rangeSeconds: range,
  };
}

function operatorText(node: RawNode): string {
  const { matching } = node;
  const bool = node.bool ? " bool" : "";
  if (!isRecord(matching)) return `${node.op}${bool}`;
  const labels = listOf(matching.labels);
  const on = matching.on ? ` on (${labels})` : labels ? ` ignoring (${labels})` : "";
  const group = { "many-to-one": " group_left", "one-to-many": " group_right" }[String(matching.card)] ?? "";
  return `${node.op}${bool}${on}${group}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function span(ms: unknown): string {
  const value = Number(ms) || 0;
  return `${value < 0 ? "-" : ""}${formatDuration(Math.abs(value) / 1000)}`;
}

/** selectorsOf lists the selectors of a tree, each once. */
export function selectorsOf(tree: TreeNode): string[] {
  const found = new Set<string>();
  const walk = ({ selector, children }: TreeNode) => {
    if (selector) found.add(selector);
    for (const child of children) walk(child);
  };
  walk(tree);
  return [...found];
}
