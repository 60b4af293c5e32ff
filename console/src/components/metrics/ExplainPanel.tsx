import { TriangleAlert, X } from "lucide-react";
import { useSeriesCounts } from "../../data/cardinality";
import { useParsedQuery } from "../../data/metricsquery";
import { formatCompact } from "../../lib/format";
import { selectorsOf, type TreeNode, treeOf } from "../../lib/promtree";
import { Button } from "../Button";
import { Card } from "../Card";
import { Skeleton } from "../Skeleton";
import { Fault } from "../States";
import styles from "./ExplainPanel.module.css";

interface ExplainPanelProps {
  expr: string;
  letter: string;
  /** Points that each series gets in the range. */
  points: number;
  onClose: () => void;
}

// From here on a query is slow and its graph unreadable.
const manySeries = 5000;

/** ExplainPanel draws what an expression is made of, and counts the series that it has to read. */
export function ExplainPanel({ expr, letter, points, onClose }: ExplainPanelProps) {
  const parsed = useParsedQuery(expr, true);
  const tree = parsed.data && treeOf(parsed.data);
  return (
    <Card
      title={`What query ${letter} does`}
      note="read from the inside out"
      actions={
        <Button variant="quiet" small icon aria-label="Close the explanation" onClick={onClose}>
          <X size={14} />
        </Button>
      }
    >
      {parsed.isError && <Fault error={parsed.error} query={expr} onRetry={() => parsed.refetch()} />}
      {parsed.isPending && <Skeleton rows={3} />}
      {tree && <Tree tree={tree} points={points} />}
    </Card>
  );
}

function Tree({ tree, points }: { tree: TreeNode; points: number }) {
  const selectors = selectorsOf(tree);
  const counts = useSeriesCounts(selectors);
  const series = new Map(selectors.map((one, place) => [one, counts[place]?.data?.total.series]));
  const total = [...series.values()].reduce<number>((sum, one) => sum + (one ?? 0), 0);
  return (
    <>
      <ul className={styles.tree}>
        <Branch node={tree} series={series} />
      </ul>
      <p className="soft">
        Reads at most {formatCompact(total)} series of today, for {formatCompact(points)}{" "}
        {points === 1 ? "point" : "points"} each.
      </p>
      {total > manySeries && (
        <p className={styles.warning} role="status">
          <TriangleAlert size={14} aria-hidden="true" /> That is a lot. Narrow the selectors, choose a shorter
          range, or keep a recording rule of the aggregate.
        </p>
      )}
    </>
  );
}

function Branch({ node, series }: { node: TreeNode; series: ReadonlyMap<string, number | undefined> }) {
  const count = node.selector === undefined ? undefined : series.get(node.selector);
  return (
    <li>
      <code data-kind={node.kind}>{node.text}</code>
      {count !== undefined && (
        <span className={styles.count} data-many={count > manySeries}>
          {formatCompact(count)} series
        </span>
      )}
      {node.children.length > 0 && (
        <ul>
          {node.children.map((child, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a node is known by its place alone.
            <Branch key={place} node={child} series={series} />
          ))}
        </ul>
      )}
    </li>
  );
}
