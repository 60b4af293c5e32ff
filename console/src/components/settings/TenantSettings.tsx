import { Download } from "lucide-react";
import {
  exportArchive,
  type TenantExport,
  useCreateTenantExport,
  useDeleteTenantExport,
  useTenantExports,
} from "../../data/exports";
import { useCan, useReason } from "../../data/permissions";
import { useSession } from "../../data/session";
import { Ago } from "../Ago";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Figure } from "../Figure";
import { KeyValues } from "../KeyValues";
import { Loaded } from "../Loaded";
import { Meter } from "../Meter";
import styles from "../manage.module.css";
import { useToast, useUndoable } from "../Toasts";

/** TenantSettings says what the tenant is, and hands out all of its data. */
export function TenantSettings() {
  const { data: session } = useSession();
  return (
    <div className={styles.stack}>
      <Card title="Tenant">
        <KeyValues
          items={[
            ["Name", session?.tenant?.name],
            ["Short name", <code key="slug">{session?.tenant?.slug}</code>],
            ["Id", <code key="id">{session?.tenant?.id}</code>],
            // Nobody is signed in to a tenant that is suspended or being deleted.
            [
              "State",
              <Badge key="state" tone="good">
                active
              </Badge>,
            ],
            ["Your role", session?.role],
            ["Changed by", "the operator of this installation"],
          ]}
        />
      </Card>
      <Exports />
    </div>
  );
}

function Exports() {
  const may = useCan("transfers:write");
  const reason = useReason("transfers:write", "exporting all data");
  const exports = useTenantExports(may);
  const create = useCreateTenantExport();
  const remove = useDeleteTenantExport();
  const toast = useToast();
  const { hidden, remove: removeExport } = useUndoable<TenantExport>({
    idOf: ({ id }) => id,
    text: () => "Deleted the export",
    perform: ({ id }) => remove.mutateAsync(id),
  });
  return (
    <Card
      flush
      title="Take your data along"
      note="at most three exports are kept"
      actions={
        <Button
          small
          reason={reason}
          busy={create.isPending}
          onClick={() =>
            create.mutate(undefined, {
              onError: (error) => toast({ text: error.message, tone: "bad", ms: 0 }),
            })
          }
        >
          Export everything
        </Button>
      }
    >
      {may ? (
        <Loaded of={exports} rows={3}>
          {(list) => (
            <DataTable
              label="Exports"
              rows={list.filter(({ id }) => !hidden.has(id))}
              rowKey={({ id }) => id}
              empty="No export yet. It holds every row and the configuration, in files that other tools read."
              columns={[
                {
                  key: "made",
                  head: "Made",
                  grow: true,
                  cell: ({ created_at, node }) => (
                    <span className={styles.cell}>
                      <Ago at={created_at} />
                      <small>on {node}</small>
                    </span>
                  ),
                },
                { key: "state", head: "State", cell: (one) => <ExportState of={one} /> },
                {
                  key: "rows",
                  head: "Rows",
                  numeric: true,
                  wideOnly: true,
                  cell: ({ rows }) => <Figure value={rows} />,
                },
                {
                  key: "bytes",
                  head: "Size",
                  numeric: true,
                  cell: ({ bytes }) => <Figure value={bytes} unit="bytes" />,
                },
                {
                  key: "actions",
                  head: "",
                  numeric: true,
                  cell: (one) => (
                    <span className={styles.row}>
                      {one.state === "done" && (
                        <a className="button small" href={exportArchive(one.id)} download>
                          <Download size={14} /> Download
                        </a>
                      )}
                      <Button small variant="quiet" onClick={() => removeExport(one)}>
                        {one.state === "running" ? "Stop" : "Delete"}
                      </Button>
                    </span>
                  ),
                },
              ]}
            />
          )}
        </Loaded>
      ) : (
        <p className={styles.padded}>Only owners take all of the tenant's data out.</p>
      )}
    </Card>
  );
}

function ExportState({ of: { state, parts, parts_done, fault } }: { of: TenantExport }) {
  if (state === "running") {
    return (
      <Meter
        bare
        label="Progress of the export"
        used={parts_done}
        limit={parts || 1}
        format={(value) => `${value} parts`}
      />
    );
  }
  return (
    <span title={fault}>
      <Badge tone={state === "done" ? "good" : "bad"}>{state}</Badge>
    </span>
  );
}
