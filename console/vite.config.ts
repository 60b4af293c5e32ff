import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { budget } from "./build/budget";
import { keepfile } from "./build/keepfile";
import { precompress } from "./build/precompress";
import { mockApi } from "./test/mock/plugin";

// `npm run dev` speaks to a running seamark at SEAMARK_URL; `npm run dev:mock` answers from test/mock.
const target = process.env.SEAMARK_URL ?? "http://127.0.0.1:8080";

// The live view of logs is a WebSocket, which the server takes from pages of its own origin alone.
const proxied = { target, changeOrigin: true, ws: true, rewriteWsOrigin: true };

// The runbooks of Seamark itself stand in docs/.
const fs = { allow: [".."] };

export default defineConfig(({ mode }) => ({
  plugins: [react(), precompress(), keepfile(), budget(), ...(mode === "mock" ? [mockApi()] : [])],
  server:
    mode === "mock"
      ? { fs }
      : {
          fs,
          proxy: { "/api": proxied, "/alertmanager": proxied, "/prometheus": proxied, "/loki": proxied },
        },
  build: {
    // The browsers that know light-dark(), on which the theme rests.
    target: ["chrome123", "firefox120", "safari17.5"],
    // A data: font would break the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The editor's chunk is this large and loads when it is needed; what counts is the first load, see budget.ts.
    chunkSizeWarningLimit: 700,
  },
}));
