import type { Pipeline } from "../data/pipelines";
import { lineOf, readYaml, type Value, YamlError } from "./alertyaml";
import type { Fault } from "./api";

/** Pipelines as text: YAML of the document that the API keeps. JSON is YAML, too, so that either can be pasted. */

/** A fault in the text; the line counts from 1. */
export interface TextFault {
  readonly line: number;
  readonly message: string;
}

/** writePipelines writes one pipeline, or a list of them. */
export function writePipelines(value: Pipeline | readonly Pipeline[]): string {
  return `${blockOf(value as unknown as Value, 0).trimStart()}\n`;
}

/** readPipeline reads what somebody wrote; the fault says what is wrong with it. What the server checks is not checked here. */
export function readPipeline(text: string): { pipeline: Pipeline } | { fault: TextFault } {
  const read = reading(text);
  if ("fault" in read) return read;
  const fault = shapeFault(read.value, "", text);
  return fault ? { fault } : { pipeline: read.value as unknown as Pipeline };
}

/** readPipelines reads a list of pipelines. Nothing is none. */
export function readPipelines(text: string): { pipelines: Pipeline[] } | { fault: TextFault } {
  const read = reading(text);
  if ("fault" in read) return read;
  const value = read.value ?? [];
  if (!Array.isArray(value)) return { fault: { line: 1, message: "This must be a list of pipelines." } };
  for (const [place, one] of value.entries()) {
    const fault = shapeFault(one, `/${place}`, text);
    if (fault) return { fault };
  }
  return { pipelines: value as unknown as Pipeline[] };
}

/** placed finds the lines of faults that the server has named by pointers. */
export function placed(text: string, faults: readonly Fault[]): TextFault[] {
  return faults.map(({ pointer, detail }) => ({ line: lineOf(text, pointer), message: detail }));
}

function reading(text: string): { value: Value } | { fault: TextFault } {
  try {
    return { value: readYaml(text) };
  } catch (error) {
    const line = error instanceof YamlError ? error.line : 1;
    return { fault: { line, message: error instanceof Error ? error.message : "This is not YAML." } };
  }
}

function shapeFault(value: Value, at: string, text: string): TextFault | undefined {
  const object = typeof value === "object" && value && !Array.isArray(value) ? value : undefined;
  const { name, steps } = (object ?? {}) as { name?: Value; steps?: Value };
  const message =
    typeof name !== "string"
      ? "A pipeline is an object with a name."
      : !Array.isArray(steps)
        ? "A pipeline has a list of steps."
        : undefined;
  return message ? { line: lineOf(text, at), message } : undefined;
}

/** scalar writes OTTL as one reads it: in single quotes, within which its own quotes and backslashes are themselves. */
function scalar(value: Value): string {
  if (typeof value !== "string") return value === null ? "null" : String(value);
  if (/^[A-Za-z_/][\w ./@+-]*$/.test(value) && !/\s$|^(null|true|false|yes|no|on|off|y|n)$/i.test(value))
    return value;
  return /["\\]/.test(value) && !/[\n\r\t]/.test(value)
    ? `'${value.replaceAll("'", "''")}'`
    : JSON.stringify(value);
}

function blockOf(value: Value, indent: number): string {
  if (typeof value !== "object" || value === null) return ` ${scalar(value)}`;
  const space = " ".repeat(indent);
  if (Array.isArray(value)) {
    if (value.length === 0) return " []";
    return value
      .map((one: Value) => {
        const block = blockOf(one, indent + 2);
        return `\n${space}-${block.startsWith("\n") ? ` ${block.slice(3 + indent)}` : block}`;
      })
      .join("");
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return " {}";
  return entries.map(([key, one]) => `\n${space}${scalar(key)}:${blockOf(one, indent + 2)}`).join("");
}
