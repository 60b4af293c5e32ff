import { expect, it } from "vitest";
import { selectorsOf, type TreeNode, treeOf } from "./promtree";

const selector = (name: string, more: object = {}) => ({
  type: "vectorSelector",
  name,
  matchers: [{ name: "__name__", type: "=", value: name }],
  offset: 0,
  ...more,
});

function lines(node: TreeNode, depth = 0): string[] {
  return [`${"  ".repeat(depth)}${node.text}`, ...node.children.flatMap((child) => lines(child, depth + 1))];
}

it("draws a quotient of aggregations", () => {
  const tree = treeOf({
    type: "binaryExpr",
    op: "/",
    bool: false,
    matching: { on: true, labels: ["a"], card: "many-to-one" },
    lhs: {
      type: "aggregation",
      op: "sum",
      grouping: ["a", "b"],
      without: false,
      param: null,
      expr: {
        type: "call",
        func: { name: "rate" },
        args: [
          {
            type: "matrixSelector",
            name: "up",
            range: 300_000,
            offset: 0,
            matchers: [
              { name: "x", type: "=~", value: 'y"z' },
              { name: "__name__", type: "=", value: "up" },
            ],
          },
        ],
      },
    },
    rhs: { type: "parenExpr", expr: selector("foo", { offset: 300_000 }) },
  });
  expect(lines(tree)).toEqual([
    "/ on (a) group_left",
    "  sum by (a, b)",
    "    rate()",
    '      up{x=~"y\\"z"}[5m]',
    "  foo offset 5m",
  ]);
  expect(selectorsOf(tree)).toEqual(['up{x=~"y\\"z"}', "foo"]);
});

it("shows numbers, text, signs and subqueries", () => {
  const tree = treeOf({
    type: "unaryExpr",
    op: "-",
    expr: {
      type: "call",
      func: { name: "quantile_over_time" },
      args: [
        { type: "numberLiteral", val: "0.5" },
        { type: "stringLiteral", val: "a" },
        { type: "subquery", range: 3_600_000, step: 60_000, expr: selector("up") },
      ],
    },
  });
  expect(lines(tree)).toEqual([
    "-",
    "  quantile_over_time()",
    "    0.5",
    '    "a"',
    "    subquery over 1h, each 1m",
    "      up",
  ]);
});

it("names what it does not know", () => {
  expect(treeOf({ type: "newThing" }).text).toBe("newThing");
});
