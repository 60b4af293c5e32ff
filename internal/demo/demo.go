// Package demo makes a server presentable: a demo tenant with a person, a cluster and tokens, a demo cluster that feeds it
// through the real HTTP front, and demo.env for scripts. cmd imports it.
package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/democluster"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// Options configures the demo.
type Options struct {
	Directory *tenant.Directory
	URL       string // of the running front
	DataDir   string
	// IncidentEvery is how often the demo cluster has an incident.
	IncidentEvery time.Duration
	Out           io.Writer
	Logger        *slog.Logger
}

// names of what the demo makes.
const (
	tenantSlug  = "demo"
	clusterName = "demo"
	login       = "demo@seamark.local"
	envFile     = "demo.env"
)

// access is what demo.env tells.
type access struct {
	password, ingest, query, admin string
}

// Start makes what is missing, starts the demo cluster, waits until its first data is acknowledged, and writes demo.env.
// The cluster runs until ctx ends.
func Start(ctx context.Context, o Options) error {
	t, err := ensureTenant(ctx, o.Directory)
	if err != nil {
		return err
	}
	a, err := ensureAccess(ctx, &o, t)
	if err != nil {
		return err
	}
	backfill := time.Hour
	if len(o.Directory.ListArrivals(ctx, t.ID)) > 0 {
		backfill = 0 // an earlier start has told the history
	}
	cluster, err := democluster.New(democluster.Options{
		URL: o.URL, Token: a.ingest, Cluster: clusterName, IncidentEvery: o.IncidentEvery, Backfill: backfill, Logger: o.Logger,
	})
	if err != nil {
		return err
	}
	if err := cluster.Prime(ctx); err != nil {
		return fmt.Errorf("push the demo cluster's first data: %w", err)
	}
	go func() {
		if err := cluster.Run(ctx); err != nil && ctx.Err() == nil {
			o.Logger.Error("demo cluster stopped", "err", err)
		}
	}()
	if err := writeEnv(&o, a); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, `
Seamark is running with a demo cluster.
  Console:       %s
  Login:         %s
  Password:      %s
  Ingest token:  %s
  Query token:   %s
All of it stands in %s. Stop with Ctrl-C.
`, o.URL, login, a.password, a.ingest, a.query, filepath.Join(o.DataDir, envFile))
	return err
}

func ensureTenant(ctx context.Context, d *tenant.Directory) (tenant.Tenant, error) {
	t, err := d.FindTenantBySlug(ctx, tenantSlug)
	if seamark.KindOf(err) == seamark.NotFound {
		t, err = d.CreateTenant(ctx, tenant.TenantSpec{Slug: tenantSlug, Name: "Demo"})
	}
	if err != nil {
		return t, err
	}
	return t, d.SetTenantQuota(ctx, t.ID, demoQuota())
}

// demoQuota leaves room for the demo cluster's history, which comes at once.
func demoQuota() tenant.Quota {
	return tenant.Quota{BytesPerSecond: 64 << 20, BytesBurst: 1 << 30, RowsPerSecond: 200_000, RowsBurst: 5_000_000}
}

// ensureAccess reuses the credentials of an earlier start while they still work, and makes new ones otherwise.
func ensureAccess(ctx context.Context, o *Options, t tenant.Tenant) (access, error) {
	if a, ok := readEnv(filepath.Join(o.DataDir, envFile)); ok && works(ctx, o.Directory, a) {
		return a, nil
	}
	a := access{password: rand.Text()}
	if err := ensureUser(ctx, o.Directory, t.ID, a.password); err != nil {
		return a, err
	}
	cluster, err := ensureCluster(ctx, o.Directory, t.ID)
	if err != nil {
		return a, err
	}
	if err := revokeAll(ctx, o.Directory, t.ID); err != nil {
		return a, err
	}
	for _, one := range []struct {
		kind    seamark.CredentialKind
		cluster seamark.ClusterID
		secret  *string
	}{{seamark.IngestToken, cluster.ID, &a.ingest}, {seamark.QueryToken, "", &a.query}, {seamark.AdminToken, "", &a.admin}} {
		spec := tenant.TokenSpec{Kind: one.kind, Name: "demo " + one.kind.String(), Cluster: one.cluster}
		if _, *one.secret, err = o.Directory.CreateToken(ctx, t.ID, spec); err != nil {
			return a, fmt.Errorf("create the demo's %s token: %w", one.kind, err)
		}
	}
	return a, nil
}

func works(ctx context.Context, d *tenant.Directory, a access) bool {
	for _, token := range []string{a.ingest, a.query, a.admin} {
		if _, err := d.Authenticate(ctx, token); err != nil {
			return false
		}
	}
	_, err := d.SignIn(ctx, tenant.Credentials{Login: login, Password: a.password, ClientIP: "127.0.0.1"})
	return err == nil
}

func ensureUser(ctx context.Context, d *tenant.Directory, id seamark.TenantID, password string) error {
	_, err := d.FindUser(ctx, login)
	if seamark.KindOf(err) == seamark.NotFound {
		_, err = d.CreateUser(ctx, tenant.UserSpec{
			Login: login, Password: password, Memberships: map[seamark.TenantID]seamark.Role{id: seamark.RoleOwner},
		})
		return err
	}
	if err != nil {
		return err
	}
	return d.SetPassword(ctx, login, password)
}

func ensureCluster(ctx context.Context, d *tenant.Directory, id seamark.TenantID) (tenant.Cluster, error) {
	for _, c := range d.ListClusters(ctx, id) {
		if c.Name == clusterName {
			return c, nil
		}
	}
	return d.CreateCluster(ctx, id, tenant.ClusterSpec{Name: clusterName})
}

// revokeAll ends the demo's earlier tokens, whose secrets are lost with their demo.env.
func revokeAll(ctx context.Context, d *tenant.Directory, id seamark.TenantID) error {
	for _, t := range d.ListTokens(ctx, id) {
		if t.Revoked.IsZero() && strings.HasPrefix(t.Name, "demo ") {
			if err := d.RevokeToken(ctx, id, t.KeyID); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeEnv writes demo.env whole or not at all, readable by its owner alone.
func writeEnv(o *Options, a access) error {
	var b strings.Builder
	for _, kv := range [][2]string{
		{"SEAMARK_URL", o.URL}, {"SEAMARK_CONSOLE_URL", o.URL + "/"}, {"SEAMARK_LOGIN", login}, {"SEAMARK_PASSWORD", a.password},
		{"SEAMARK_TENANT", tenantSlug}, {"SEAMARK_INGEST_TOKEN", a.ingest}, {"SEAMARK_QUERY_TOKEN", a.query}, {"SEAMARK_ADMIN_TOKEN", a.admin},
	} {
		b.WriteString(kv[0] + "=" + kv[1] + "\n")
	}
	path := filepath.Join(o.DataDir, envFile)
	if err := os.WriteFile(path+".new", []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", envFile, err)
	}
	return os.Rename(path+".new", path)
}

func readEnv(path string) (access, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return access{}, false
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			values[key] = value
		}
	}
	a := access{
		password: values["SEAMARK_PASSWORD"], ingest: values["SEAMARK_INGEST_TOKEN"], query: values["SEAMARK_QUERY_TOKEN"], admin: values["SEAMARK_ADMIN_TOKEN"],
	}
	return a, a.password != "" && a.ingest != "" && a.query != "" && a.admin != ""
}
