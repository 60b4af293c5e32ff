import { Progress } from "../components/Progress";
import { Empty, Fault } from "../components/States";
import { useTenants } from "../data/tenants";
import { formatDate } from "../lib/clock";
import { formatCount } from "../lib/format";
import { useTime } from "../lib/time";
import styles from "./Tenants.module.css";

export function TenantsPage() {
  const tenants = useTenants();
  const { zone } = useTime();
  return (
    <div className="page">
      <Progress active={tenants.isPending} />
      <div className={styles.head}>
        <h1>Tenants</h1>
        {tenants.data && <p className="soft">{formatCount(tenants.data.length)} on this platform.</p>}
      </div>
      {tenants.isError && <Fault error={tenants.error} onRetry={() => tenants.refetch()} />}
      {tenants.data?.length === 0 && (
        <Empty title="No tenant yet">
          <p>
            Make the first with <code>seamark admin tenant create my-tenant</code>.
          </p>
        </Empty>
      )}
      {tenants.data && tenants.data.length > 0 && (
        <div className={`card ${styles.box}`}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Tenant</th>
                <th scope="col">State</th>
                <th scope="col">Clusters</th>
                <th scope="col">Created</th>
              </tr>
            </thead>
            <tbody>
              {tenants.data.map((tenant) => (
                <tr key={tenant.id}>
                  <td>
                    <strong>{tenant.name}</strong>
                    <span className="mono faint">{tenant.slug}</span>
                  </td>
                  <td>
                    <span className={styles.state} data-active={tenant.state === "active"}>
                      {tenant.state}
                    </span>
                  </td>
                  <td className="numbers">{formatCount(tenant.clusters)}</td>
                  <td className="numbers soft">{formatDate(Date.parse(tenant.created_at), zone)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
