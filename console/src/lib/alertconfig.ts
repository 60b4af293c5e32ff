import type { AlertmanagerConfig } from "../data/receivers";
import { editYaml, readYaml, type Value } from "./alertyaml";

/** The Alertmanager configuration as the forms see it. Keys that no form knows stay as they are. */

type Map = Readonly<Record<string, Value>>;

export interface Route {
  readonly receiver?: string;
  readonly matchers?: readonly string[];
  readonly group_by?: readonly string[];
  readonly routes?: readonly Route[];
  readonly continue?: boolean;
  readonly group_wait?: string;
  readonly group_interval?: string;
  readonly repeat_interval?: string;
  readonly mute_time_intervals?: readonly string[];
  readonly active_time_intervals?: readonly string[];
  readonly [key: string]: unknown;
}

export interface ReceiverConfig {
  readonly name: string;
  readonly [key: string]: unknown;
}

export interface Config {
  readonly route: Route;
  readonly receivers: readonly ReceiverConfig[];
  /** The names of the times that routes can be muted or active at. */
  readonly times: readonly string[];
}

const isMap = (value: unknown): value is Map =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** readConfig reads Mimir's document around a configuration. */
export function readConfig(text: string): AlertmanagerConfig {
  const doc = readYaml(text);
  const config = isMap(doc) ? doc.alertmanager_config : undefined;
  const files = isMap(doc) && isMap(doc.template_files) ? doc.template_files : {};
  return {
    alertmanager_config: typeof config === "string" ? config : "",
    template_files: Object.fromEntries(Object.entries(files).map(([name, file]) => [name, String(file)])),
  };
}

/** parseConfig reads an Alertmanager configuration into what forms show; it throws YamlError. */
export function parseConfig(text: string): Config {
  const doc = readYaml(text);
  const root = isMap(doc) ? doc : {};
  const names = [...listOf(root.time_intervals), ...listOf(root.mute_time_intervals)];
  return {
    route: (isMap(root.route) ? root.route : {}) as Route,
    receivers: listOf(root.receivers).filter(
      (one): one is ReceiverConfig => isMap(one) && typeof one.name === "string",
    ),
    times: names.flatMap((one) => (isMap(one) && typeof one.name === "string" ? [one.name] : [])),
  };
}

interface Changed {
  readonly text: string;
  /** Whether comments are as they were. */
  readonly kept: boolean;
}

function changeRoot(text: string, change: (root: Map) => object): Changed {
  const doc = readYaml(text);
  return editYaml(text, change(isMap(doc) ? doc : {}) as Value);
}

/** saveReceiver replaces the receiver with the old name, or adds one; routes follow a new name. */
export function saveReceiver(text: string, old: string | undefined, receiver: ReceiverConfig): Changed {
  return changeRoot(text, (root) => {
    const receivers = listOf(root.receivers) as readonly ReceiverConfig[];
    const found = receivers.some(({ name }) => name === old);
    const next = found
      ? receivers.map((one) => (one.name === old ? receiver : one))
      : [...receivers, receiver];
    // The first receiver is told of everything, in groups that people find their way in.
    const fresh = { receiver: receiver.name, group_by: ["alertname", "cluster", "namespace"] };
    const route = isMap(root.route) ? renamed(root.route as Route, old, receiver.name) : fresh;
    return { ...root, route, receivers: next };
  });
}

function renamed(route: Route, old: string | undefined, name: string): Route {
  const routes = route.routes?.map((one) => renamed(one, old, name));
  const own = old !== undefined && route.receiver === old ? { receiver: name } : {};
  return { ...route, ...own, ...(routes ? { routes } : {}) };
}

/** removeReceiver takes a receiver out; usersOf says why that may not be. */
export function removeReceiver(text: string, name: string): Changed {
  return changeRoot(text, (root) => ({
    ...root,
    receivers: (listOf(root.receivers) as readonly ReceiverConfig[]).filter((one) => one.name !== name),
  }));
}

/** usersOf counts the routes that lead to a receiver. */
export function usersOf(route: Route, name: string): number {
  const below = (route.routes ?? []).reduce((sum, one) => sum + usersOf(one, name), 0);
  return below + (route.receiver === name ? 1 : 0);
}

/** A place in the tree of routes: the indexes on the way from the root, which is []. */
export type RoutePath = readonly number[];

export function routeAt(root: Route, path: RoutePath): Route | undefined {
  return path.reduce<Route | undefined>((route, place) => route?.routes?.[place], root);
}

/** saveRoute replaces the route at a path; one place past the last adds it, and undefined takes it out. */
export function saveRoute(text: string, path: RoutePath, route: Route | undefined): Changed {
  return changeRoot(text, (root) => ({
    ...root,
    route: withRoute((isMap(root.route) ? root.route : {}) as Route, path, route) ?? {},
  }));
}

function withRoute(root: Route, path: RoutePath, next: Route | undefined): Route | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return next;
  const routes = [...(root.routes ?? [])];
  const inner = withRoute(routes[first] ?? {}, rest, next);
  if (inner) routes[first] = inner;
  else routes.splice(first, 1);
  const { routes: _, ...others } = root;
  return routes.length > 0 ? { ...others, routes } : others;
}

/** moveRoute changes places with the neighbour above (-1) or below (1): the first that matches is taken. */
export function moveRoute(text: string, path: RoutePath, by: -1 | 1): Changed {
  const at = path.at(-1) ?? 0;
  const parent = path.slice(0, -1);
  return changeRoot(text, (root) => {
    const route = (isMap(root.route) ? root.route : {}) as Route;
    const above = routeAt(route, parent);
    const routes = [...(above?.routes ?? [])];
    const [one, other] = [routes[at], routes[at + by]];
    if (!above || !one || !other) return root;
    routes[at] = other;
    routes[at + by] = one;
    return { ...root, route: withRoute(route, parent, { ...above, routes }) };
  });
}

/** setIn puts a value at a dotted path of an integration; undefined and "" take it out, with maps that become empty. */
export function setIn(map: Map, path: string, value: Value | undefined): Map {
  const [first = "", ...rest] = path.split(".");
  const { [first]: own, ...others } = map;
  if (rest.length > 0) {
    const inner = setIn(isMap(own) ? own : {}, rest.join("."), value);
    return Object.keys(inner).length > 0 ? { ...map, [first]: inner } : others;
  }
  return value === undefined || value === "" ? others : { ...map, [first]: value };
}

export function getIn(map: Map, path: string): Value | undefined {
  return path.split(".").reduce<Value | undefined>((at, key) => (isMap(at) ? at[key] : undefined), map);
}
