import { lazy, Suspense } from "react";
import { Route, Routes } from "react-router";
import { Progress } from "../components/Progress";

const List = lazy(async () => ({ default: (await import("./AlertsRuleList")).AlertsRuleList }));
const Group = lazy(async () => ({ default: (await import("./AlertsRuleGroup")).AlertsRuleGroup }));
const Editor = lazy(async () => ({ default: (await import("./AlertsRuleEditor")).AlertsRuleEditor }));

/** AlertsRulesPage is the rules: their list, a group, and the form of one rule. */
export function AlertsRulesPage() {
  return (
    <Suspense fallback={<Progress active />}>
      <Routes>
        <Route index element={<List />} />
        <Route path="new" element={<Editor />} />
        <Route path=":namespace/:group" element={<Group />} />
        <Route path=":namespace/:group/:place" element={<Editor />} />
      </Routes>
    </Suspense>
  );
}
