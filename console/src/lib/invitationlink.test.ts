import { expect, test } from "vitest";
import { invitationLink, invitationToken } from "./invitationlink";

test("a link's token is read back", () => {
  const link = invitationLink("smi_abc-DEF_1", "https://seamark.example.com");
  expect(link).toBe("https://seamark.example.com/invitation#smi_abc-DEF_1");
  expect(invitationToken(new URL(link).hash)).toBe("smi_abc-DEF_1");
});

test("a link without a token has none", () => {
  expect(invitationToken("")).toBe("");
});
