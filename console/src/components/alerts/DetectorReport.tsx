import { useMemo, useState } from "react";
import type { DetectorPreview, DetectorSpec } from "../../data/detectors";
import { previewMatrix } from "../../lib/alertdetector";
import { formatDateTime, type Zone } from "../../lib/clock";
import { formatCount } from "../../lib/format";
import { seriesName } from "../../lib/matrix";
import { Chart } from "../Chart";
import { Select } from "../Inputs";
import styles from "./BacktestReport.module.css";
import { LabelList } from "./Labels";

interface ReportProps {
  preview: DetectorPreview;
  kind: DetectorSpec["kind"];
  threshold: number | undefined;
  zone: Zone;
}

const shown = 20;

/** DetectorReport says what a detector would have raised, with a series in its band. */
export function DetectorReport({ preview, kind, threshold, zone }: ReportProps) {
  const [place, setPlace] = useState("0");
  const series = preview.series[Number(place)] ?? preview.series[0];
  const matrix = useMemo(
    () => series && previewMatrix(series, preview.step_seconds),
    [series, preview.step_seconds],
  );
  const { alerts } = preview;
  return (
    <div className={styles.report}>
      <p className={styles.verdict} role="status">
        {alerts.length === 0
          ? "Would have raised nothing"
          : `Would have raised ${alerts.length === 1 ? "one alert" : `${formatCount(alerts.length)} alerts`}`}
        <small>
          {formatCount(preview.watched)} series watched
          {preview.learning > 0 && `, ${formatCount(preview.learning)} of them with too little history`}
          {preview.truncated && "; more than are shown"}
        </small>
      </p>
      {preview.series.length > 0 && (
        <Select
          aria-label="Series"
          value={place}
          options={preview.series.map(({ labels }, i) => ({ value: String(i), label: seriesName(labels) }))}
          onChange={setPlace}
        />
      )}
      {matrix && (
        <Chart
          matrix={matrix}
          zone={zone}
          height={220}
          legend="table"
          framed={false}
          thresholds={
            kind === "forecast" && threshold !== undefined ? [{ from: threshold, tone: "bad" }] : []
          }
        />
      )}
      <ul className={styles.tracks}>
        {alerts.slice(0, shown).map((alert) => (
          <li key={`${alert.start}-${JSON.stringify(alert.labels)}`} className={styles.track}>
            <span className="faint">
              {formatDateTime(Date.parse(alert.start), zone)}
              {alert.end ? ` to ${formatDateTime(Date.parse(alert.end), zone)}` : " until the end"}
            </span>
            <span>{alert.explanation}</span>
            <LabelList labels={alert.labels} without={["alertname", "detector_kind"]} />
          </li>
        ))}
      </ul>
    </div>
  );
}
