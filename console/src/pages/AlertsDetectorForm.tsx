import { Eye } from "lucide-react";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { DetectorFields } from "../components/alerts/DetectorFields";
import { DetectorReport } from "../components/alerts/DetectorReport";
import { Button } from "../components/Button";
import { Card } from "../components/Card";
import { Form, useForm } from "../components/Form";
import { Select } from "../components/Inputs";
import { PageHead } from "../components/PageHead";
import { Skeleton } from "../components/Skeleton";
import { Fault } from "../components/States";
import { useToast } from "../components/Toasts";
import { type DetectorSpec, useDetectorPreview, useDetectors, useSaveDetector } from "../data/detectors";
import { useLogqlHints, usePromqlHints } from "../data/hints";
import { useReason } from "../data/permissions";
import { type DetectorForm, detectorForm, detectorSpec, specOf } from "../lib/alertdetector";
import { ApiError } from "../lib/api";
import { useTime } from "../lib/time";
import styles from "./Alerts.module.css";

/** AlertsDetectorForm is the form of a new detector, or of one that there is. */
export function AlertsDetectorForm() {
  const { id } = useParams();
  const detectors = useDetectors();
  if (id === undefined) return <Editor />;
  if (detectors.isError || detectors.isPending)
    return (
      <div className="page">
        {detectors.isError ? (
          <Fault error={detectors.error} onRetry={() => detectors.refetch()} />
        ) : (
          <Skeleton rows={8} />
        )}
      </div>
    );
  const found = detectors.data.find((one) => one.id === id);
  if (!found)
    return (
      <div className="page">
        <Fault error={new ApiError(404, "There is no such detector; somebody may have deleted it.")} />
      </div>
    );
  return <Editor key={id} id={id} spec={specOf(found)} />;
}

const ranges = [
  { value: "21600", label: "Last 6 hours" },
  { value: "86400", label: "Last day" },
  { value: "604800", label: "Last week" },
];

/** Where a field's value stands in the document. */
const pointers: Partial<Record<keyof DetectorForm, string>> = {
  horizon: "/horizon_seconds",
  history: "/history_seconds",
  forSeconds: "/for_seconds",
  minLines: "/min_lines",
  window: "/window_seconds",
  compare: "/compare_seconds",
  silence: "/silence_seconds",
  forget: "/forget_seconds",
};

function Editor({ id, spec }: { id?: string; spec?: DetectorSpec }) {
  const navigate = useNavigate();
  const toast = useToast();
  const { zone } = useTime();
  const save = useSaveDetector();
  const reason = useReason("rules:write", "changing detectors");
  const promql = usePromqlHints();
  const logql = useLogqlHints();
  const form = useForm<DetectorForm>({
    initial: detectorForm(spec),
    pointers,
    validate,
    submit: async (values) => {
      await save.mutateAsync({ id, spec: detectorSpec(values) });
      toast({ text: `Saved detector ${values.name}.`, tone: "good" });
      navigate("/alerts/detectors");
    },
  });
  const { values } = form;
  const [range, setRange] = useState("86400");
  const [asked, setAsked] = useState<{ detector: DetectorSpec; fromMs: number; toMs: number }>();
  const preview = useDetectorPreview(asked);
  const isSeries = values.kind === "anomaly" || values.kind === "forecast";
  const ready =
    isSeries && values.expr.trim() === ""
      ? "Write an expression first."
      : values.kind === "forecast" && values.threshold === undefined
        ? "Say which threshold."
        : undefined;
  const onPreview = () => {
    const toMs = Date.now();
    const detector = detectorSpec({ ...values, name: values.name.trim() || "NewDetector", disabled: false });
    setAsked({ detector, fromMs: toMs - Number(range) * 1000, toMs });
  };
  const uses = isSeries && values.language === "promql" ? promql : logql;
  return (
    <div className="page">
      <PageHead title={spec?.name ?? "New detector"} back={{ to: "/alerts/detectors", label: "Detectors" }} />
      <div className={styles.split}>
        <section className={`card ${styles.pad}`}>
          <Form
            form={form}
            label="Detector"
            verb="Save detector"
            onCancel={() => navigate(-1)}
            reason={reason}
          >
            <DetectorFields form={form} hints={uses} />
          </Form>
        </section>
        <Card
          title="Preview"
          actions={
            <>
              <Select aria-label="Preview over" value={range} options={ranges} onChange={setRange} />
              <Button busy={preview.isFetching} reason={ready} onClick={onPreview}>
                <Eye size={15} /> Preview
              </Button>
            </>
          }
        >
          {preview.isError ? (
            <Fault error={preview.error} onRetry={() => preview.refetch()} />
          ) : preview.isFetching ? (
            <Skeleton height={260} />
          ) : preview.data && asked ? (
            <DetectorReport
              key={asked.toMs}
              preview={preview.data}
              kind={asked.detector.kind}
              threshold={asked.detector.threshold}
              zone={zone}
            />
          ) : (
            <p className={styles.quiet}>
              See what the detector would have raised, and the band that it takes for usual. Nothing is kept.
            </p>
          )}
        </Card>
      </div>
    </div>
  );
}

function validate(values: DetectorForm) {
  const isSeries = values.kind === "anomaly" || values.kind === "forecast";
  return {
    ...(values.name.trim() === "" ? { name: "Name the detector." } : {}),
    ...(isSeries && values.expr.trim() === "" ? { expr: "Say what to watch." } : {}),
    ...(values.kind === "forecast" && values.threshold === undefined
      ? { threshold: "Say which threshold." }
      : {}),
  };
}
