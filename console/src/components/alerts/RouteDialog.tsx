import type { Matcher } from "../../data/silences";
import type { Route } from "../../lib/alertconfig";
import { matcherFault, readMatcher, writeMatcher } from "../../lib/alertsilence";
import type { Labels } from "../../lib/matrix";
import { Dialog } from "../Dialog";
import { Field, Fields } from "../Field";
import { Form, useForm } from "../Form";
import { Checkbox, Select, TextInput } from "../Inputs";
import { MatcherEditor } from "./MatcherEditor";

interface RouteDialogProps {
  route: Route;
  /** The route that takes what no other does: it has no matchers. */
  isRoot: boolean;
  receivers: readonly string[];
  /** Names of the times that the configuration defines. */
  times: readonly string[];
  /** Labels of the alerts of now, to suggest from. */
  labels: readonly Labels[];
  reason: string | undefined;
  onSave: (route: Route) => Promise<unknown>;
  onClose: () => void;
}

interface Values {
  receiver: string;
  matchers: readonly Matcher[];
  groupBy: string;
  wait: string;
  interval: string;
  repeat: string;
  muted: string;
  active: string;
  goesOn: boolean;
}

const noMatcher: Matcher = { name: "", value: "", isRegex: false, isEqual: true };

const listOf = (text: string) =>
  text
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);

/** RouteDialog edits one route. What it does not know of the route stays. */
export function RouteDialog(props: RouteDialogProps) {
  const { route, isRoot, receivers, times, labels, reason, onSave, onClose } = props;
  const read = (route.matchers ?? []).map(readMatcher);
  const known = read.every((one) => one !== undefined);
  const isNew = !isRoot && Object.keys(route).length === 0;
  const form = useForm<Values>({
    initial: {
      receiver: route.receiver ?? (isRoot ? (receivers[0] ?? "") : ""),
      matchers: isNew ? [noMatcher] : read.filter((one) => one !== undefined),
      groupBy: (route.group_by ?? []).join(", "),
      wait: route.group_wait ?? "",
      interval: route.group_interval ?? "",
      repeat: route.repeat_interval ?? "",
      muted: (route.mute_time_intervals ?? []).join(", "),
      active: (route.active_time_intervals ?? []).join(", "),
      goesOn: route.continue ?? false,
    },
    validate: ({ matchers }) =>
      matchers.some(matcherFault) ? { matchers: "Every matcher needs a label." } : {},
    submit: async (values) => {
      await onSave(routeOf(route, values, known));
      onClose();
    },
  });
  const timeHint =
    times.length > 0
      ? `Defined are: ${times.join(", ")}.`
      : "Times are defined as time_intervals in the YAML.";
  return (
    <Dialog open onClose={onClose} title={isRoot ? "Everything else" : "Route"} width="wide">
      <Form form={form} label="Route" verb="Save route" onCancel={onClose} reason={reason}>
        {!isRoot && known && (
          <MatcherEditor
            label="Alerts that match all of"
            value={form.values.matchers}
            onChange={(next) => form.set("matchers", next)}
            labels={labels}
            error={form.field("matchers").error}
          />
        )}
        {!known && <p className="soft">Its matchers are in a form that only the YAML editor changes.</p>}
        <Field label="Go to" required={isRoot}>
          <Select
            {...form.input("receiver")}
            options={[
              ...(isRoot ? [] : [{ value: "", label: "the receiver of the route above" }]),
              ...receivers.map((value) => ({ value, label: value })),
            ]}
          />
        </Field>
        <Field
          label="Grouped by"
          hint="Labels, separated by commas; alerts with the same are told of together. ... is each alone."
        >
          <TextInput code {...form.input("groupBy")} placeholder="alertname, cluster, namespace" />
        </Field>
        <Fields>
          <Field label="First waits" hint="For more of the group.">
            <TextInput {...form.input("wait")} placeholder="30s" />
          </Field>
          <Field label="News after" hint="Of a group that is known.">
            <TextInput {...form.input("interval")} placeholder="5m" />
          </Field>
          <Field label="Says it again after" hint="While nothing changes.">
            <TextInput {...form.input("repeat")} placeholder="4h" />
          </Field>
        </Fields>
        {!isRoot && (
          <>
            <Fields>
              <Field label="Muted at" hint={timeHint}>
                <TextInput code {...form.input("muted")} />
              </Field>
              <Field label="Only active at">
                <TextInput code {...form.input("active")} />
              </Field>
            </Fields>
            <Checkbox
              {...without(form.input("goesOn"))}
              label="Go on to the next route"
              hint="An alert otherwise takes the first route that it matches."
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}

const without = ({ value, onChange }: { value: boolean; onChange: (value: boolean) => void }) => ({
  checked: value,
  onChange,
});

/** routeOf writes the form into the route; empty fields are left out. */
function routeOf(route: Route, values: Values, known: boolean): Route {
  const next: Record<string, unknown> = { ...route };
  const put = (key: string, value: string | boolean | readonly string[]) => {
    if (value === "" || value === false || (Array.isArray(value) && value.length === 0)) delete next[key];
    else next[key] = value;
  };
  put("receiver", values.receiver);
  if (known) put("matchers", values.matchers.map(writeMatcher));
  put("group_by", listOf(values.groupBy));
  put("group_wait", values.wait.trim());
  put("group_interval", values.interval.trim());
  put("repeat_interval", values.repeat.trim());
  put("mute_time_intervals", listOf(values.muted));
  put("active_time_intervals", listOf(values.active));
  put("continue", values.goesOn);
  return next as Route;
}
