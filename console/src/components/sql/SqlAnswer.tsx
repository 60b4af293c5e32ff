import { ChartLine, Download, Table2 } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { downloadSql, maxSqlRows, type SqlFormat, sqlFormats } from "../../data/sql";
import { formatCompact, formatCount } from "../../lib/format";
import { costWords } from "../../lib/metriccost";
import { canChart, chartOf } from "../../lib/sqlchart";
import { useTime } from "../../lib/time";
import { fixed } from "../../lib/timerange";
import { formatSeconds } from "../../lib/units";
import { Button } from "../Button";
import { Chart } from "../Chart";
import { Menu } from "../Menu";
import { Empty } from "../States";
import { useToast } from "../Toasts";
import { ResultTable } from "./ResultTable";
import styles from "./SqlAnswer.module.css";
import type { SqlRun } from "./useSqlRun";

interface SqlAnswerProps {
  run: SqlRun;
  view: string;
  onView: (view: string) => void;
}

/** SqlAnswer shows what came of a statement so far, as a table or a chart, and what it has cost. */
export function SqlAnswer({ run, view, onView }: SqlAnswerProps) {
  const { progress, state, seconds, isCut } = run;
  const { zone, setRange } = useTime();
  const rows = progress?.rows;
  const columns = progress?.columns;
  const charts = columns !== undefined && canChart(columns);
  const isChart = charts && view === "chart";
  const chart = useMemo(
    () => (isChart && columns && rows ? chartOf(columns, rows) : undefined),
    [isChart, columns, rows],
  );
  if (!progress || !columns || !rows) {
    return state === "running" ? <p className="faint">{formatSeconds(seconds)}…</p> : null;
  }
  const facts = [
    `${formatCount(rows.length)} ${rows.length === 1 ? "row" : "rows"}${state === "running" ? " so far" : ""}`,
    formatSeconds(Number(seconds.toPrecision(3))),
    ...costWords(progress.cost),
  ];
  return (
    <div className={styles.answer}>
      <header className={styles.head}>
        <span className={styles.facts} role="status">
          {facts.join(" · ")}
        </span>
        {charts && (
          <>
            <Button small aria-pressed={!isChart} onClick={() => onView("")}>
              <Table2 size={14} /> Table
            </Button>
            <Button small aria-pressed={isChart} onClick={() => onView("chart")}>
              <ChartLine size={14} /> Chart
            </Button>
          </>
        )}
        <DownloadMenu run={run} />
      </header>
      {state === "cancelled" && (
        <p className={styles.note}>It was cancelled; these are the rows that had come.</p>
      )}
      {isCut && (
        <p className={styles.note}>
          There are more than {formatCompact(maxSqlRows)} rows. The first are shown; download all, or narrow
          the statement.
        </p>
      )}
      {chart ? (
        <Chart matrix={chart} zone={zone} onZoom={(from, to) => setRange(fixed(from, to))} />
      ) : rows.length > 0 ? (
        <ResultTable columns={columns} rows={rows} />
      ) : (
        state !== "running" && (
          <Empty title="No rows">
            <p>The statement runs, but nothing fits its conditions. Widen the range of time at the top.</p>
          </Empty>
        )
      )}
    </div>
  );
}

const formatNames: Readonly<Record<SqlFormat, string>> = {
  csv: "CSV",
  json: "JSON",
  ndjson: "NDJSON",
  arrow: "Arrow",
  parquet: "Parquet",
};

function DownloadMenu({ run: { ask } }: { run: SqlRun }) {
  const toast = useToast();
  const abort = useRef<AbortController>(undefined);
  const [busy, setBusy] = useState(false);
  const download = async (format: SqlFormat) => {
    if (!ask) return;
    abort.current = new AbortController();
    setBusy(true);
    try {
      save(await downloadSql(ask, format, abort.current.signal), `result.${format}`);
    } catch (error) {
      if (!abort.current.signal.aborted)
        toast({ text: error instanceof Error ? error.message : "The download failed.", tone: "bad" });
    } finally {
      setBusy(false);
    }
  };
  if (busy) {
    return (
      <Button small onClick={() => abort.current?.abort()}>
        Cancel the download
      </Button>
    );
  }
  return (
    <Menu
      label="The whole answer as"
      trigger={
        <Button small>
          <Download size={14} /> Download
        </Button>
      }
      items={sqlFormats.map((id) => ({ id, label: formatNames[id], run: () => void download(id) }))}
    />
  );
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has taken hold of the file by the next task.
  setTimeout(() => URL.revokeObjectURL(link.href));
}
