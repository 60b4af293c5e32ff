import { textCodec } from "./urlstate";

/** What "Add a cluster" is about: the cluster once it has been made, and the agent whose settings are shown. */
export const addClusterCodec = textCodec(["cluster", "agent"]);
export type AddClusterState = ReturnType<typeof addClusterCodec.read>;
