import type { components } from "./schema";

type Schemas = components["schemas"];

/** The model of dashboards as the API keeps it; docs/dashboards.md explains it. */
export type DashboardSpec = Schemas["DashboardSpec"];
export type DashboardVariable = Schemas["DashboardVariable"];
export type DashboardPanel = Schemas["DashboardPanel"];
export type DashboardQuery = Schemas["DashboardQuery"];
export type PanelThreshold = Schemas["PanelThreshold"];
export type PanelType = DashboardPanel["type"];

export const panelTypes: readonly { readonly value: PanelType; readonly label: string }[] = [
  { value: "timeseries", label: "Time series" },
  { value: "stat", label: "Figure" },
  { value: "gauge", label: "Gauge" },
  { value: "bars", label: "Bars" },
  { value: "table", label: "Table" },
  { value: "pie", label: "Shares" },
  { value: "heatmap", label: "Heatmap" },
  { value: "logs", label: "Log lines" },
  { value: "text", label: "Text" },
  { value: "row", label: "Row (heading)" },
];

export const gridColumns = 24;
/** The height of one row of the grid. */
export const gridRowPx = 32;

export function emptyDashboard(title: string): DashboardSpec {
  return { version: 1, title, panels: [] };
}

/** A place on the grid. */
export type Place = Pick<DashboardPanel, "x" | "y" | "w" | "h">;

/** nextId is a panel's id that is free. */
export function nextId(panels: readonly DashboardPanel[]): number {
  return panels.reduce((most, { id }) => Math.max(most, id), 0) + 1;
}

/** bottomOf is the first row below all panels. */
export function bottomOf(panels: readonly Place[]): number {
  return panels.reduce((most, { y, h }) => Math.max(most, y + h), 0);
}

/** sorted puts panels in the order in which they are read, which is also their order on phones. */
export function sorted(panels: readonly DashboardPanel[]): DashboardPanel[] {
  return [...panels].sort((a, b) => a.y - b.y || a.x - b.x);
}

/** withPlace moves or resizes one panel; those below it make room, and all then move up as far as they can. */
export function withPlace(
  panels: readonly DashboardPanel[],
  id: number,
  place: Partial<Place>,
): DashboardPanel[] {
  const moved = panels.find((panel) => panel.id === id);
  if (!moved) return [...panels];
  const next = bounded({ ...moved, ...place });
  const placed: DashboardPanel[] = [next];
  for (const panel of sorted(panels.filter((other) => other.id !== id))) {
    let y = panel.y;
    while (placed.some((other) => overlap(other, { ...panel, y }))) y++;
    placed.push({ ...panel, y });
  }
  return packed(placed);
}

/** packed moves panels up into free room, so that no holes are left. */
export function packed(panels: readonly DashboardPanel[]): DashboardPanel[] {
  const placed: DashboardPanel[] = [];
  for (const panel of sorted(panels)) {
    let y = panel.y;
    while (y > 0 && !placed.some((other) => overlap(other, { ...panel, y: y - 1 }))) y--;
    placed.push({ ...panel, y });
  }
  return placed;
}

function bounded(panel: DashboardPanel): DashboardPanel {
  const w = clamp(panel.w, 2, gridColumns);
  return {
    ...panel,
    w,
    h: clamp(panel.h, 1, 60),
    x: clamp(panel.x, 0, gridColumns - w),
    y: Math.max(0, panel.y),
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.round(value)));
}

function overlap(a: Place, b: Place): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** shownPanels leaves out the panels below collapsed rows. */
export function shownPanels(
  panels: readonly DashboardPanel[],
  folded: ReadonlySet<number>,
): DashboardPanel[] {
  let hidden = false;
  return sorted(panels).filter((panel) => {
    if (panel.type !== "row") return !hidden;
    hidden = folded.has(panel.id);
    return true;
  });
}
