/** Where an agent sends, in the parts that agents' settings ask for. */
export interface Target {
  /** The name of the cluster, which its data gets as a label. */
  readonly cluster: string;
  /** The server without a slash at the end, such as https://seamark.example.com. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** The secret of the cluster's token. */
  readonly token: string;
}

/** targetOf takes an address apart; a port that its scheme implies is told, too, as agents have other defaults. */
export function targetOf(cluster: string, origin: string, token: string): Target {
  const url = new URL(origin);
  const tls = url.protocol === "https:";
  return {
    cluster,
    url: url.origin,
    host: url.hostname,
    port: url.port ? Number(url.port) : tls ? 443 : 80,
    tls,
    token,
  };
}
