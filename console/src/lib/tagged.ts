import { type RequestOptions, request } from "./api";

/** A document with the version that was read. A change that names the version never overwrites somebody else's. */
export interface Tagged<T> {
  readonly value: T;
  readonly etag: string;
}

/** findTagged reads a document and its ETag. */
export async function findTagged<T>(path: string, options: RequestOptions = {}): Promise<Tagged<T>> {
  let etag = "";
  const value = await request<T>(path, {
    ...options,
    onHeaders: (headers) => {
      etag = headers.get("ETag") ?? "";
    },
  });
  return { value, etag };
}

/** ifMatch is the header of a change to the version that was read; without one there must be no document yet. */
export function ifMatch(etag: string): Record<string, string> {
  return etag ? { "If-Match": etag } : {};
}
