import type { RefObject } from "react";
import type { LineActions } from "../../components/logs/actions";
import { FieldList, FieldValues } from "../../components/logs/FieldList";
import { type LogField, useFieldValues, useLogFields } from "../../data/logfields";
import type { Interval } from "../../lib/timerange";

interface FieldsPanelProps {
  query: string;
  interval: Interval;
  columns: readonly string[];
  actions: LineActions;
  filter: RefObject<HTMLInputElement | null>;
}

/** FieldsPanel lists the labels and fields of a query's lines, with facets. */
export function FieldsPanel({ query, interval, columns, actions, filter }: FieldsPanelProps) {
  const fields = useLogFields(query, interval, true);
  return (
    <FieldList
      fields={fields.data}
      fault={fields.error}
      columns={columns}
      onColumn={actions.column}
      filter={filter}
      values={(field) => <Values query={query} interval={interval} field={field} actions={actions} />}
    />
  );
}

interface ValuesProps extends Pick<FieldsPanelProps, "query" | "interval" | "actions"> {
  field: LogField;
}

function Values({ query, interval, field, actions }: ValuesProps) {
  const values = useFieldValues(query, interval, field);
  return (
    <FieldValues
      name={field.name}
      values={values.data}
      fault={values.error}
      onFilter={(op, value) => actions.filter(field.kind, field.name, op, value, field.parser)}
    />
  );
}
