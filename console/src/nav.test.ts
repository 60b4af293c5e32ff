import { describe, expect, it } from "vitest";
import type { Session } from "./data/session";
import { hrefOf, mayOpen, navGroups, navPages, pageAt, pagesFor } from "./nav";

function session(more: Partial<Session>): Session {
  const tenant = { id: "1", slug: "acme", name: "Acme" };
  const fixed = {
    id: "s",
    login: "ann",
    operator: false,
    tenant,
    role: "viewer",
    tenants: [],
    refresh_seconds: 360,
  };
  return { ...fixed, permissions: ["data:read", "clusters:read"], ...more };
}

const paths = navPages.flatMap(({ path, also = [] }) => [path, ...also]);

describe("the registry", () => {
  it("routes each path once", () => {
    expect(new Set(paths).size).toBe(paths.length);
  });

  it("gives each shortcut to one page, as g and a letter", () => {
    const shortcuts = navPages.flatMap(({ shortcut }) => (shortcut ? [shortcut] : []));
    expect(new Set(shortcuts).size).toBe(shortcuts.length);
    for (const shortcut of shortcuts) expect(shortcut).toMatch(/^g [a-z,]$/);
  });

  it("lists pages in known groups, and none that needs parameters", () => {
    const known = navGroups.map(({ id }) => id as string);
    for (const { group, path } of navPages) {
      if (group === undefined) continue;
      expect(known).toContain(group);
      expect(path).not.toContain(":");
    }
  });

  it.each(navPages.map((row) => [row.path, row] as const))(
    "%s has an example where it needs one, and a page",
    (path, row) => {
      expect(row.example ?? hrefOf(row)).not.toMatch(/:\w+(\/|$)/);
      expect(pageAt(hrefOf(row))?.path).toBe(path);
    },
  );
});

describe("mayOpen", () => {
  it("needs the permission", () => {
    const row = { permission: "data:read" };
    expect(mayOpen(row, session({}))).toBe(true);
    expect(mayOpen(row, session({ permissions: [] }))).toBe(false);
  });

  it("needs a tenant for its pages, and an operator for theirs", () => {
    const operator = session({ operator: true, tenant: null, permissions: ["data:read"] });
    expect(mayOpen({ permission: "data:read" }, operator)).toBe(false);
    expect(mayOpen({ audience: "operator" }, operator)).toBe(true);
    expect(mayOpen({ audience: "operator" }, session({}))).toBe(false);
    expect(mayOpen({ audience: "person" }, operator)).toBe(true);
  });

  it("leaves what may not be opened out of the list", () => {
    const listed = pagesFor(session({ permissions: ["clusters:read"] })).map(({ path }) => path);
    expect(listed).toContain("/clusters");
    expect(listed).not.toContain("/logs");
    expect(listed).not.toContain("/tenants");
  });
});

describe("pageAt", () => {
  const rows = (["/things", "/things/:id", "/things/new", "/deep/*"] as const).map((path) => ({
    ...(navPages[0] as (typeof navPages)[number]),
    path,
    also: [],
  }));
  it.each([
    ["/things", "/things"],
    ["/things/", "/things"],
    ["/things/new", "/things/new"],
    ["/things/7", "/things/:id"],
    ["/deep", "/deep/*"],
    ["/deep/a/b", "/deep/*"],
    ["/things/7/8", undefined],
    ["/", undefined],
  ])("%s is %s", (pathname, path) => {
    expect(pageAt(pathname, rows)?.path).toBe(path);
  });
});
