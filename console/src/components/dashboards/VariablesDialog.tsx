import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import type { DashboardSpec, DashboardVariable } from "../../lib/dashboardmodel";
import { moved } from "../../lib/pipelinedraft";
import {
  faultsOf,
  maxVariables,
  newVariable,
  tidy,
  type VariableFaults,
  variableTypes,
} from "../../lib/variabledraft";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Dialog } from "../Dialog";
import { useToast } from "../Toasts";
import { VariableForm } from "./VariableForm";
import styles from "./VariablesDialog.module.css";

interface VariablesDialogProps {
  spec: DashboardSpec;
  /** What the server said of the variables when the dashboard was saved, by their places. */
  refused: readonly VariableFaults[];
  onSave: (variables: DashboardVariable[]) => void;
  onClose: () => void;
}

/** A row has an identity of its own, so that it stays chosen while its name and place change. */
interface Row {
  readonly id: number;
  readonly variable: DashboardVariable;
  /** The server's words, until it is changed. */
  readonly refused: VariableFaults;
}

/** VariablesDialog edits a dashboard's variables: their order beside the form of the one that is chosen. */
export function VariablesDialog({ spec, refused, onSave, onClose }: VariablesDialogProps) {
  const toast = useToast();
  const [rows, setRows] = useState<readonly Row[]>(() =>
    (spec.variables ?? []).map((variable, id) => ({ id, variable, refused: refused[id] ?? {} })),
  );
  const [chosen, setChosen] = useState(() =>
    Math.max(
      0,
      refused.findIndex((one) => Object.keys(one).length > 0),
    ),
  );
  // Nobody is told of an empty field before it was looked at.
  const [tried, setTried] = useState(() => refused.some((one) => Object.keys(one).length > 0));
  const variables = rows.map(({ variable }) => variable);
  const faults = rows.map((row) => ({ ...row.refused, ...faultsOf(row.variable, variables) }));
  const at = rows.findIndex(({ id }) => id === chosen);
  const current = rows[at];
  const nextId = Math.max(-1, ...rows.map(({ id }) => id)) + 1;

  const put = (variable: DashboardVariable) =>
    setRows((before) => before.map((row) => (row.id === chosen ? { ...row, variable, refused: {} } : row)));
  const add = () => {
    setRows([...rows, { id: nextId, variable: newVariable(variables), refused: {} }]);
    setChosen(nextId);
  };
  const remove = (row: Row, place: number) => {
    setRows(rows.toSpliced(place, 1));
    if (row.id === chosen) setChosen((rows[place + 1] ?? rows[place - 1])?.id ?? 0);
    toast({
      text: `Deleted the variable ${row.variable.name}`,
      action: {
        label: "Undo",
        run: () => {
          setRows((before) => before.toSpliced(place, 0, row));
          setChosen(row.id);
        },
      },
    });
  };
  const save = () => {
    const wrong = faults.findIndex((one) => Object.keys(one).length > 0);
    if (wrong < 0) return onSave(variables.map(tidy));
    setTried(true);
    setChosen(rows[wrong]?.id ?? 0);
  };

  return (
    <Dialog
      open
      onClose={onClose}
      title="Variables"
      about="What viewers choose above the dashboard. Queries and titles name a variable as $name."
      width="wide"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" onClick={save}>
            Apply
          </Button>
        </>
      }
    >
      <div className={styles.sides}>
        <div className={styles.side}>
          <ul className={styles.list} aria-label="Variables in their order">
            {rows.map((row, place) => (
              <RowItem
                key={row.id}
                row={row}
                chosen={row.id === chosen}
                bad={(tried || place !== at) && Object.keys(faults[place] ?? {}).length > 0}
                onChoose={() => setChosen(row.id)}
                onUp={place > 0 ? () => setRows(moved(rows, place, place - 1)) : undefined}
                onDown={place < rows.length - 1 ? () => setRows(moved(rows, place, place + 1)) : undefined}
                onRemove={() => remove(row, place)}
              />
            ))}
          </ul>
          <Button
            small
            reason={rows.length >= maxVariables ? `At most ${maxVariables} variables fit` : undefined}
            onClick={add}
          >
            <Plus size={14} /> Add a variable
          </Button>
        </div>
        {current ? (
          <VariableForm
            key={current.id}
            variable={current.variable}
            place={at}
            spec={{ ...spec, variables }}
            faults={faults[at] ?? {}}
            tried={tried}
            onChange={put}
          />
        ) : (
          <p className="soft">
            No variables yet. One lets viewers choose a cluster or a namespace for all panels.
          </p>
        )}
      </div>
    </Dialog>
  );
}

interface RowItemProps {
  row: Row;
  chosen: boolean;
  bad: boolean;
  onChoose: () => void;
  onUp: (() => void) | undefined;
  onDown: (() => void) | undefined;
  onRemove: () => void;
}

function RowItem({ row: { variable }, chosen, bad, onChoose, onUp, onDown, onRemove }: RowItemProps) {
  const name = variable.name || "without a name";
  const type = variableTypes.find(({ value }) => value === variable.type)?.label;
  return (
    <li data-chosen={chosen}>
      <button type="button" className={styles.name} aria-current={chosen || undefined} onClick={onChoose}>
        <code>{name}</code>
        {bad ? <Badge tone="bad">incomplete</Badge> : <small>{type}</small>}
      </button>
      <Button small icon variant="quiet" aria-label={`Move ${name} up`} disabled={!onUp} onClick={onUp}>
        <ArrowUp size={14} />
      </Button>
      <Button small icon variant="quiet" aria-label={`Move ${name} down`} disabled={!onDown} onClick={onDown}>
        <ArrowDown size={14} />
      </Button>
      <Button small icon variant="quiet" aria-label={`Delete ${name}`} onClick={onRemove}>
        <Trash2 size={14} />
      </Button>
    </li>
  );
}
