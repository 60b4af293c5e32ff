import {
  Activity,
  BellOff,
  BellRing,
  Building2,
  CalendarClock,
  Database,
  Fingerprint,
  Gauge,
  HeartPulse,
  House,
  Layers,
  LayoutDashboard,
  ListChecks,
  type LucideIcon,
  MailCheck,
  Megaphone,
  Package,
  Radar,
  ScrollText,
  ServerCog,
  Settings2,
  Ship,
  Timer,
  UserRound,
  Users,
} from "lucide-react";
import { type ComponentType, lazy } from "react";
import type { Session } from "./data/session";

/**
 * The registry of pages. Routes, navigation, command palette, shortcuts, preloading and `make screenshots` all come from it: a
 * new page is a file in src/pages and a row here.
 */

export const navGroups = [
  { id: "top", label: "" },
  { id: "explore", label: "Explore" },
  { id: "infrastructure", label: "Infrastructure" },
  { id: "alerting", label: "Alerting" },
  { id: "manage", label: "Manage" },
  { id: "operator", label: "Operator" },
] as const;

export type NavGroup = (typeof navGroups)[number]["id"];

interface PageRow {
  /** The route, in React Router's words: "/clusters/:name", or "/alerts/*" for pages with routes of their own. */
  readonly path: string;
  /** Further routes that show the same page. */
  readonly also?: readonly string[];
  readonly label: string;
  /** The group in the navigation; pages without one are reached by links, or by the account menu. */
  readonly group?: NavGroup;
  readonly icon: LucideIcon;
  /** Loads the page's code, when it is first shown or somebody is about to. */
  readonly load: () => Promise<{ default: ComponentType }>;
  /** Whose page it is: of a session in a tenant (the default), of operators, or of everybody who is signed in. */
  readonly audience?: "tenant" | "operator" | "person";
  /** The permission without which the page has nothing to show; it is then neither listed nor routed. */
  readonly permission?: string;
  /** Other words by which the palette finds it. */
  readonly keywords?: string;
  /** Opens the page: "g" and a letter. */
  readonly shortcut?: string;
  /** Whether the page heeds the range of time at the top (the default); the picker is hidden elsewhere. */
  readonly timed?: boolean;
  /** Where the screenshots look: the path with parameters that the demo has data for; the path itself unless given. */
  readonly example?: string;
}

/** A row of the registry with its component. */
export interface NavPage extends PageRow {
  readonly Page: ComponentType;
}

const page = (row: PageRow): NavPage => ({ ...row, Page: lazy(row.load) });

