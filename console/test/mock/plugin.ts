import type { Plugin } from "vite";
import { answer } from "./api";

/** mockApi lets Vite's server answer for the API, for work on pages without a running seamark. */
export function mockApi(): Plugin {
  return {
    name: "mock-api",
    configureServer(server) {
      server.middlewares.use((req, res, next) => {
        if (!answer(req, res)) next();
      });
    },
  };
}
