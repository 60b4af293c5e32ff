import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import { mostValues, selectorText, topValues } from "../lib/logql";
import type { Interval } from "../lib/timerange";

/** What lines can be told apart by: labels of streams, structured metadata, and fields that parsers find. */
export interface LogField {
  readonly name: string;
  readonly kind: "label" | "metadata" | "parsed";
  /** How many values it has; of metadata and fields, in the newest lines. */
  readonly values: number;
  /** What finds it in a line. */
  readonly parser: string | undefined;
}

interface DetectedLabels {
  readonly detectedLabels?: readonly { readonly label: string; readonly cardinality: number }[] | null;
}

interface DetectedFields {
  readonly fields?:
    | readonly {
        readonly label: string;
        readonly cardinality: number;
        readonly parsers: readonly string[] | null;
      }[]
    | null;
}

const base = "/loki/api/v1";
const purpose = { class: "dashboard", part: "logs/fields" } as const;

/** rangeOf widens to whole minutes, so that a range that moves on keeps its answers for a while. */
function rangeOf({ fromMs, toMs }: Interval) {
  const minuteMs = 60_000;
  const ns = (ms: number) => `${ms}000000`;
  return {
    start: ns(Math.floor(fromMs / minuteMs) * minuteMs),
    end: ns(Math.ceil(toMs / minuteMs) * minuteMs),
  };
}

/** useLogFields lists what the lines of a query have. */
export function useLogFields(query: string, interval: Interval, enabled: boolean) {
  const range = rangeOf(interval);
  return useQuery({
    queryKey: ["log-fields", query, range],
    enabled,
    staleTime: 60_000,
    queryFn: async ({ signal }): Promise<readonly LogField[]> => {
      const [labels, fields] = await Promise.all([
        request<DetectedLabels>(`${base}/detected_labels`, {
          query: { ...range, query: selectorText(query) },
          purpose,
          signal,
        }),
        request<DetectedFields>(`${base}/detected_fields`, {
          query: { ...range, query, limit: 500 },
          purpose,
          signal,
        }),
      ]);
      return toFields(labels, fields);
    },
    placeholderData: keepPreviousData,
  });
}

/** toFields puts both answers into one list, by kind and then by name. */
export function toFields(labels: DetectedLabels, fields: DetectedFields): readonly LogField[] {
  const found: LogField[] = [
    ...(labels.detectedLabels ?? []).map(({ label, cardinality }) => ({
      name: label,
      kind: "label" as const,
      values: cardinality,
      parser: undefined,
    })),
    ...(fields.fields ?? []).map(({ label, cardinality, parsers }) => ({
      name: label,
      kind: parsers?.length ? ("parsed" as const) : ("metadata" as const),
      values: cardinality,
      parser: parsers?.[0],
    })),
  ];
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

export interface FieldValue {
  readonly value: string;
  /** Lines that have it; undefined where they were not counted. */
  readonly lines: number | undefined;
}

interface Vector {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    }[];
  };
}

/** useFieldValues counts the lines of a field's most frequent values; where that takes too much, it lists values of the newest lines. */
export function useFieldValues(query: string, interval: Interval, field: LogField) {
  const range = rangeOf(interval);
  const { name, parser } = field;
  return useQuery({
    queryKey: ["log-field-values", query, range, name, parser],
    staleTime: 60_000,
    queryFn: async ({ signal }): Promise<readonly FieldValue[]> => {
      const seconds = Math.round((interval.toMs - interval.fromMs) / 1000);
      try {
        const answer = await request<Vector>(`${base}/query`, {
          query: { query: topValues(query, name, parser, seconds), time: range.end },
          purpose,
          signal,
        });
        return countsOf(answer, name);
      } catch (error) {
        if (signal.aborted) throw error;
        const path = `${base}/detected_field/${encodeURIComponent(name)}/values`;
        const answer = await request<{ values?: readonly string[] | null }>(path, {
          query: { ...range, query, limit: mostValues },
          purpose,
          signal,
        });
        return (answer.values ?? []).map((value) => ({ value, lines: undefined }));
      }
    },
    placeholderData: keepPreviousData,
  });
}

/** countsOf reads the values with their lines, most first; lines without the field are no value of it. */
export function countsOf({ data }: Vector, name: string): readonly FieldValue[] {
  return data.result
    .map(({ metric, value }) => ({ value: metric[name] ?? "", lines: Number(value[1]) }))
    .filter(({ value }) => value !== "")
    .sort((a, b) => b.lines - a.lines);
}