export const navPages: readonly NavPage[] = [
  page({
    path: "/",
    label: "Home",
    group: "top",
    icon: House,
    load: async () => ({ default: (await import("./pages/Home.page")).HomePage }),
    permission: "clusters:read",
    keywords: "start overview fleet health",
    shortcut: "g h",
  }),
  page({
    path: "/logs",
    label: "Logs",
    group: "explore",
    icon: ScrollText,
    load: async () => ({ default: (await import("./pages/Logs.page")).LogsPage }),
    permission: "data:read",
    keywords: "logql loki search lines tail",
    shortcut: "g l",
  }),
  page({
    path: "/metrics",
    label: "Metrics",
    group: "explore",
    icon: Activity,
    load: async () => ({ default: (await import("./pages/Metrics.page")).MetricsPage }),
    permission: "data:read",
    keywords: "promql prometheus graph series",
    shortcut: "g m",
    example: "/metrics?q=sum(up)",
  }),
  page({
    path: "/cardinality",
    label: "Cardinality",
    icon: Activity,
    load: async () => ({ default: (await import("./pages/Cardinality.page")).CardinalityPage }),
    permission: "data:read",
    keywords: "series labels growth churn",
    timed: false,
  }),
  page({
    path: "/sql",
    label: "SQL",
    group: "explore",
    icon: Database,
    load: async () => ({ default: (await import("./pages/Sql.page")).SqlPage }),
    permission: "data:read",
    keywords: "clickhouse select statement query export parquet csv",
    shortcut: "g q",
  }),
  page({
    path: "/events",
    label: "Events",
    group: "explore",
    icon: CalendarClock,
    load: async () => ({ default: (await import("./pages/Events.page")).EventsPage }),
    permission: "data:read",
    keywords: "kubernetes warning reason",
    shortcut: "g e",
  }),
  page({
    path: "/events/object",
    label: "Object",
    icon: CalendarClock,
    load: async () => ({ default: (await import("./pages/EventObject.page")).EventObjectPage }),
    permission: "data:read",
    example: "/events/object?cluster=demo&namespace=shop&kind=Deployment&object=frontend",
  }),
  page({
    path: "/audit",
    label: "Audit",
    group: "explore",
    icon: Fingerprint,
    load: async () => ({ default: (await import("./pages/Audit.page")).AuditPage }),
    permission: "data:read",
    keywords: "who did what kubernetes api server requests denied exec secrets writes",
    shortcut: "g u",
    example: "/audit?last=24h",
  }),
  page({
    path: "/dashboards",
    label: "Dashboards",
    group: "infrastructure",
    icon: LayoutDashboard,
    load: async () => ({ default: (await import("./pages/Dashboards.page")).DashboardsPage }),
    permission: "data:read",
    keywords: "panels grafana import control plane apiserver etcd",
    shortcut: "g d",
    timed: false,
  }),
  page({
    path: "/dashboards/:id",
    label: "Dashboard",
    icon: LayoutDashboard,
    load: async () => ({ default: (await import("./pages/Dashboard.page")).DashboardPage }),
    permission: "data:read",
    example: "/dashboards/cluster",
  }),
  page({
    path: "/kubernetes/*",
    label: "Kubernetes",
    group: "infrastructure",
    icon: Ship,
    load: async () => ({ default: (await import("./pages/Kubernetes.page")).KubernetesPage }),
    permission: "data:read",
    keywords: "nodes namespaces workloads pods deployments right-sizing",
    shortcut: "g k",
    example: "/kubernetes?tab=workloads",
  }),
  page({
    path: "/clusters",
    label: "Clusters",
    group: "infrastructure",
    icon: ServerCog,
    load: async () => ({ default: (await import("./pages/Clusters.page")).ClustersPage }),
    permission: "clusters:read",
    keywords: "agents tokens freshness arrivals",
    shortcut: "g c",
    timed: false,
  }),
  page({
    path: "/clusters/new",
    label: "Add a cluster",
    icon: ServerCog,
    load: async () => ({ default: (await import("./pages/ClusterNew.page")).ClusterNewPage }),
    permission: "clusters:write",
    keywords: "agent token collector helm install onboard",
    timed: false,
    example: "/clusters/new?cluster=demo",
  }),
  page({
    path: "/clusters/:name",
    label: "Cluster",
    icon: ServerCog,
    load: async () => ({ default: (await import("./pages/Cluster.page")).ClusterPage }),
    permission: "clusters:read",
    timed: false,
    example: "/clusters/demo",
  }),
  page({
    path: "/usage",
    label: "Usage",
    group: "manage",
    icon: Gauge,
    load: async () => ({ default: (await import("./pages/Usage.page")).UsagePage }),
    permission: "tenant:read",
    keywords: "quotas limits drops budgets forecast retention billing stored where are my logs",
    timed: false,
  }),
  page({
    path: "/access",
    label: "Access",
    group: "manage",
    icon: Users,
    load: async () => ({ default: (await import("./pages/Access.page")).AccessPage }),
    permission: "members:read",
    keywords: "members people invitations roles api keys tokens sessions permissions",
    timed: false,
  }),
  page({
    path: "/alerts",
    label: "Alerts",
    group: "alerting",
    icon: BellRing,
    load: async () => ({ default: (await import("./pages/Alerts.page")).AlertsPage }),
    permission: "rules:read",
    keywords: "firing pending alertmanager suspects",
    shortcut: "g a",
  }),
  page({
    path: "/alerts/rules/*",
    label: "Rules",
    group: "alerting",
    icon: ListChecks,
    load: async () => ({ default: (await import("./pages/AlertsRules.page")).AlertsRulesPage }),
    permission: "rules:read",
    keywords: "alerting recording groups backtest ruler",
    shortcut: "g r",
    timed: false,
  }),
  page({
    path: "/alerts/packs",
    label: "Rule packs",
    group: "alerting",
    icon: Package,
    load: async () => ({ default: (await import("./pages/AlertsPacks.page")).AlertsPacksPage }),
    permission: "rules:read",
    keywords: "kubernetes runbooks ready made",
    timed: false,
  }),
  page({
    path: "/alerts/detectors/*",
    label: "Detectors",
    group: "alerting",
    icon: Radar,
    load: async () => ({ default: (await import("./pages/AlertsDetectors.page")).AlertsDetectorsPage }),
    permission: "rules:read",
    keywords: "anomaly forecast absence patterns baseline",
    timed: false,
  }),
  page({
    path: "/alerts/silences",
    label: "Silences",
    group: "alerting",
    icon: BellOff,
    load: async () => ({ default: (await import("./pages/AlertsSilences.page")).AlertsSilencesPage }),
    permission: "rules:read",
    keywords: "mute snooze",
    timed: false,
  }),
  page({
    path: "/alerts/receivers/*",
    label: "Receivers",
    group: "alerting",
    icon: Megaphone,
    load: async () => ({ default: (await import("./pages/AlertsReceivers.page")).AlertsReceiversPage }),
    permission: "rules:read",
    keywords: "webhook slack pagerduty email teams telegram routing notify contact points",
    timed: false,
  }),
  page({
    path: "/alerts/notifications",
    label: "Notifications",
    group: "alerting",
    icon: MailCheck,
    load: async () => ({ default: (await import("./pages/AlertsDeliveries.page")).AlertsDeliveriesPage }),
    permission: "rules:read",
    keywords: "notification log deliveries attempts sent failed",
    timed: false,
  }),
  page({
    path: "/queries",
    label: "Queries",
    group: "manage",
    icon: Timer,
    load: async () => ({ default: (await import("./pages/Queries.page")).QueriesPage }),
    permission: "queries:own",
    keywords: "running cancel background jobs quarantine cost",
    timed: false,
    example: "/queries?tab=done",
  }),
  page({
    path: "/settings",
    label: "Settings",
    group: "manage",
    icon: Settings2,
    load: async () => ({ default: (await import("./pages/Settings.page")).SettingsPage }),
    permission: "tenant:read",
    keywords: "retention pipelines forwarders saved queries change log audit export tenant",
    timed: false,
  }),
  page({
    path: "/tenants",
    label: "Tenants",
    group: "operator",
    icon: Building2,
    load: async () => ({ default: (await import("./pages/Tenants.page")).TenantsPage }),
    audience: "operator",
    keywords: "platform customers",
    shortcut: "g t",
    timed: false,
  }),
  page({
    path: "/tenants/:slug",
    label: "Tenant",
    icon: Building2,
    load: async () => ({ default: (await import("./pages/OperatorTenant.page")).OperatorTenantPage }),
    audience: "operator",
    timed: false,
    example: "/tenants/demo",
  }),
  page({
    path: "/plans",
    label: "Plans",
    group: "operator",
    icon: Layers,
    load: async () => ({ default: (await import("./pages/OperatorPlans.page")).OperatorPlansPage }),
    audience: "operator",
    keywords: "quotas limits",
    timed: false,
  }),
  page({
    path: "/operator",
    label: "Installation",
    group: "operator",
    icon: HeartPulse,
    load: async () => ({ default: (await import("./pages/Operator.page")).OperatorPage }),
    audience: "operator",
    keywords: "health usage running queries quarantine change log",
    timed: false,
  }),
  page({
    path: "/account",
    label: "Account",
    icon: UserRound,
    load: async () => ({ default: (await import("./pages/Account.page")).AccountPage }),
    audience: "person",
    keywords: "password sessions devices sign in identities",
    timed: false,
  }),
];

