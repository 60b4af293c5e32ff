import { textCodec } from "./urlstate";

/** The object whose events are shown; "" in namespace is an object of the whole cluster. */
export const eventObjectCodec = textCodec(["cluster", "namespace", "kind", "object"]);
