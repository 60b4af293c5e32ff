import { expect, test } from "vitest";
import type { Forwarder } from "../data/forwarders";
import { forwarderOf, kindOf, valuesOf } from "./forwarderform";

const stored: Forwarder = {
  name: "archive",
  signal: "logs",
  filter: '{app="api"}',
  paused: true,
  batch: { max_rows: 500 },
  target: {
    s3: {
      region: "eu-central-1",
      bucket: "logs",
      format: "parquet",
      access_key_id: "AK",
      secret_access_key: { set: true, fingerprint: "f" },
    },
  },
  revision: 7,
  created_at: "2026-11-01T00:00:00Z",
  updated_at: "2026-11-01T00:00:00Z",
};

test("a stored forwarder that is not edited is sent as it is", () => {
  const { name, signal, filter, paused, batch, target, revision } = stored;
  expect(forwarderOf(valuesOf(stored), stored)).toEqual({
    name,
    signal,
    filter,
    paused,
    batch,
    target,
    revision,
  });
});

test("a new secret takes the place of the stored one", () => {
  const sent = forwarderOf({ ...valuesOf(stored), secret: "new" }, stored);
  expect(sent.target.s3?.secret_access_key).toEqual({ value: "new" });
});

test("each kind has its own target and no other", () => {
  const values = { ...valuesOf(), name: "x", url: "https://example.com", topic: "t", brokers: "a:1, b:2" };
  expect(forwarderOf({ ...values, secret: "s" }).target).toEqual({
    webhook: { url: "https://example.com", headers: { Authorization: { value: "s" } } },
  });
  expect(forwarderOf({ ...values, kind: "nats" }).target).toEqual({
    nats: { url: "https://example.com", subject: "t" },
  });
  expect(forwarderOf({ ...values, kind: "kafka" }).target).toEqual({
    kafka: { brokers: ["a:1", "b:2"], topic: "t", tls: false },
  });
  expect(kindOf(forwarderOf({ ...values, kind: "kafka" }).target)).toBe("kafka");
});
