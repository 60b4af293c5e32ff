import { lazy, Suspense } from "react";
import { Navigate, Route, Routes, useLocation } from "react-router";
import { Progress } from "./components/Progress";
import { Fault, Forbidden } from "./components/States";
import { Shell } from "./components/shell/Shell";
import { type Session, useSession } from "./data/session";
import { pageOfGraphLink } from "./lib/graphlink";
import { invitationPath } from "./lib/invitationlink";
import { mayOpen, type NavPage, navPages } from "./nav";
import { ResetPasswordPage } from "./pages/ResetPassword.page";
import { SignInPage } from "./pages/SignIn.page";

const Invitation = lazy(async () => ({
  default: (await import("./pages/AccessInvitation.page")).AccessInvitationPage,
}));
const NotFound = lazy(async () => ({ default: (await import("./pages/NotFound.page")).NotFoundPage }));

/** App decides who sees what: nobody signs in where they are, so the link that brought them there still holds after. */
export function App() {
  const { pathname } = useLocation();
  const session = useSession();
  if (pathname === "/reset-password") return <ResetPasswordPage />;
  if (pathname === invitationPath) {
    return (
      <Suspense fallback={<Progress active />}>
        <Invitation />
      </Suspense>
    );
  }
  if (session.isPending) return <Progress active />;
  if (session.data) {
    return (
      <Shell session={session.data}>
        <Pages session={session.data} />
      </Shell>
    );
  }
  if (session.isError) return <Fault error={session.error} onRetry={() => session.refetch()} />;
  return <SignInPage />;
}

/** Pages routes as the registry says. */
function Pages({ session }: { session: Session }) {
  const isOperatorOnly = session.operator && !session.tenant;
  return (
    <Routes>
      {isOperatorOnly && <Route path="/" element={<Navigate to="/tenants" replace />} />}
      {navPages.flatMap((row) =>
        [row.path, ...(row.also ?? [])]
          .filter((path) => path !== "/" || !isOperatorOnly)
          .map((path) => <Route key={path} path={path} element={<Guarded row={row} session={session} />} />),
      )}
      <Route path="/graph" element={<GraphLink />} />
      <Route path="*" element={<NotFound />} />
    </Routes>
  );
}

/** Guarded shows a page to those who may open it, and to others why they may not. */
function Guarded({ row, session }: { row: NavPage; session: Session }) {
  if (mayOpen(row, session)) return <row.Page />;
  if ((row.audience ?? "tenant") === "tenant" && !session.tenant) return <NoTenant />;
  if (row.audience === "operator") return <Forbidden>Only operators of the platform see this.</Forbidden>;
  return (
    <Forbidden>
      Your role {session.role} does not include {row.permission}, without which this page has nothing to show.
      Ask an owner or admin of the tenant.
    </Forbidden>
  );
}

/** GraphLink leads links of alerts to the page that shows them. */
function GraphLink() {
  return <Navigate to={pageOfGraphLink(useLocation().search)} replace />;
}

function NoTenant() {
  return (
    <Forbidden>
      This session belongs to no tenant, so there is no data to show. Sign in to a tenant of which you are a
      member.
    </Forbidden>
  );
}
