import { textCodec } from "./urlstate";

/** Which records of the change log are shown; all of it is in the URL, so that a finding can be sent on. */
export const changesCodec = textCodec(["actor", "action", "object", "result"]);