/** mayOpen says whether a session can use a page at all. The server decides again about everything on it. */
export function mayOpen(row: Pick<NavPage, "audience" | "permission">, session: Session): boolean {
  if (row.audience === "operator" && !session.operator) return false;
  if ((row.audience ?? "tenant") === "tenant" && !session.tenant) return false;
  return row.permission === undefined || session.permissions.includes(row.permission);
}

/** pagesFor lists the pages of a session, in the registry's order. */
export function pagesFor(session: Session, rows: readonly NavPage[] = navPages): readonly NavPage[] {
  return rows.filter((row) => mayOpen(row, session));
}

/** hrefOf is where a link to a page leads: its path without what only its routes need. */
export function hrefOf(row: Pick<NavPage, "path">): string {
  return row.path.replace(/\/\*$/, "") || "/";
}

/** pageAt finds the page whose route fits a path; the most exact route wins. */
export function pageAt(pathname: string, rows: readonly NavPage[] = navPages): NavPage | undefined {
  let best: { row: NavPage; weight: number } | undefined;
  for (const row of rows) {
    for (const path of [row.path, ...(row.also ?? [])]) {
      const weight = weightOf(path);
      if (fits(path, pathname) && (!best || weight > best.weight)) best = { row, weight };
    }
  }
  return best?.row;
}

/** weightOf orders routes as the router does: a word beats a parameter, which beats the rest. */
function weightOf(path: string): number {
  const parts = path.split("/").filter(Boolean);
  return parts.reduce((sum, part) => sum + (part === "*" ? 1 : part.startsWith(":") ? 2 : 3), 0);
}

function fits(path: string, pathname: string): boolean {
  const wanted = path.replace(/\/\*$/, "").split("/");
  const given = pathname.replace(/(.)\/$/, "$1").split("/");
  if (path.endsWith("/*") ? given.length < wanted.length : given.length !== wanted.length) return false;
  return wanted.every((part, i) => part === given[i] || (part.startsWith(":") && given[i] !== ""));
}

/** preload fetches a page's code ahead of a likely click. A failure shows when the page is opened. */
export function preload(row: NavPage): void {
  row.load().catch(() => undefined);
}
