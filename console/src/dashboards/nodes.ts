import { cluster, dashboard, heading, node, series, table } from "./make";

const n = 'cluster=~"$cluster",node=~"$node"';

export const nodes = dashboard(
  "nodes",
  "Nodes",
  "Utilisation, saturation and errors of CPU, memory, disks and network.",
  ["kubernetes", "nodes", "use"],
  [cluster, node],
  [
    heading("CPU"),
    series(
      "Utilisation",
      `1 - avg by (node) (rate(node_cpu_seconds_total{${n},mode="idle"}[$__rate_interval]))`,
      { legend: "{{node}}", unit: "percentunit", max: 1 },
    ),
    series(
      "Saturation: load by CPU",
      `avg by (node) (node_load1{${n}}) / count by (node) (node_cpu_seconds_total{${n},mode="idle"})`,
      { legend: "{{node}}" },
    ),
    series(
      "Time by mode",
      `sum by (mode) (rate(node_cpu_seconds_total{${n},mode!="idle"}[$__rate_interval]))`,
      { legend: "{{mode}}", style: "stacked", unit: "cores", w: 24 },
    ),
    heading("Memory"),
    series(
      "Utilisation",
      `1 - avg by (node) (node_memory_MemAvailable_bytes{${n}}) / avg by (node) (node_memory_MemTotal_bytes{${n}})`,
      { legend: "{{node}}", unit: "percentunit", max: 1 },
    ),
    series("Available", `avg by (node) (node_memory_MemAvailable_bytes{${n}})`, {
      legend: "{{node}}",
      unit: "bytes",
    }),
    heading("Disks"),
    series(
      "Utilisation: time with I/O",
      `max by (node) (rate(node_disk_io_time_seconds_total{${n}}[$__rate_interval]))`,
      { legend: "{{node}}", unit: "percentunit", max: 1 },
    ),
    series(
      "Room used",
      `1 - min by (node, mountpoint) (node_filesystem_avail_bytes{${n},fstype!="tmpfs"} / node_filesystem_size_bytes{${n},fstype!="tmpfs"})`,
      { legend: "{{node}} {{mountpoint}}", unit: "percentunit", max: 1 },
    ),
    series(
      "Read and written",
      [
        [`sum by (node) (rate(node_disk_read_bytes_total{${n}}[$__rate_interval]))`, "{{node}} read"],
        [`sum by (node) (rate(node_disk_written_bytes_total{${n}}[$__rate_interval]))`, "{{node}} written"],
      ],
      { unit: "Bps", w: 24 },
    ),
    heading("Network"),
    series(
      "Received",
      `sum by (node) (rate(node_network_receive_bytes_total{${n},device!="lo"}[$__rate_interval]))`,
      { legend: "{{node}}", unit: "Bps" },
    ),
    series(
      "Sent",
      `sum by (node) (rate(node_network_transmit_bytes_total{${n},device!="lo"}[$__rate_interval]))`,
      { legend: "{{node}}", unit: "Bps" },
    ),
    series(
      "Errors: packets dropped",
      `sum by (node) (rate(node_network_receive_drop_total{${n}}[$__rate_interval]) + rate(node_network_transmit_drop_total{${n}}[$__rate_interval]))`,
      { legend: "{{node}}", unit: "pps" },
    ),
    table("Conditions", `sum by (node, condition) (kube_node_status_condition{${n},status="true"}) > 0`),
  ],
);
