import type { Codec } from "./urlstate";

/** The fields of requests that can be filtered by. */
export const auditFields = [
  "cluster",
  "namespace",
  "user",
  "verb",
  "resource",
  "subresource",
  "name",
  "source_ip",
  "user_agent",
  "code",
] as const;
export type AuditField = (typeof auditFields)[number];

/** Kinds of requests that people ask for by name. */
export const auditClasses = ["denied", "failed", "exec", "secrets", "writes"] as const;
export type AuditClass = (typeof auditClasses)[number];

export interface AuditState {
  /** "" is every kind. */
  readonly class: AuditClass | "";
  /** One value a field, and those that are left out. */
  readonly only: Readonly<Partial<Record<AuditField, string>>>;
  readonly not: Readonly<Partial<Record<AuditField, readonly string[]>>>;
  /** The request whose details are shown. */
  readonly request: string;
}

export const auditCodec: Codec<AuditState> = {
  read(params) {
    const only: Partial<Record<AuditField, string>> = {};
    const not: Partial<Record<AuditField, readonly string[]>> = {};
    for (const field of auditFields) {
      const value = params.get(field);
      if (value) only[field] = value;
      const left = params.getAll(`not_${field}`);
      if (left.length > 0) not[field] = left;
    }
    return {
      class: auditClasses.find((one) => one === params.get("class")) ?? "",
      only,
      not,
      request: params.get("request") ?? "",
    };
  },
  write(params, state) {
    put(params, "class", state.class ? [state.class] : []);
    put(params, "request", state.request ? [state.request] : []);
    for (const field of auditFields) {
      const value = state.only[field];
      put(params, field, value ? [value] : []);
      put(params, `not_${field}`, state.not[field] ?? []);
    }
  },
};

function put(params: URLSearchParams, name: string, values: readonly string[]): void {
  params.delete(name);
  for (const value of values) params.append(name, value);
}

/** auditQuery writes a filter as the API's parameters. */
export function auditQuery(state: AuditState): Record<string, string | readonly string[]> {
  const query: Record<string, string | readonly string[]> = { class: state.class };
  for (const field of auditFields) {
    const value = state.only[field];
    if (value) query[field] = value;
    if (state.not[field]) query[`not_${field}`] = state.not[field];
  }
  return query;
}

/** withOnly shows one value of a field alone; "" shows all. */
export function withOnly(state: AuditState, field: AuditField, value: string): AuditState {
  const { [field]: _, ...rest } = state.only;
  return { ...state, request: "", only: value ? { ...rest, [field]: value } : rest };
}

/** withNot leaves a value of a field out, or shows it again. */
export function withNot(state: AuditState, field: AuditField, value: string): AuditState {
  const { [field]: have = [], ...rest } = state.not;
  const next = have.includes(value) ? have.filter((one) => one !== value) : [...have, value];
  return { ...state, request: "", not: next.length > 0 ? { ...rest, [field]: next } : rest };
}
