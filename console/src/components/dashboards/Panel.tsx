import { Download, Ellipsis, Expand, Pencil, Search, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useLocation, useNavigate } from "react-router";
import { usePanelData } from "../../data/dashboards";
import { stepFor } from "../../data/metrics";
import { type DashboardPanel, gridRowPx } from "../../lib/dashboardmodel";
import { interpolate } from "../../lib/dashboardvariables";
import { useTime } from "../../lib/time";
import { sharedParams } from "../../lib/urlstate";
import { Button } from "../Button";
import { Menu, type MenuItem } from "../Menu";
import { Tooltip } from "../Tooltip";
import { csvOf, saveText } from "./csv";
import styles from "./Panel.module.css";
import { LinesBody, PanelBody, TextBody } from "./PanelBody";

/** What variables stand for at the moment. */
export type Values = Readonly<Record<string, readonly string[]>>;

interface PanelProps {
  panel: DashboardPanel;
  values: Values;
  /** Whether the variables' values are known; until then nothing is asked. */
  ready: boolean;
  /** The room for the body; that of the panel's place unless given. */
  height?: number;
  onLarge?: () => void;
  onEdit?: (() => void) | undefined;
  onDelete?: (() => void) | undefined;
}

const headPx = 34;
const gapPx = 10;
// Of the body, as the style sheet has it.
const footPx = 10;

/** Panel frames one panel: its title, its menu and its body, which loads when it comes into view. */
export function Panel({ panel, values, ready, height, onLarge, onEdit, onDelete }: PanelProps) {
  const { interval } = useTime();
  const { search } = useLocation();
  const navigate = useNavigate();
  const [ref, seen, width] = useSeen();
  const stepSeconds = stepFor(interval, Math.min(width || 600, 900));
  const times = { stepSeconds, rangeSeconds: (interval.toMs - interval.fromMs) / 1000 };
  // A panel that is being made has a query without text.
  const queries = (panel.queries ?? [])
    .filter(({ query }) => query.trim())
    .map((query) => ({ ...query, query: interpolate(query.query, values, times, true) }));
  const isLines = panel.type === "logs";
  const isText = panel.type === "text";
  const data = usePanelData({ queries, interval, stepSeconds }, seen && ready && !isLines && !isText);
  const title = interpolate(panel.title, values, times, false) || "Untitled";
  const bodyPx = height ?? panel.h * gridRowPx + (panel.h - 1) * gapPx - headPx - 12;

  const explore = (place: number) => {
    const query = queries[place];
    if (!query) return;
    const params = sharedParams(new URLSearchParams(search));
    params.set("q", query.query);
    navigate({ pathname: query.language === "logql" ? "/logs" : "/metrics", search: params.toString() });
  };
  const items: MenuItem[] = [
    ...(onLarge ? [{ id: "large", label: "View larger", icon: Expand, run: onLarge }] : []),
    ...(onEdit ? [{ id: "edit", label: "Edit", icon: Pencil, run: onEdit }] : []),
    ...queries.slice(0, 3).map((query, place) => ({
      id: `explore-${place}`,
      label: `Explore in ${query.language === "logql" ? "Logs" : "Metrics"}`,
      ...(queries.length > 1 && { note: query.legend || `query ${place + 1}` }),
      icon: Search,
      run: () => explore(place),
    })),
    ...(data.data && data.data.series.length > 0
      ? [
          {
            id: "csv",
            label: "Download CSV",
            icon: Download,
            run: () => data.data && saveText(`${title}.csv`, "text/csv", csvOf(data.data)),
          },
        ]
      : []),
    ...(onDelete ? [{ id: "delete", label: "Remove", icon: Trash2, danger: true, run: onDelete }] : []),
  ];

  return (
    <section
      ref={ref}
      className={`card ${styles.panel}`}
      aria-label={title}
      data-state={isLines || isText ? undefined : stateOf(data, ready)}
    >
      <header className={styles.head}>
        <h3>
          {panel.description ? (
            <Tooltip text={panel.description}>
              <button type="button" className={styles.described}>
                {title}
              </button>
            </Tooltip>
          ) : (
            title
          )}
        </h3>
        {data.isFetching && data.data !== undefined && <i className={styles.turning} aria-hidden="true" />}
        {items.length > 0 && (
          <Menu
            trigger={
              <Button
                variant="quiet"
                small
                icon
                aria-label={`Menu of ${title}`}
                className={styles.menu ?? ""}
              >
                <Ellipsis size={15} />
              </Button>
            }
            items={items}
          />
        )}
      </header>
      <div className={styles.body} style={{ height: Math.max(40, bodyPx) }}>
        {!seen ? null : isText ? (
          <TextBody text={interpolate(panel.options?.text ?? "", values, times, false)} />
        ) : isLines ? (
          <LinesBody query={queries[0]?.query ?? ""} interval={interval} enabled={seen && ready} />
        ) : (
          <PanelBody panel={panel} answer={data} height={Math.max(40, bodyPx) - footPx} asked={queries} />
        )}
      </div>
    </section>
  );
}

function stateOf(
  data: { data: { series: readonly unknown[] } | undefined; isError: boolean },
  ready: boolean,
) {
  if (data.isError) return "fault";
  if (!ready || data.data === undefined) return "waiting";
  return data.data.series.length > 0 ? "data" : "empty";
}

/** useSeen says whether an element has come into view, or near it, and how wide it is. */
function useSeen() {
  const ref = useRef<HTMLElement>(null);
  const [seen, setSeen] = useState(false);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const watch = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        setWidth(element.clientWidth);
        setSeen(true);
        watch.disconnect();
      },
      { rootMargin: "200px" },
    );
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  return [ref, seen, width] as const;
}
