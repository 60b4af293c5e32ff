import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { keepfile } from "./build/keepfile";
import { precompress } from "./build/precompress";
import { mockApi } from "./test/mock/plugin";

// `npm run dev` speaks to a running seamark at SEAMARK_URL; `npm run dev:mock` answers from test/mock.
const target = process.env.SEAMARK_URL ?? "http://127.0.0.1:8080";

export default defineConfig(({ mode }) => ({
  plugins: [react(), precompress(), keepfile(), ...(mode === "mock" ? [mockApi()] : [])],
  server: mode === "mock" ? {} : { proxy: { "/api": target, "/prometheus": target, "/loki": target } },
  build: {
    // The browsers that know light-dark(), on which the theme rests.
    target: ["chrome123", "firefox120", "safari17.5"],
    // A data: font would break the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 450,
  },
}));
