import type { Matrix } from "../../lib/matrix";

/** csvOf writes a matrix as a table: a row for each time, a column for each series. */
export function csvOf(matrix: Matrix): string {
  const head = ["time", ...matrix.series.map(({ name }) => name)];
  const rows = matrix.times.map((time, i) => [
    new Date(time * 1000).toISOString(),
    ...matrix.series.map(({ values }) => values[i] ?? ""),
  ]);
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** saveText hands a text to the browser as a file. */
export function saveText(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name.replace(/[^\w .-]+/g, "_");
  link.click();
  URL.revokeObjectURL(url);
}
