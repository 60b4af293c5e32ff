import { describe, expect, it } from "vitest";
import { type AuditState, auditCodec, auditQuery, withNot, withOnly } from "./auditstate";

const state: AuditState = {
  class: "denied",
  only: { user: "jane", namespace: "shop" },
  not: { verb: ["watch", "list"] },
  request: "a-1",
};
const none: AuditState = { class: "", only: {}, not: {}, request: "" };

describe("auditCodec", () => {
  it("comes back as it was, and leaves the parameters of others alone", () => {
    for (const one of [state, none]) {
      const params = new URLSearchParams("last=6h&tab=clients&user=old");
      auditCodec.write(params, one);
      expect(auditCodec.read(params)).toEqual(one);
      expect(params.get("tab")).toBe("clients");
    }
  });

  it("takes an unknown class for none", () => {
    expect(auditCodec.read(new URLSearchParams("class=odd")).class).toBe("");
  });
});

describe("filters", () => {
  it("are the API's parameters", () => {
    expect(auditQuery(state)).toEqual({
      class: "denied",
      user: "jane",
      namespace: "shop",
      not_verb: ["watch", "list"],
    });
  });

  it("are set and taken back", () => {
    expect(withOnly(none, "user", "jane").only).toEqual({ user: "jane" });
    expect(withOnly(state, "user", "").only).toEqual({ namespace: "shop" });
    expect(withNot(none, "verb", "watch").not).toEqual({ verb: ["watch"] });
    expect(withNot(withNot(none, "verb", "watch"), "verb", "watch").not).toEqual({});
  });
});
