import { parseDuration } from "./duration";
import { readRange, type TimeRange, writeRange } from "./timerange";

/** A codec moves one page's state between a value and the URL. Writing leaves the parameters of others alone. */
export interface Codec<T> {
  read(params: URLSearchParams): T;
  write(params: URLSearchParams, value: T): void;
}

/** textCodec is the codec of a state whose fields are all text; "" is absent from the URL. */
export function textCodec<const K extends string>(names: readonly K[]): Codec<Record<K, string>> {
  return {
    read: (params) =>
      Object.fromEntries(names.map((name) => [name, params.get(name) ?? ""])) as Record<K, string>,
    write(params, value) {
      for (const name of names) setOrDelete(params, name, value[name]);
    },
  };
}

export const rangeCodec: Codec<TimeRange> = { read: readRange, write: writeRange };

export const metricsCodec = textCodec(["q"]);

/** refreshCodec holds the seconds between automatic refreshes; 0 is off. */
export const refreshCodec: Codec<number> = {
  read: (params) => parseDuration(params.get("refresh") ?? "") ?? 0,
  write: (params, seconds) => setOrDelete(params, "refresh", seconds > 0 ? `${seconds}s` : ""),
};

/** sharedParams keeps what goes along from page to page: the range and the refresh interval. */
export function sharedParams(params: URLSearchParams): URLSearchParams {
  const shared = new URLSearchParams();
  for (const name of ["last", "from", "to", "refresh"]) {
    const value = params.get(name);
    if (value) shared.set(name, value);
  }
  return shared;
}

/** withValue returns the parameters with one codec's part replaced. */
export function withValue<T>(params: URLSearchParams, codec: Codec<T>, value: T): URLSearchParams {
  const next = new URLSearchParams(params);
  codec.write(next, value);
  return next;
}

/**
 * withChange returns the parameters with what differs between two values of a codec. Parameters that both write alike are left as
 * they are: somebody else may have changed them since the first value was read.
 */
export function withChange<T>(
  params: URLSearchParams,
  codec: Codec<T>,
  before: T,
  after: T,
): URLSearchParams {
  const next = new URLSearchParams(params);
  const was = withValue(new URLSearchParams(), codec, before);
  const will = withValue(new URLSearchParams(), codec, after);
  for (const name of new Set([...was.keys(), ...will.keys()])) {
    const values = will.getAll(name);
    if (JSON.stringify(was.getAll(name)) === JSON.stringify(values)) continue;
    next.delete(name);
    for (const value of values) next.append(name, value);
  }
  return next;
}

function setOrDelete(params: URLSearchParams, name: string, value: string): void {
  if (value) params.set(name, value);
  else params.delete(name);
}
