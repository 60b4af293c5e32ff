import { Link } from "react-router";
import { Empty } from "../components/States";

export function NotFoundPage() {
  return (
    <Empty title="No such page">
      <p>The link may be old, or mistyped.</p>
      <Link to="/">Go to the start</Link>
    </Empty>
  );
}
