import { lazy, Suspense } from "react";
import { Route, Routes } from "react-router";
import { Progress } from "../components/Progress";

const List = lazy(async () => ({ default: (await import("./AlertsDetectorList")).AlertsDetectorList }));
const Editor = lazy(async () => ({ default: (await import("./AlertsDetectorForm")).AlertsDetectorForm }));

/** AlertsDetectorsPage is the detectors: their list, and the form of one. */
export function AlertsDetectorsPage() {
  return (
    <Suspense fallback={<Progress active />}>
      <Routes>
        <Route index element={<List />} />
        <Route path="new" element={<Editor />} />
        <Route path=":id" element={<Editor />} />
      </Routes>
    </Suspense>
  );
}
