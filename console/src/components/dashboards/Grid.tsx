import { ChevronDown, ChevronRight, GripVertical, Pencil, Trash2 } from "lucide-react";
import { type CSSProperties, type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import {
  type DashboardPanel,
  gridColumns,
  gridRowPx,
  type Place,
  shownPanels,
  withPlace,
} from "../../lib/dashboardmodel";
import { interpolate } from "../../lib/dashboardvariables";
import { Button } from "../Button";
import styles from "./Grid.module.css";
import { Panel, type Values } from "./Panel";

interface GridProps {
  panels: readonly DashboardPanel[];
  values: Values;
  ready: boolean;
  onLarge: (id: number) => void;
  /** Set while the dashboard is edited. */
  onPanels?: ((panels: DashboardPanel[]) => void) | undefined;
  onEdit?: ((id: number) => void) | undefined;
}

const gapPx = 10;

/** Grid lays panels out on 24 columns, and below each other on phones. While editing, panels are moved and resized by their handles. */
export function Grid({ panels, values, ready, onLarge, onPanels, onEdit }: GridProps) {
  const box = useRef<HTMLDivElement>(null);
  const [folded, setFolded] = useState<ReadonlySet<number>>(
    () => new Set(panels.filter(({ options }) => options?.collapsed).map(({ id }) => id)),
  );
  const shown = shownPanels(panels, onPanels ? new Set() : folded);
  const toggle = (id: number) =>
    setFolded((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const remove = onPanels && ((id: number) => onPanels(panels.filter((panel) => panel.id !== id)));
  // What is folded leaves no hole: rows of the grid count only what is shown.
  const tops = topsOf(shown);
  return (
    <div ref={box} className={styles.grid} data-editing={onPanels !== undefined}>
      {shown.map((panel) => (
        <div
          key={panel.id}
          className={styles.cell}
          data-type={panel.type}
          style={placeOf(panel, tops.get(panel.id) ?? panel.y)}
        >
          {panel.type === "row" ? (
            <Heading
              title={interpolate(panel.title, values, { stepSeconds: 1, rangeSeconds: 1 }, false)}
              folded={folded.has(panel.id)}
              onToggle={() => toggle(panel.id)}
              onEdit={onEdit && (() => onEdit(panel.id))}
              onDelete={remove && (() => remove(panel.id))}
            />
          ) : (
            <Panel
              panel={panel}
              values={values}
              ready={ready}
              onLarge={() => onLarge(panel.id)}
              onEdit={onEdit && (() => onEdit(panel.id))}
              onDelete={remove && (() => remove(panel.id))}
            />
          )}
          {onPanels && (
            <Handles
              panel={panel}
              width={() => box.current?.clientWidth ?? 0}
              onPlace={(place) => onPanels(withPlace(panels, panel.id, place))}
            />
          )}
        </div>
      ))}
    </div>
  );
}

/** placeOf hands a panel's place to the style sheet, which heeds it where there is room for columns. */
function placeOf(panel: DashboardPanel, top: number): CSSProperties {
  const place = {
    "--columns": `${panel.x + 1} / span ${panel.w}`,
    "--rows": `${top + 1} / span ${panel.h}`,
  };
  const minHeight = panel.type === "row" ? undefined : Math.min(panel.h, 10) * gridRowPx;
  return { ...place, minHeight };
}

/** topsOf is where each panel begins when rows of the grid without any panel are left out. */
function topsOf(panels: readonly DashboardPanel[]): Map<number, number> {
  const used = new Set(panels.flatMap(({ y, h }) => Array.from({ length: h }, (_, i) => y + i)));
  const last = Math.max(0, ...used);
  const places: number[] = [];
  let at = 0;
  for (let row = 0; row <= last; row++) {
    places.push(at);
    if (used.has(row)) at++;
  }
  return new Map(panels.map(({ id, y }) => [id, places[y] ?? y]));
}

interface HeadingProps {
  title: string;
  folded: boolean;
  onToggle: () => void;
  onEdit?: (() => void) | undefined;
  onDelete?: (() => void) | undefined;
}

function Heading({ title, folded, onToggle, onEdit, onDelete }: HeadingProps) {
  const Icon = folded ? ChevronRight : ChevronDown;
  return (
    <div className={styles.heading}>
      <button type="button" aria-expanded={!folded} onClick={onToggle}>
        <Icon size={14} aria-hidden="true" />
        {title || "Untitled"}
      </button>
      {onEdit && (
        <Button variant="quiet" small icon aria-label={`Edit ${title}`} onClick={onEdit}>
          <Pencil size={13} />
        </Button>
      )}
      {onDelete && (
        <Button variant="quiet" small icon aria-label={`Remove ${title}`} onClick={onDelete}>
          <Trash2 size={13} />
        </Button>
      )}
    </div>
  );
}

interface HandlesProps {
  panel: DashboardPanel;
  width: () => number;
  onPlace: (place: Partial<Place>) => void;
}

/** Handles move a panel by drag or arrow keys, and resize it by its corner or Shift with arrow keys. */
function Handles({ panel, width, onPlace }: HandlesProps) {
  const start = useRef<{ x: number; y: number; place: Place }>(undefined);
  const name = panel.title || "panel";
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [dx = 0, dy = 0] = step;
    onPlace(
      event.shiftKey
        ? { w: panel.w + dx, h: panel.h + dy }
        : { x: panel.x + dx, y: Math.max(0, panel.y + dy) },
    );
  };
  const begin = (event: PointerEvent) => {
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    start.current = { x: event.clientX, y: event.clientY, place: panel };
  };
  const drag = (event: PointerEvent, resize: boolean) => {
    if (!start.current) return;
    const dx = Math.round((event.clientX - start.current.x) / (width() / gridColumns));
    const dy = Math.round((event.clientY - start.current.y) / (gridRowPx + gapPx));
    const { x, y, w, h } = start.current.place;
    const next = resize ? { w: w + dx, h: h + dy } : { x: x + dx, y: Math.max(0, y + dy) };
    if (Object.entries(next).some(([key, value]) => panel[key as keyof Place] !== value)) onPlace(next);
  };
  const end = () => {
    start.current = undefined;
  };
  return (
    <>
      <button
        type="button"
        className={styles.grip}
        aria-label={`Move ${name}: arrow keys; with Shift they resize`}
        title="Drag, or use arrow keys; with Shift they resize"
        onKeyDown={onKeyDown}
        onPointerDown={begin}
        onPointerMove={(event) => drag(event, false)}
        onPointerUp={end}
        onPointerCancel={end}
      >
        <GripVertical size={14} aria-hidden="true" />
      </button>
      <span
        className={styles.corner}
        aria-hidden="true"
        onPointerDown={begin}
        onPointerMove={(event) => drag(event, true)}
        onPointerUp={end}
        onPointerCancel={end}
      />
    </>
  );
}
