import { defineConfig } from "vitest/config";

const browser = { testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false };

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["src/**/*.test.ts"] } },
      { test: { name: "e2e", include: ["test/console.e2e.ts"], ...browser } },
      { test: { name: "signin", include: ["test/signin.e2e.ts"], ...browser } },
      { test: { name: "demo", include: ["test/demo.e2e.ts"], ...browser } },
    ],
  },
});
