import type { Forwarder, ForwarderSecret, ForwarderTarget, NewForwarder } from "../data/forwarders";

/** A forwarder as a form has it: one field for each value, whatever the kind. */

export const targetKinds = [
  { value: "webhook", label: "Webhook" },
  { value: "nats", label: "NATS" },
  { value: "kafka", label: "Kafka" },
  { value: "s3", label: "S3" },
] as const;
export type TargetKind = (typeof targetKinds)[number]["value"];

export interface ForwarderValues {
  readonly name: string;
  readonly signal: "logs" | "events";
  readonly filter: string;
  readonly paused: boolean;
  readonly kind: TargetKind;
  /** Of webhooks, NATS and S3's endpoint. */
  readonly url: string;
  /** NATS' subject, or Kafka's topic. */
  readonly topic: string;
  readonly brokers: string;
  readonly tls: boolean;
  readonly user: string;
  readonly region: string;
  readonly bucket: string;
  readonly prefix: string;
  /** A webhook's Authorization, NATS' token, Kafka's password or S3's secret key; empty keeps the stored one. */
  readonly secret: string;
}

export function kindOf(target: ForwarderTarget): TargetKind {
  return targetKinds.find(({ value }) => target[value])?.value ?? "webhook";
}

/** valuesOf fills the form; nothing makes a new one. */
export function valuesOf(forwarder?: Forwarder): ForwarderValues {
  const { webhook, nats, kafka, s3 } = forwarder?.target ?? {};
  return {
    name: forwarder?.name ?? "",
    signal: forwarder?.signal ?? "logs",
    filter: forwarder?.filter ?? "",
    paused: forwarder?.paused ?? false,
    kind: kindOf(forwarder?.target ?? {}),
    url: webhook?.url ?? nats?.url ?? s3?.endpoint ?? "",
    topic: nats?.subject ?? kafka?.topic ?? "",
    brokers: (kafka?.brokers ?? []).join(", "),
    tls: kafka?.tls ?? false,
    user: kafka?.sasl?.user ?? s3?.access_key_id ?? "",
    region: s3?.region ?? "",
    bucket: s3?.bucket ?? "",
    prefix: s3?.prefix ?? "",
    secret: "",
  };
}

/** forwarderOf is what is sent: what the form does not show stays as it was. */
export function forwarderOf(values: ForwarderValues, before?: Forwarder): NewForwarder & { name: string } {
  return {
    name: values.name,
    signal: values.signal,
    filter: values.filter,
    paused: values.paused,
    target: targetOf(values, before?.target ?? {}),
    ...(before && { batch: before.batch, revision: before.revision }),
  };
}

function targetOf(values: ForwarderValues, before: ForwarderTarget): ForwarderTarget {
  const { kind, url, topic, user, secret } = values;
  switch (kind) {
    case "webhook": {
      const headers = { ...before.webhook?.headers, ...(secret && { Authorization: { value: secret } }) };
      return { webhook: { url, ...(Object.keys(headers).length > 0 && { headers }) } };
    }
    case "nats":
      return { nats: { ...before.nats, url, subject: topic, ...(secret && { token: { value: secret } }) } };
    case "kafka": {
      const brokers = values.brokers.split(/[\s,]+/).filter(Boolean);
      const sasl = user && {
        mechanism: before.kafka?.sasl?.mechanism ?? ("scram-sha-512" as const),
        user,
        password: secretOf(secret, before.kafka?.sasl?.password),
      };
      const { sasl: _, ...rest } = before.kafka ?? {};
      return { kafka: { ...rest, brokers, topic, tls: values.tls, ...(sasl && { sasl }) } };
    }
    case "s3":
      return {
        s3: {
          ...before.s3,
          region: values.region,
          bucket: values.bucket,
          access_key_id: user,
          secret_access_key: secretOf(secret, before.s3?.secret_access_key),
          ...(url && { endpoint: url }),
          ...(values.prefix && { prefix: values.prefix }),
        },
      };
  }
}

function secretOf(value: string, before: ForwarderSecret | undefined): ForwarderSecret {
  return value ? { value } : (before ?? {});
}
