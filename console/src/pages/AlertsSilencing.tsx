import { type ReactNode, useState } from "react";
import { SilenceButton } from "../components/alerts/SilenceButton";
import { SilenceDialog, type SilenceDraft } from "../components/alerts/SilenceDialog";
import { useToast } from "../components/Toasts";
import type { Alert } from "../data/alerts";
import { useReason } from "../data/permissions";
import { useSession } from "../data/session";
import { useExpireSilence, useSaveSilence } from "../data/silences";
import { matchersOf } from "../lib/alertsilence";
import { formatDuration } from "../lib/duration";

interface Silencing {
  /** Opens the form. */
  open(draft: SilenceDraft): void;
  /** Silences one alert at once. */
  silence(alert: Alert, seconds: number): void;
  /** The button of an alert; nothing for those who may not silence. */
  button(alert: Alert, wide?: boolean): ReactNode;
  /** The form while it is open; put it on the page. */
  readonly dialog: ReactNode;
  readonly reason: string | undefined;
}

/** useSilencing is what the pages of alerts and silences share: the button of two clicks, and the form. */
export function useSilencing(alerts: readonly Alert[]): Silencing {
  const [draft, setDraft] = useState<SilenceDraft>();
  const save = useSaveSilence();
  const expire = useExpireSilence();
  const toast = useToast();
  const reason = useReason("silences:write", "silencing alerts");
  const author = useSession().data?.login ?? "";

  const told = (id: string, text: string) =>
    toast({
      text,
      tone: "good",
      action: { label: "Undo", run: () => expire.mutate(id, { onError: fail }) },
    });
  const fail = (error: Error) => void toast({ text: error.message, tone: "bad", ms: 0 });
  const silence = (alert: Alert, seconds: number) => {
    const now = Date.now();
    save.mutate(
      {
        matchers: matchersOf(alert.labels),
        startsAt: new Date(now).toISOString(),
        endsAt: new Date(now + seconds * 1000).toISOString(),
        createdBy: author,
        comment: `Silenced from the list of alerts by ${author}`,
      },
      {
        onSuccess: ({ silenceID }) =>
          told(silenceID, `${alert.name} is silenced for ${formatDuration(seconds)}.`),
        onError: fail,
      },
    );
  };
  const button = (alert: Alert, wide = false) =>
    reason === undefined && (
      <SilenceButton
        reason={alert.state === "silenced" ? "It is silenced." : undefined}
        label={`Silence ${alert.name}`}
        wide={wide}
        onSilence={(seconds) => silence(alert, seconds)}
        onMore={() => setDraft({ matchers: matchersOf(alert.labels), comment: "" })}
      />
    );
  const dialog = draft && (
    <SilenceDialog
      key={draft.id ?? "new"}
      draft={draft}
      alerts={alerts}
      author={author}
      reason={reason}
      onClose={() => setDraft(undefined)}
      onSave={async (spec) => {
        const { silenceID } = await save.mutateAsync(spec);
        if (!spec.id) told(silenceID, "The silence is set.");
        else toast({ text: "The silence is changed.", tone: "good" });
      }}
    />
  );
  return { open: setDraft, silence, button, dialog, reason };
}
