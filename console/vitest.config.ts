import { defineConfig } from "vitest/config";

// What a browser shows comes when it does, on a machine with other work: vitest would poll for one second.
const expect = { poll: { timeout: 20_000 } };
const browser = { testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false, expect };

// Tests of pages share one server and one browser (test/pages/setup.ts); two files at a time keep two cores busy.
// All of them take nine minutes: SEAMARK_PAGES=all is for the night, the others are those of every push.
const everyPush = ["shell", "home", "newcomer", "alerts"];
const pageFiles =
  process.env.SEAMARK_PAGES === "all"
    ? ["test/pages/**/*.e2e.ts"]
    : everyPush.map((name) => `test/pages/${name}.e2e.ts`);
const pages = {
  globalSetup: "test/pages/setup.ts",
  testTimeout: 60_000,
  hookTimeout: 60_000,
  maxWorkers: 2,
  expect,
};

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["src/**/*.test.{ts,tsx}"] } },
      { test: { name: "e2e", include: ["test/console.e2e.ts"], ...browser } },
      { test: { name: "pages", include: pageFiles, ...pages } },
      { test: { name: "screenshots", include: ["test/screenshots.ts"], ...pages, testTimeout: 600_000 } },
      { test: { name: "signin", include: ["test/signin.e2e.ts"], ...browser } },
      { test: { name: "demo", include: ["test/demo.e2e.ts"], ...browser } },
    ],
  },
});
