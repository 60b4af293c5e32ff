import { QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "../lib/api";
import { changeSession } from "./session";

/** newQueryClient makes the cache of server state. A 401 anywhere ends the session, which brings the sign-in page. */
export function newQueryClient(): QueryClient {
  const client = new QueryClient({
    queryCache: new QueryCache({
      onError(error) {
        if (error instanceof ApiError && error.kind === "unauthenticated") changeSession(client, null);
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        // Log pages are large; what nobody looks at goes after a minute.
        gcTime: 60_000,
        refetchOnWindowFocus: false,
        retry: (failures, error) => failures < 2 && error instanceof ApiError && mayPass(error),
      },
    },
  });
  return client;
}

function mayPass(error: ApiError): boolean {
  return error.kind === "away" || error.kind === "unavailable";
}
