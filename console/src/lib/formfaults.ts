import { ApiError } from "./api";

export interface FormFaults {
  /** By the name of the form's field. */
  readonly fields: Readonly<Record<string, string>>;
  /** What no field of the form is to blame for. */
  readonly others: readonly string[];
}

/**
 * faultsByField reads a failed request's problem details: a fault whose JSON pointer is a field's, or below it, goes to that
 * field. Pointers say where in the sent document the value of a field stands; "/" and its name unless given.
 */
export function faultsByField(
  error: unknown,
  names: readonly string[],
  pointers: Readonly<Record<string, string | undefined>>,
): FormFaults {
  const message = error instanceof Error ? error.message : "That did not work.";
  const faults = error instanceof ApiError ? error.faults : [];
  const fields: Record<string, string> = {};
  const others: string[] = [];
  for (const { pointer, detail } of faults) {
    const name = ownerOf(pointer, names, pointers);
    if (name === undefined) others.push(pointer ? `${pointer}: ${detail}` : detail);
    else fields[name] = fields[name] ? `${fields[name]} ${detail}` : detail;
  }
  // The summary repeats what the fields say, unless there is nothing else to say.
  if (faults.length === 0) others.push(message);
  return { fields, others };
}

/** ownerOf finds the field with the longest pointer that the fault's pointer is, or is below of. */
function ownerOf(
  pointer: string,
  names: readonly string[],
  pointers: Readonly<Record<string, string | undefined>>,
): string | undefined {
  let best: { name: string; length: number } | undefined;
  for (const name of names) {
    const own = pointers[name] ?? `/${name}`;
    if (pointer !== own && !pointer.startsWith(`${own}/`)) continue;
    if (!best || own.length > best.length) best = { name, length: own.length };
  }
  return best?.name;
}
