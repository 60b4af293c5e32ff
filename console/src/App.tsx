import { type ComponentType, Suspense } from "react";
import { Route, Routes, useLocation } from "react-router";
import styles from "./App.module.css";
import { Boundary } from "./components/Boundary";
import { Header } from "./components/Header";
import { Progress } from "./components/Progress";
import { Fault, Forbidden } from "./components/States";
import { type Session, useKeepAlive, useSession } from "./data/session";
import { TimeProvider } from "./lib/time";
import { pages } from "./pages";
import { ResetPasswordPage } from "./pages/ResetPassword.page";
import { SignInPage } from "./pages/SignIn.page";

/** App decides who sees what: nobody signs in where they are, so the link that brought them there still holds after. */
export function App() {
  const { pathname } = useLocation();
  const session = useSession();
  if (pathname === "/reset-password") return <ResetPasswordPage />;
  if (session.isPending) return <Progress active />;
  if (session.data) return <Shell session={session.data} />;
  if (session.isError) return <Fault error={session.error} onRetry={() => session.refetch()} />;
  return <SignInPage />;
}

function Shell({ session }: { session: Session }) {
  useKeepAlive(session);
  return (
    <TimeProvider>
      <div className={styles.shell}>
        <Header session={session} />
        <main className={styles.main}>
          <Boundary>
            <Suspense fallback={<Progress active />}>
              <Pages session={session} />
            </Suspense>
          </Boundary>
        </main>
      </div>
    </TimeProvider>
  );
}

function Pages({ session }: { session: Session }) {
  const ofTenant = (Page: ComponentType) => (session.tenant ? <Page /> : <NoTenant />);
  const home = session.tenant || !session.operator ? ofTenant(pages.clusters) : <pages.tenants />;
  return (
    <Routes>
      <Route path="/" element={home} />
      <Route path="/logs" element={ofTenant(pages.logs)} />
      <Route path="/metrics" element={ofTenant(pages.metrics)} />
      <Route path="/events" element={ofTenant(pages.events)} />
      <Route path="/tenants" element={session.operator ? <pages.tenants /> : <Forbidden />} />
      <Route path="/account" element={<pages.account />} />
      <Route path="*" element={<pages.notFound />} />
    </Routes>
  );
}

function NoTenant() {
  return (
    <Forbidden>
      This session belongs to no tenant, so there is no data to show. Sign in to a tenant of which you are a
      member.
    </Forbidden>
  );
}
