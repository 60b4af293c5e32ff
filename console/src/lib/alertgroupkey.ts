import type { Labels } from "./matrix";

/**
 * labelsOfGroup reads the labels that a group of alerts shares out of Alertmanager's key of the group, which is the route's way and
 * then the labels: {}/{team="shop"}:{alertname="PodsWait", cluster="demo"}. undefined of a key in another form.
 */
export function labelsOfGroup(key: string): Labels | undefined {
  const written = /:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}$/.exec(key)?.[1];
  if (written === undefined) return undefined;
  const pairs = [...written.matchAll(/([\w.:/-]+)="((?:[^"\\]|\\.)*)"/g)];
  return Object.fromEntries(
    pairs.map(([, name = "", value = ""]) => [
      name,
      value.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c)),
    ]),
  );
}
