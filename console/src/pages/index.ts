import { type ComponentType, lazy } from "react";

type Loader = () => Promise<{ default: ComponentType }>;

const loaders = {
  clusters: async () => ({ default: (await import("./Clusters.page")).ClustersPage }),
  logs: async () => ({ default: (await import("./Logs.page")).LogsPage }),
  metrics: async () => ({ default: (await import("./Metrics.page")).MetricsPage }),
  events: async () => ({ default: (await import("./Events.page")).EventsPage }),
  tenants: async () => ({ default: (await import("./Tenants.page")).TenantsPage }),
  account: async () => ({ default: (await import("./Account.page")).AccountPage }),
  notFound: async () => ({ default: (await import("./NotFound.page")).NotFoundPage }),
} satisfies Record<string, Loader>;

export type PageName = keyof typeof loaders;

/** The pages, each in a file of its own that the browser loads when it is first shown. */
export const pages = {
  clusters: lazy(loaders.clusters),
  logs: lazy(loaders.logs),
  metrics: lazy(loaders.metrics),
  events: lazy(loaders.events),
  tenants: lazy(loaders.tenants),
  account: lazy(loaders.account),
  notFound: lazy(loaders.notFound),
} satisfies Record<PageName, ComponentType>;

/** preload fetches a page's code ahead of a likely click. A failure shows when the page is opened. */
export function preload(name: PageName): void {
  loaders[name]().catch(() => undefined);
}
