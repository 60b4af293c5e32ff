import { useState } from "react";
import { Link } from "react-router";
import { PackCard } from "../components/alerts/PackCard";
import { PackDrawer } from "../components/alerts/PackDrawer";
import { RunbookDialog } from "../components/alerts/Runbook";
import { PageHead } from "../components/PageHead";
import { Progress } from "../components/Progress";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { useToast } from "../components/Toasts";
import { useClusters } from "../data/clusters";
import { useMetricNames } from "../data/metrics";
import { type Pack, useDisablePack, usePacks, useRunbook, useSavePack } from "../data/packs";
import { useCan, useReason } from "../data/permissions";
import type { Known } from "../lib/alertpackneeds";
import { formatCount } from "../lib/format";
import { useTime } from "../lib/time";
import { textCodec } from "../lib/urlstate";
import { useUrlState } from "../lib/useurlstate";
import styles from "./AlertsPacks.module.css";

const codec = textCodec(["pack"]);

/** AlertsPacksPage lists packs of rules for Kubernetes, and switches them on. */
export function AlertsPacksPage() {
  const [{ pack: chosen }, setState] = useUrlState(codec);
  const packs = usePacks();
  const save = useSavePack();
  const disable = useDisablePack();
  const toast = useToast();
  const reason = useReason("rules:write", "changing rules");
  const known = useKnown();
  const [runbook, setRunbook] = useState<{ name: string; path: string }>();
  const text = useRunbook(runbook?.path);
  const fail = (error: Error) => void toast({ text: error.message, tone: "bad", ms: 0 });
  const enable = ({ name, title, parameters }: Pack) =>
    save.mutate(
      { name, parameters },
      { onError: fail, onSuccess: () => toast({ text: `${title} is on.`, tone: "good" }) },
    );
  const toggle = (pack: Pack, on: boolean) => {
    if (on) return enable(pack);
    disable.mutate(pack.name, {
      onError: fail,
      onSuccess: () =>
        toast({
          text: `${pack.title} is off; its alerts end.`,
          action: { label: "Undo", run: () => enable(pack) },
        }),
    });
  };
  const open = packs.data?.find(({ name }) => name === chosen);
  return (
    <div className="page">
      <Progress active={packs.isFetching || save.isPending || disable.isPending} />
      <PageHead
        title="Rule packs"
        subtitle={
          packs.data
            ? `Rules for Kubernetes with runbooks: ${formatCount(packs.data.filter(({ enabled }) => enabled).length)} of ${formatCount(packs.data.length)} packs are on.`
            : "Rules for Kubernetes with runbooks"
        }
      />
      {packs.isError ? (
        <Fault error={packs.error} onRetry={() => packs.refetch()} />
      ) : packs.isPending ? (
        <Skeleton rows={8} />
      ) : packs.data.length === 0 ? (
        <Empty title="This server brings no packs">
          <p>Rules of your own watch the same.</p>
          <Link className="button" to="/alerts/rules">
            Rules
          </Link>
        </Empty>
      ) : (
        <ul className={styles.grid}>
          {packs.data.map((pack) => (
            <li key={pack.name}>
              <PackCard
                pack={pack}
                known={known}
                reason={reason}
                onToggle={(on) => toggle(pack, on)}
                onOpen={() => setState({ pack: pack.name })}
              />
            </li>
          ))}
        </ul>
      )}
      {open && (
        <PackDrawer
          key={open.name}
          pack={open}
          known={known}
          reason={reason}
          onClose={() => setState({ pack: "" })}
          onRunbook={(name, path) => setRunbook({ name, path })}
          onSave={async (parameters) => {
            await save.mutateAsync({ name: open.name, parameters });
            toast({ text: `Saved ${open.title}.`, tone: "good" });
          }}
        />
      )}
      {runbook && (
        <RunbookDialog
          title={runbook.name}
          text={text.data}
          error={text.error}
          onClose={() => setRunbook(undefined)}
        />
      )}
    </div>
  );
}

/** useKnown is what arrives, to hold packs' needs against. */
function useKnown(): Known {
  const mayRead = useCan("data:read");
  const { interval } = useTime();
  const names = useMetricNames(interval, mayRead);
  const clusters = useClusters();
  const signals = clusters.data?.flatMap(({ arrivals }) =>
    Object.entries(arrivals ?? {}).flatMap(([signal, at]) => (at ? [signal] : [])),
  );
  return {
    metrics: names.data && new Set(names.data),
    signals: signals && new Set(signals),
  };
}
