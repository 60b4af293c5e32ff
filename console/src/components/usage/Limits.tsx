import { useState } from "react";
import { useReason } from "../../data/permissions";
import {
  type ClusterQuotas,
  type Quota,
  type QuotaUse,
  useClusterQuotas,
  useQuotas,
  useSetClusterQuota,
} from "../../data/quotas";
import { limits } from "../../lib/limits";
import { formatUnit } from "../../lib/units";
import { Button } from "../Button";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Dialog } from "../Dialog";
import { Figure } from "../Figure";
import { Loaded } from "../Loaded";
import { Meter } from "../Meter";
import styles from "../manage.module.css";
import { useToast } from "../Toasts";
import { QuotaForm } from "./QuotaForm";

const measured = limits.filter(({ use }) => use !== undefined);

/** LimitMeters shows how much of each measured limit is used. */
export function LimitMeters({ holds, use }: { holds: Quota; use: QuotaUse }) {
  return (
    <div className={styles.meters}>
      {measured.map(({ name, label, unit, use: of }) => (
        <Meter
          key={name}
          label={label}
          used={of ? use[of] : 0}
          limit={holds[name] || undefined}
          format={(value) => formatUnit(value, unit)}
        />
      ))}
    </div>
  );
}

/** Limits shows the tenant's limits and those of its clusters, with what is used of them now. */
export function Limits() {
  const quotas = useQuotas();
  const reason = useReason("clusters:write", "changing the quotas of clusters");
  const [edited, setEdited] = useState<ClusterQuotas>();
  return (
    <Loaded of={quotas}>
      {({ limits: holds, use, clusters, plan }) => (
        <div className={styles.stack}>
          <Card title="Limits of this tenant" note={plan ? `plan ${plan}` : "no plan"}>
            <LimitMeters holds={holds} use={use} />
          </Card>
          <Card flush title="Clusters" note="each within the tenant's limits">
            <DataTable
              label="Quotas of clusters"
              rows={clusters}
              rowKey={({ id }) => id}
              empty="No cluster yet; add one on the page Clusters."
              columns={[
                {
                  key: "name",
                  head: "Cluster",
                  grow: true,
                  sort: ({ name }) => name,
                  cell: ({ name }) => name,
                },
                {
                  key: "bytes",
                  head: "Bytes a second",
                  numeric: true,
                  cell: ({ use: of, set }) => (
                    <Part
                      label="Bytes a second"
                      used={of.bytes_per_second}
                      limit={set.bytes_per_second}
                      bytes
                    />
                  ),
                },
                {
                  key: "today",
                  head: "Bytes today",
                  numeric: true,
                  wideOnly: true,
                  cell: ({ use: of, set }) => (
                    <Part label="Bytes today" used={of.bytes_today} limit={set.daily_bytes} bytes />
                  ),
                },
                {
                  key: "series",
                  head: "Active series",
                  numeric: true,
                  wideOnly: true,
                  cell: ({ use: of, set }) => (
                    <Part label="Active series" used={of.active_series} limit={set.active_series} />
                  ),
                },
                {
                  key: "streams",
                  head: "Active streams",
                  numeric: true,
                  wideOnly: true,
                  cell: ({ use: of, set }) => (
                    <Part label="Active streams" used={of.active_streams} limit={set.active_streams} />
                  ),
                },
                {
                  key: "edit",
                  head: "",
                  numeric: true,
                  cell: (one) => (
                    <Button small reason={reason} onClick={() => setEdited(one)}>
                      Limits
                    </Button>
                  ),
                },
              ]}
            />
          </Card>
          {edited && <ClusterQuota of={edited} onClose={() => setEdited(undefined)} />}
        </div>
      )}
    </Loaded>
  );
}

interface PartProps {
  label: string;
  used: number;
  limit: number | undefined;
  bytes?: boolean;
}

function Part({ label, used, limit, bytes = false }: PartProps) {
  const format = (value: number) => formatUnit(value, bytes ? "bytes" : "");
  if (!limit) return <Figure value={used} unit={bytes ? "bytes" : ""} />;
  return <Meter bare label={label} used={used} limit={limit} format={format} />;
}

function ClusterQuota({ of, onClose }: { of: ClusterQuotas; onClose: () => void }) {
  const quotas = useClusterQuotas(of.id);
  const save = useSetClusterQuota();
  const toast = useToast();
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Limits of ${of.name}`}
      about="Empty is no limit beside the tenant's own. Every ingest node follows within seconds."
      width="wide"
    >
      <Loaded of={quotas}>
        {({ value, etag }) => (
          <QuotaForm
            initial={value.set}
            group="Sending"
            onCancel={onClose}
            submit={async (quota) => {
              await save.mutateAsync({ id: of.id, quota, etag });
              toast({ text: `Saved the limits of ${of.name}.`, tone: "good" });
              onClose();
            }}
          />
        )}
      </Loaded>
    </Dialog>
  );
}
