import type { Codec } from "./urlstate";

/** What the page of SQL shows. */
export interface SqlState {
  readonly query: string;
  /** What was typed for the statement's parameters, by name. */
  readonly values: Readonly<Record<string, string>>;
  /** "chart", or "" for the table. */
  readonly view: string;
}

const prefix = "p.";

/** sqlCodec keeps the statement in `q` and each of its parameters in `p.<name>`. */
export const sqlCodec: Codec<SqlState> = {
  read(params) {
    const values: Record<string, string> = {};
    for (const [name, value] of params) {
      if (name.startsWith(prefix)) values[name.slice(prefix.length)] = value;
    }
    return {
      query: params.get("q") ?? "",
      values,
      view: params.get("view") === "chart" ? "chart" : "",
    };
  },
  write(params, { query, values, view }) {
    for (const name of [...params.keys()]) if (name.startsWith(prefix)) params.delete(name);
    for (const [name, value] of Object.entries(values)) if (value) params.set(`${prefix}${name}`, value);
    for (const [name, value] of [
      ["q", query],
      ["view", view],
    ] as const) {
      if (value) params.set(name, value);
      else params.delete(name);
    }
  },
};
