import { BellOff, Plus } from "lucide-react";
import { useMemo } from "react";
import { Ago } from "../components/Ago";
import { matchersToLabels, SilenceMatchers } from "../components/alerts/SilenceMatchers";
import { StatusDot, type Tone } from "../components/Badge";
import { Button } from "../components/Button";
import { Card } from "../components/Card";
import { type Column, DataTable } from "../components/DataTable";
import { TextInput } from "../components/Inputs";
import { PageHead } from "../components/PageHead";
import { Progress } from "../components/Progress";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { Tabs } from "../components/Tabs";
import { useToast } from "../components/Toasts";
import { type Alert, useAlerts } from "../data/alerts";
import { type Silence, useExpireSilence, useSaveSilence, useSilences } from "../data/silences";
import { matches, writeMatcher } from "../lib/alertsilence";
import { formatShort } from "../lib/clock";
import { formatCount, formatLeft } from "../lib/format";
import { useTime } from "../lib/time";
import { textCodec } from "../lib/urlstate";
import { useNow } from "../lib/usenow";
import { useUrlState } from "../lib/useurlstate";
import styles from "./Alerts.module.css";
import { useSilencing } from "./AlertsSilencing";

const silencesCodec = textCodec(["q"]);
const states = ["active", "pending", "expired"] as const;
const tones: Record<(typeof states)[number], Tone> = { active: "accent", pending: "warn", expired: "plain" };
const none: readonly Alert[] = [];

/** AlertsSilencesPage lists silences, makes, changes and ends them. */
export function AlertsSilencesPage() {
  const [{ q }, setState] = useUrlState(silencesCodec);
  const silences = useSilences();
  const alerts = useAlerts().data ?? none;
  const silencing = useSilencing(alerts);
  const all = silences.data ?? [];
  const found = all.filter(({ matchers, comment, createdBy }) =>
    `${matchers.map(writeMatcher).join(" ")} ${comment} ${createdBy}`.toLowerCase().includes(q.toLowerCase()),
  );
  const open = () =>
    silencing.open({ matchers: [{ name: "", value: "", isRegex: false, isEqual: true }], comment: "" });
  return (
    <div className="page">
      <Progress active={silences.isFetching} />
      <PageHead
        title="Silences"
        subtitle="Alerts that a silence covers notify nobody while it lasts."
        actions={
          silencing.reason === undefined && (
            <Button variant="primary" onClick={open}>
              <Plus size={15} /> New silence
            </Button>
          )
        }
      />
      {silences.isError ? (
        <Fault error={silences.error} onRetry={() => silences.refetch()} />
      ) : silences.isPending ? (
        <Skeleton rows={5} />
      ) : all.length === 0 ? (
        <Empty title="No silences">
          <p>Silence alerts before planned work, or while somebody is at it.</p>
          {silencing.reason === undefined && (
            <Button onClick={open}>
              <BellOff size={15} /> New silence
            </Button>
          )}
        </Empty>
      ) : (
        <>
          <search className={styles.tools}>
            <TextInput
              type="search"
              value={q}
              aria-label="Filter silences"
              placeholder="Filter by matcher, comment or person"
              onChange={(next) => setState({ q: next }, { replace: true })}
            />
          </search>
          <Tabs
            label="State of the silences"
            tabs={states.map((id) => ({
              id,
              label: `${id[0]?.toUpperCase()}${id.slice(1)}`,
              badge: formatCount(found.filter(({ status }) => status.state === id).length),
            }))}
          >
            {(tab) => (
              <Card flush label={`${tab} silences`}>
                <SilenceTable
                  silences={found.filter(({ status }) => status.state === tab)}
                  alerts={alerts}
                  mayWrite={silencing.reason === undefined}
                  onEdit={silencing.open}
                />
              </Card>
            )}
          </Tabs>
        </>
      )}
      {silencing.dialog}
    </div>
  );
}

interface SilenceTableProps {
  silences: readonly Silence[];
  alerts: readonly Alert[];
  mayWrite: boolean;
  onEdit: ReturnType<typeof useSilencing>["open"];
}

function SilenceTable({ silences, alerts, mayWrite, onEdit }: SilenceTableProps) {
  const { zone } = useTime();
  const now = useNow();
  const toast = useToast();
  const expire = useExpireSilence();
  const save = useSaveSilence();
  const columns = useMemo((): readonly Column<Silence>[] => {
    const fail = (error: Error) => void toast({ text: error.message, tone: "bad", ms: 0 });
    const again = ({ matchers, endsAt, createdBy, comment }: Silence) =>
      save.mutate(
        { matchers, endsAt, createdBy, comment, startsAt: new Date().toISOString() },
        { onError: fail },
      );
    const all: readonly Column<Silence>[] = [
      {
        key: "state",
        head: "State",
        wideOnly: true,
        cell: ({ status }) => <StatusDot tone={tones[status.state]} label={status.state} />,
      },
      {
        key: "matchers",
        head: "Matchers",
        grow: true,
        cell: (silence) => <SilenceMatchers matchers={silence.matchers} comment={silence.comment} />,
      },
      {
        key: "covers",
        head: "Covers",
        numeric: true,
        wideOnly: true,
        cell: ({ matchers, status }) =>
          status.state === "expired"
            ? ""
            : formatCount(alerts.filter(({ labels }) => matches(matchers, labels)).length),
      },
      {
        key: "by",
        head: "By",
        wideOnly: true,
        cell: ({ createdBy }) => createdBy,
        sort: ({ createdBy }) => createdBy,
      },
      {
        key: "ends",
        head: "Ends",
        numeric: true,
        cell: ({ endsAt, status }) =>
          status.state === "expired" ? (
            <Ago at={endsAt} />
          ) : (
            <>
              {formatShort(Date.parse(endsAt), zone, now)}
              {zone === "utc" && " UTC"}
              <small className={styles.left}>in {formatLeft(Date.parse(endsAt) - now)}</small>
            </>
          ),
        sort: ({ endsAt }) => endsAt,
      },
      {
        key: "actions",
        head: "",
        cell: (silence) => (
          <span className={styles.rowActions}>
            <Button
              small
              onClick={() =>
                onEdit(
                  silence.status.state === "expired"
                    ? { matchers: silence.matchers, comment: silence.comment }
                    : {
                        id: silence.id,
                        matchers: silence.matchers,
                        comment: silence.comment,
                        startMs: Date.parse(silence.startsAt),
                        endMs: Date.parse(silence.endsAt),
                      },
                )
              }
            >
              {silence.status.state === "expired" ? "Again" : "Edit"}
            </Button>
            {silence.status.state !== "expired" && (
              <Button
                small
                variant="quiet"
                aria-label={`Expire ${matchersToLabels(silence.matchers)}`}
                onClick={() =>
                  expire.mutate(silence.id, {
                    onError: fail,
                    onSuccess: () =>
                      toast({
                        text: "The silence is over.",
                        action: { label: "Undo", run: () => again(silence) },
                      }),
                  })
                }
              >
                Expire
              </Button>
            )}
          </span>
        ),
      },
    ];
    return mayWrite ? all : all.slice(0, -1);
  }, [alerts, expire, save, toast, mayWrite, onEdit, zone, now]);
  return (
    <DataTable label="Silences" rows={silences} columns={columns} rowKey={({ id }) => id} empty="None here" />
  );
}
