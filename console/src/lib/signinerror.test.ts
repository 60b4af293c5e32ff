import { expect, it } from "vitest";
import { signInErrorText, withoutSignInError } from "./signinerror";

it("says nothing without an error, and something for every other id", () => {
  expect(signInErrorText(null, "Corp")).toBe("");
  expect(signInErrorText("seamark-signin-declined", "Corp")).toMatch(/^Corp did not/);
  expect(signInErrorText("<b>anything</b>", "")).toBe(
    "Signing in at the provider did not work. Try again, or sign in another way.",
  );
});

it("takes the error out of the address and leaves the rest", () => {
  expect(withoutSignInError({ pathname: "/", search: "?signin_error=x&provider=corp" })).toBe("/");
  expect(withoutSignInError({ pathname: "/logs", search: "?q=a%3Db&signin_error=x" })).toBe("/logs?q=a%3Db");
});
