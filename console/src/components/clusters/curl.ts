import type { Target } from "./target";

/** Commands that push one line, one sample or one event, so that anybody sees within seconds that the way is open. */

export function curlLogs({ cluster, url, token }: Target): string {
  const line = {
    message: `Hello from ${cluster}`,
    level: "error",
    namespace: "default",
    pod: "hello",
  };
  return `curl -sS '${url}/api/v1/push/logs' \\
  -H 'Authorization: Bearer ${token}' \\
  -H 'Content-Type: application/x-ndjson' \\
  --data-binary '${JSON.stringify(line)}'`;
}

export function curlMetrics({ url, token }: Target): string {
  return `echo 'seamark_hello 1' | curl -sS '${url}/metrics/job/hello' \\
  -H 'Authorization: Bearer ${token}' \\
  --data-binary @-`;
}

export function curlEvents({ cluster, url, token }: Target): string {
  // The shell fills in the time: an event of yesterday would be taken, and not found in the last hour.
  const event = `{"apiVersion":"v1","kind":"Event","metadata":{"name":"hello","namespace":"default","uid":"hello-'$(date +%s)'"},"involvedObject":{"kind":"Pod","namespace":"default","name":"hello"},"type":"Normal","reason":"Hello","message":"Hello from ${cluster}","count":1,"lastTimestamp":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'"}`;
  return `curl -sS '${url}/api/v1/push/events' \\
  -H 'Authorization: Bearer ${token}' \\
  -H 'Content-Type: application/json' \\
  --data-binary '${event}'`;
}
