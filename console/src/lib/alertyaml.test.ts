import { describe, expect, it } from "vitest";
import { editYaml, readYaml, sameValue, type Value, YamlError } from "./alertyaml";

const config = `# Who is woken up.
route:
  receiver: ops   # everybody
  group_by: [alertname, cluster]
  routes:
    - receiver: oncall   # at night
      matchers: ['severity="page"']
    - receiver: ops
      future_key: {a: 1}
receivers:
  - name: ops
    webhook_configs:
      - url: <secret>
        http_config: {authorization: {type: Bearer, credentials: <secret>}}
  # the phones
  - name: oncall
    pagerduty_configs: [{routing_key: <secret>}]
`;

// biome-ignore lint/suspicious/noExplicitAny: tests reach into documents whose form they know.
const open = (text: string): any => structuredClone(readYaml(text));

function change(edit: (doc: ReturnType<typeof open>) => void): { text: string; kept: boolean } {
  const doc = open(config);
  edit(doc);
  const done = editYaml(config, doc);
  expect(sameValue(readYaml(done.text), doc as Value)).toBe(true);
  return done;
}

describe("readYaml", () => {
  it("reads scalars, lists and maps of both styles", () => {
    expect(
      readYaml("a: 1\nb: 'it''s'\nc: \"x\\ny\\u00e4\"\nd: [true, ~, -1.5, 007]\ne:\n- x\n- {y: z}\nf:\n"),
    ).toEqual({
      a: 1,
      b: "it's",
      c: "x\nyä",
      d: [true, null, -1.5, "007"],
      e: ["x", { y: "z" }],
      f: null,
    });
  });

  it("reads texts of several lines", () => {
    expect(readYaml("a: |\n    l1\n      l2\n\n    l3\nb: |-\n  x\nc: >\n  one\n  two\nd: 1\n")).toEqual({
      a: "l1\n  l2\n\nl3\n",
      b: "x",
      c: "one two\n",
      d: 1,
    });
  });

  it.each(["a: &x 1\nb: *x\n", "a: !!str 1\n", "a: 1\n---\nb: 2\n", "a: [1\n"])("refuses %j", (text) => {
    expect(() => readYaml(text)).toThrow(YamlError);
  });
});

describe("editYaml", () => {
  it("changes nothing where nothing changes", () => {
    expect(change(() => undefined)).toEqual({ text: config, kept: true });
  });

  it("changes one value and keeps comments", () => {
    const { text } = change((doc) => {
      doc.route.receiver = "on call";
      doc.route.group_by.push("namespace");
    });
    expect(text).toBe(
      config
        .replace("receiver: ops   # everybody", "receiver: on call   # everybody")
        .replace("[alertname, cluster]", "[alertname, cluster, namespace]"),
    );
  });

  it("adds a receiver and a route", () => {
    const { text, kept } = change((doc) => {
      doc.receivers.push({ name: "chat", slack_configs: [{ channel: "#ops", send_resolved: true }] });
      doc.route.routes.unshift({ receiver: "chat", matchers: ['team="a"'] });
    });
    expect(kept).toBe(true);
    expect(text).toContain(
      '  - name: chat\n    slack_configs:\n      - channel: "#ops"\n        send_resolved: true\n',
    );
    for (const comment of ["# Who is woken up.", "# everybody", "# at night", "# the phones"])
      expect(text).toContain(comment);
  });

  it("adds keys to maps of both styles", () => {
    const { text, kept } = change((doc) => {
      doc.route.group_wait = "10s";
      doc.receivers[1].pagerduty_configs[0].severity = "{{ .CommonLabels.severity }}";
    });
    expect(kept).toBe(true);
    expect(text).toContain("\n  group_wait: 10s\nreceivers:");
    expect(text).toContain('{routing_key: <secret>, severity: "{{ .CommonLabels.severity }}"}');
  });

  it("removes items and keys", () => {
    const { text, kept } = change((doc) => {
      doc.receivers.splice(0, 1);
      doc.route.routes.splice(1, 1);
      delete doc.route.group_by;
      doc.route.receiver = "oncall";
    });
    expect(kept).toBe(true);
    expect(text).not.toContain("webhook");
    expect(text).toContain("# the phones");
  });

  it("removes the first key of an item", () => {
    const { text, kept } = change((doc) => {
      delete doc.route.routes[0].receiver;
    });
    expect(kept).toBe(true);
    expect(text).toContain("matchers: ['severity=\"page\"']");
  });

  it("empties and fills lists", () => {
    change((doc) => {
      doc.route.routes = [];
    });
    const filled = editYaml("route: {receiver: a}\nroutes: []\n", {
      route: { receiver: "a" },
      routes: [{ receiver: "b" }],
    });
    expect(filled).toEqual({ text: "route: {receiver: a}\nroutes: [{receiver: b}]\n", kept: true });
  });

  it("writes a document where there is none", () => {
    const doc = { route: { receiver: "ops", group_by: ["alertname"] }, receivers: [{ name: "ops" }] };
    expect(editYaml("", doc)).toEqual({
      text: "route:\n  receiver: ops\n  group_by: [alertname]\nreceivers:\n  - name: ops\n",
      kept: true,
    });
  });

  it("survives texts that look like something else", () => {
    for (const text of [
      "true",
      "",
      "12",
      "a: b",
      "# x",
      "- y",
      'it\'s "so"\nand so',
      "{{ .Labels }}",
      " lead",
    ]) {
      const doc = { key: text, list: [text, { deep: text }] };
      expect(readYaml(editYaml("key: old\n", doc).text)).toEqual(doc);
    }
  });
});
