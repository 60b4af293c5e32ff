package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/alerting"
	"github.com/seamarkhq/seamark/alerting/backtest"
	"github.com/seamarkhq/seamark/alerting/detect"
	"github.com/seamarkhq/seamark/forward"
	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/ingest/esbulk"
	"github.com/seamarkhq/seamark/ingest/patterns"
	"github.com/seamarkhq/seamark/ingest/pushgateway"
	"github.com/seamarkhq/seamark/ingest/quota"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logexport"
	"github.com/seamarkhq/seamark/querier/sql"
)

// Role is a part of Seamark that can run in a process of its own.
type Role string

// The roles.
const (
	RoleIngest    Role = "ingest"
	RoleWriter    Role = "writer"
	RoleQuerier   Role = "querier"
	RoleAlerting  Role = "alerting"
	RoleForwarder Role = "forwarder"
	RoleAPI       Role = "api"
)

// AllRoles lists every role, which `seamark serve` runs.
func AllRoles() []Role {
	return []Role{RoleIngest, RoleWriter, RoleQuerier, RoleAlerting, RoleForwarder, RoleAPI}
}

// Options configures a process. Field names in errors are the flags' names.
type Options struct {
	Roles   []Role
	DataDir string
	NodeID  string // "" takes the one kept in DataDir, or makes it

	HTTP       HTTPOptions
	Admin      AdminOptions
	NATS       NATSOptions
	Keys       KeysOptions
	ClickHouse ClickHouseOptions
	Bus        BusOptions
	Ingest     IngestOptions
	Writer     WriterOptions
	Query      QueryOptions
	Export     logexport.Limits
	SQL        sql.Limits
	Alerting   AlertingOptions
	Forwarders ForwardersOptions
	Session    SessionOptions
	OIDC       OIDCOptions
	Disk       DiskOptions
	Tenants    TenantsOptions
	Directory  DirectoryOptions
	// Quota is what a tenant may send where nothing else was set for it.
	Quota quota.Limits
	// Patterns is how the templates of log lines are mined.
	Patterns PatternOptions
	Metering MeteringOptions
	OTLP     OTLPOptions
	Syslog   StreamOptions
	Forward  StreamOptions

	// StartTimeout bounds how long a start waits for NATS, and for it to make streams and buckets. Without it a process that is told
	// the wrong servers looks as if it were starting, for ever.
	StartTimeout time.Duration
	// DrainTimeout bounds the orderly stop. Past it what is left is cut; nothing acknowledged is lost by that.
	DrainTimeout time.Duration
	Logger       *slog.Logger
	Now          func() time.Time
	Version      string
	// Reader, when set, has the roles that read run in a process of their own beside this one.
	Reader *ReaderOptions
	// Link is set in that process.
	Link *Link
	// Sandbox, when set, has the process live where it is stopped between requests.
	Sandbox *SandboxOptions
	// Headroom is how much is allocated between two collections of garbage where little is live; 0 is Go's own rule.
	Headroom int64
	// Failpoint is called at each step of the writer's protocol; crash tests set it.
	Failpoint func(name string)
}

// HTTPOptions configures the front that tenants talk to.
type HTTPOptions struct {
	Listen      string
	TLSCertFile string
	TLSKeyFile  string
	// TLSClientCAFile holds the authorities whose client certificates are checked. A certificate is no credential.
	TLSClientCAFile string
	AllowPlaintext  bool
	TrustedProxies  []string // CIDR
	// ExternalURL is the front as browsers reach it; "" is not known.
	ExternalURL string
	// MaxConns bounds the open connections of each listener, MaxConnsPerIP those of one address that is not a trusted proxy.
	MaxConns, MaxConnsPerIP int
}

// OTLPOptions opens OTLP's own ports; the main port takes OTLP too. "" opens none.
type OTLPOptions struct{ GRPCListen, HTTPListen string }

// DiskOptions configures how much of the data folder's disk is kept free.
type DiskOptions struct {
	MinFreePercent  int
	MaxReserveBytes int64
	BallastBytes    int64
}

// AdminOptions configures the listener for health, readiness and metrics.
type AdminOptions struct{ Listen string }

// NATSOptions says which NATS to use: the embedded one, or a cluster's.
type NATSOptions struct {
	URL       string // "" embeds
	CredsFile string
	Replicas  int
}

// ClickHouseOptions says which ClickHouse to use: the embedded one, or a server's.
type ClickHouseOptions struct {
	// DSNs has a clickhouse://user:password@host:9000,host:9000 for each shard, in an order that never changes: tenants' records name
	// shards by their place. None embeds.
	DSNs []string
	// HTTPAddrs are the HTTP addresses of the same servers: a list with commas for each shard, and where there is one shard, any number.
	HTTPAddrs      []string
	TenantSecret   string
	TenantUsers    string // sql | provisioned, of an outside server
	Library        string // of the embedded engine
	EmbeddedUsers  int
	MaxMemoryBytes int64
	// Ceilings are what no statement of a tenant exceeds, whatever its plan says.
	Ceilings seamark.Ceilings
	// Workloads has statements share the server's threads by who waits for them.
	Workloads bool
	told      int // how many shards there are, where no DSN says so
}

// BusOptions configures the queue between ingest and writer.
type BusOptions struct {
	Shards          int
	MaxStreamBytes  int64
	DuplicateWindow time.Duration
}

// IngestOptions configures the limits of one request and of all together.
type IngestOptions struct {
	Limits              seamark.Limits
	MaxInflightBytes    int64
	MaxSeriesPerCluster int
	// PushLimits and PushTTL are for groups of the Pushgateway's protocol.
	PushLimits pushgateway.Limits
	PushTTL    time.Duration
	// HECQueryToken lets Splunk's senders put the token into the URL.
	HECQueryToken        bool
	ElasticsearchVersion string
	// MaxReplicaClusters bounds a tenant's pairs of Prometheus servers whose samples are deduplicated.
	MaxReplicaClusters int
	// ReplicaTimeout is how long the elected one of several Prometheus replicas may be silent before another takes over.
	ReplicaTimeout time.Duration
}

// WriterOptions configures batches.
type WriterOptions struct {
	MaxInsertRows    uint64
	MaxBatchBytes    int
	MaxBatchAge      time.Duration
	InsertsPerSecond float64
	MaxCountsAge     time.Duration
	LogFilterRows    int // least rows of an insert of log lines that filters are made for; 0: none
}

// AlertingOptions configures rules and notifications.
type AlertingOptions struct {
	EvaluationInterval time.Duration
	// EvaluationDelay is how far behind the clock groups are evaluated that set no query_offset, so that samples which are under
	// way are in.
	EvaluationDelay time.Duration
	// LateDataHold is how long a group waits at most for what was acknowledged and is not stored yet; 0 is not at all.
	LateDataHold time.Duration
	// What a tenant's rules may take; alerting.Limits says what breaks without each.
	GroupsPerTenant, RulesPerGroup, MaxGroupBytes int
	MinInterval, MaxQueryOffset                   time.Duration
	Backtest                                      backtest.Limits
	Detectors                                     detect.Limits
	// AllowedReceivers are private networks that webhooks may reach. Empty lets them reach public addresses only, so that
	// a tenant's receiver cannot talk to what stands beside the server.
	AllowedReceivers []string
	ExternalURL      string
	// What of a tenant's deliveries is kept, and how often it may try its receivers; alerting.Limits says what breaks without each.
	DeliveriesKept, TestsPerMinute int
}

func defaultAlertingOptions() AlertingOptions {
	l := alerting.DefaultLimits()
	return AlertingOptions{
		EvaluationInterval: time.Minute, LateDataHold: 30 * time.Second, GroupsPerTenant: l.GroupsPerTenant, RulesPerGroup: l.RulesPerGroup, MaxGroupBytes: l.GroupBytes, DeliveriesKept: l.DeliveriesKept, TestsPerMinute: l.TestsPerMinute,
		MinInterval: l.MinInterval, MaxQueryOffset: l.MaxQueryOffset, Backtest: backtest.DefaultLimits(), Detectors: detect.DefaultLimits(),
	}
}

// MeteringOptions says how often usage is counted up.
type MeteringOptions struct {
	// Flush is how often what queries read is stored: what a crash may lose of it.
	Flush time.Duration
	// Sample is how often what tenants hold is measured, and the meter compared with the store.
	Sample time.Duration
	// Budgets is how often budgets are looked at.
	Budgets time.Duration
}

// DefaultOptions returns the options of `seamark serve`.
func DefaultOptions() Options {
	in, wr, b := ingest.DefaultOptions(), ingest.DefaultWriterOptions(), bus.DefaultOptions()
	return Options{
		Roles: AllRoles(), DataDir: "data",
		HTTP:  HTTPOptions{Listen: "127.0.0.1:4480", MaxConns: 16_384, MaxConnsPerIP: 2048},
		Admin: AdminOptions{Listen: "127.0.0.1:4481"},
		NATS:  NATSOptions{Replicas: 1},
		ClickHouse: ClickHouseOptions{
			TenantUsers: "sql", EmbeddedUsers: 1000, MaxMemoryBytes: 2 << 30, Ceilings: seamark.DefaultCeilings(runtime.NumCPU()), Workloads: true,
		},
		Bus: BusOptions{Shards: b.Shards, MaxStreamBytes: 1 << 30, DuplicateWindow: b.DuplicateWindow},
		Ingest: IngestOptions{
			Limits: in.Limits, MaxInflightBytes: in.MaxInflightBytes, MaxSeriesPerCluster: in.MaxSeriesPerCluster, PushLimits: in.PushLimits,
			ElasticsearchVersion: esbulk.DefaultVersion, ReplicaTimeout: 30 * time.Second, MaxReplicaClusters: 100,
		},
		Writer:       WriterOptions{MaxInsertRows: wr.MaxInsertRows, MaxBatchBytes: wr.MaxBatchBytes, MaxBatchAge: wr.MaxBatchAge, InsertsPerSecond: wr.InsertsPerSecond, MaxCountsAge: wr.MaxCountsAge, LogFilterRows: store.DefaultFilterRows},
		Query:        defaultQueryOptions(),
		Export:       logexport.DefaultLimits(),
		SQL:          sql.DefaultLimits(),
		Alerting:     defaultAlertingOptions(),
		Forwarders:   ForwardersOptions{Limits: forward.DefaultLimits()},
		Session:      DefaultSessionOptions(),
		Quota:        quota.DefaultLimits(),
		Patterns:     PatternOptions{Enabled: true, Limits: patterns.DefaultLimits()},
		Metering:     MeteringOptions{Flush: 30 * time.Second, Sample: time.Hour, Budgets: 5 * time.Minute},
		Tenants:      DefaultTenantsOptions(),
		Directory:    DirectoryOptions{MaxAdminAge: 30 * time.Second, MaxIngestAge: 5 * time.Minute},
		Disk:         DiskOptions{MinFreePercent: 15, MaxReserveBytes: 8 << 30, BallastBytes: 64 << 20},
		StartTimeout: 2 * time.Minute, DrainTimeout: 25 * time.Second, Logger: slog.Default(), Now: time.Now, Version: "dev",
	}
}

func (o *Options) has(r Role) bool { return slices.Contains(o.Roles, r) }

// Validate refuses options that could not work, naming the flag.
func (o *Options) Validate() error {
	checks := []flagCheck{
		{"data-dir", required(o.DataDir)},
		{"http.listen", o.HTTP.checkListen()},
		{"http.tls-cert-file", together(o.HTTP.TLSCertFile, o.HTTP.TLSKeyFile, "http.tls-key-file")},
		{"http.trusted-proxies", checkPrefixes(o.HTTP.TrustedProxies)},
		{"http.external-url", o.HTTP.checkExternal(&o.OIDC)},
		{"session.token-lifetime", o.Session.check()},
		{"oidc.allowed-networks", checkPrefixes(o.OIDC.AllowedNetworks)},
		{"http.max-connections", within(o.HTTP.MaxConns, 1, 1<<20)},
		{"http.max-connections-per-ip", within(o.HTTP.MaxConnsPerIP, 1, 1<<20)},
		{"http.tls-client-ca-file", needs(o.HTTP.TLSClientCAFile, o.HTTP.TLSCertFile, "http.tls-cert-file")},
		{"syslog.listen", o.Syslog.checkListen(o.HTTP.TLSCertFile)},
		{"forward.listen", o.Forward.checkListen(o.HTTP.TLSCertFile)},
		{"otlp.grpc-listen", o.HTTP.checkPort(o.OTLP.GRPCListen)},
		{"otlp.http-listen", o.HTTP.checkPort(o.OTLP.HTTPListen)},
		{"metering.flush-interval", positive(int64(o.Metering.Flush))},
		{"metering.sample-interval", positive(int64(o.Metering.Sample))},
		{"metering.budget-interval", positive(int64(o.Metering.Budgets))},
		{"disk.min-free-percent", within(o.Disk.MinFreePercent, 0, 90)},
		{"admin.listen", checkAddress(o.Admin.Listen)},
		{"nats.url", o.checkNATS()},
		{"nats.replicas", within(o.NATS.Replicas, 1, 5)},
		{"start-timeout", positive(int64(o.StartTimeout))},
		{"clickhouse.dsn", o.checkClickHouse()},
		{"clickhouse.tenant-users", oneOf(o.ClickHouse.TenantUsers, "sql", "provisioned")},
	}
	checks = append(append(append(append(checks, o.checkLimits()...), o.Query.checks()...), o.Tenants.checks()...), o.Directory.checks()...)
	var faults []error
	for _, c := range checks {
		if c.err != nil {
			faults = append(faults, fmt.Errorf("--%s %w", c.flag, c.err))
		}
	}
	if len(o.Roles) == 0 || o.Logger == nil || o.Now == nil {
		faults = append(faults, errors.New("app: Roles, Logger and Now are required"))
	}
	return errors.Join(faults...)
}

// checkLimits checks what bounds the queue, pushes, queries, exports and forwarders.
func (o *Options) checkLimits() []flagCheck {
	return []flagCheck{
		{"bus.shards", within(o.Bus.Shards, 1, 64)},
		{"ingest.max-body-bytes", positive(o.Ingest.Limits.MaxBodyBytes)},
		{"ingest.max-inflated-bytes", positive(o.Ingest.Limits.MaxInflatedBytes)},
		{"ingest.max-inflight-bytes", o.Ingest.checkInflight()},
		{"ingest.real-time", o.Reader.checkRealTime()},
		{"ingest.replica-timeout", positive(int64(o.Ingest.ReplicaTimeout))},
		{"patterns.min-variants", within(o.Patterns.MinVariants, 2, 64)},
		{"patterns.max-per-group", within(o.Patterns.MaxPatterns, 1, 10_000)},
		{"patterns.max-groups", within(o.Patterns.MaxGroups, 1, 1_000_000)},
		{"patterns.max-bytes", positive(o.Patterns.MaxBytes)},
		{"writer.max-insert-rows", positive(int64(o.Writer.MaxInsertRows))},
		{"writer.max-batch-bytes", positive(int64(o.Writer.MaxBatchBytes))},
		{"writer.max-batch-age", positive(int64(o.Writer.MaxBatchAge))},
		{"writer.log-filter-rows", within(o.Writer.LogFilterRows, 0, 1<<20)},
		{"writer.inserts-per-second", checkInserts(o.Writer.InsertsPerSecond)},
		{"writer.max-counts-age", within(int(o.Writer.MaxCountsAge/time.Second), 0, 600)},
		{"sql.timeout", positive(int64(o.SQL.Timeout))},
		{"sql.max-rows", positive(int64(o.SQL.MaxRows))},
		{"sql.max-result-bytes", positive(int64(o.SQL.MaxBytes))},
		{"sql.max-query-bytes", within(o.SQL.Statement.MaxBytes, 1, 1<<20)},
		{"export.max-rows", positive(o.Export.MaxRows)},
		{"export.max-bytes", positive(o.Export.MaxBytes)},
		{"export.timeout", positive(int64(o.Export.Timeout))},
		{"export.stall-timeout", positive(int64(o.Export.StallTimeout))},
		{"export.max-concurrent", within(o.Export.MaxConcurrent, 1, 1000)},
		{"export.max-tenant-concurrent", within(o.Export.MaxTenantConcurrent, 1, 1000)},
		{"alerting.allowed-receivers", checkPrefixes(o.Alerting.AllowedReceivers)},
		{"alerting.evaluation-interval", positive(int64(o.Alerting.EvaluationInterval))},
		{"alerting.detectors-per-tenant", within(o.Alerting.Detectors.PerTenant, 1, 10_000)},
		{"alerting.detector-series", within(o.Alerting.Detectors.SeriesPerDetector, 1, 100_000)},
		{"alerting.detector-workers", within(o.Alerting.Detectors.Workers, 1, 100)},
		{"alerting.detector-min-interval", within(int(o.Alerting.Detectors.MinInterval/time.Second), 1, 3600)},
		{"alerting.detector-timeout", positive(int64(o.Alerting.Detectors.Timeout))},
		{"alerting.detector-refresh", within(int(o.Alerting.Detectors.Refresh/time.Minute), 1, 7*24*60)},
		{"alerting.detector-max-preview", within(int(o.Alerting.Detectors.MaxPreview/time.Minute), 1, 31*24*60)},
		{"query.suspect-timeout", positive(int64(o.Query.Suspects.Timeout))},
		{"query.max-suspect-parallel", within(o.Query.Suspects.Parallel, 1, 100)},
		{"query.max-suspect-window", within(int(o.Query.Suspects.MaxWindow/time.Minute), 1, 7*24*60)},
		{"query.max-suspect-rows", within(o.Query.Suspects.MaxRows, 1, 1000)},
		{"alerting.evaluation-delay", within(int(o.Alerting.EvaluationDelay/time.Second), 0, 3600)},
		{"alerting.late-data-hold", within(int(o.Alerting.LateDataHold/time.Second), 0, 3600)},
		{"alerting.groups-per-tenant", within(o.Alerting.GroupsPerTenant, 1, 100_000)},
		{"alerting.rules-per-group", within(o.Alerting.RulesPerGroup, 1, 10_000)},
		{"alerting.max-group-bytes", within(o.Alerting.MaxGroupBytes, 1024, 900<<10)},
		{"alerting.min-interval", positive(int64(o.Alerting.MinInterval))},
		{"alerting.backtest-max-steps", within(o.Alerting.Backtest.Steps, 1, 11_000)},
		{"alerting.backtest-max-evaluations", positive(int64(o.Alerting.Backtest.Evaluations))},
		{"forwarders.allowed-targets", checkPrefixes(o.Forwarders.AllowedTargets)},
		{"forwarders.max-per-tenant", within(o.Forwarders.Limits.MaxPerTenant, 1, 1000)},
		{"forwarders.max-batch-bytes", within(o.Forwarders.Limits.MaxBatchBytes, 64<<10, 256<<20)},
		{"forwarders.max-batch-age", within(int(o.Forwarders.Limits.MaxBatchAge/time.Second), 1, 3600)},
		{"forwarders.max-attempts", within(o.Forwarders.Limits.MaxAttempts, 1, 1000)},
	}
}

func required(s string) error {
	if s == "" {
		return errors.New("must be set")
	}
	return nil
}

func positive(n int64) error {
	if n <= 0 {
		return fmt.Errorf("is %d; it must be positive", n)
	}
	return nil
}

// checkInserts refuses a budget so small that rows would wait for minutes, and one that no server can take.
func checkInserts(perSecond float64) error {
	if !(perSecond >= 1 && perSecond <= 10_000) { // not a number is neither
		return fmt.Errorf("is %g; it must be 1 to 10000", perSecond)
	}
	return nil
}

func within(n, lo, hi int) error {
	if n < lo || n > hi {
		return fmt.Errorf("is %d; it must be %d to %d", n, lo, hi)
	}
	return nil
}

func oneOf(s string, allowed ...string) error {
	if !slices.Contains(allowed, s) {
		return fmt.Errorf("is %q; it must be %s", s, strings.Join(allowed, " or "))
	}
	return nil
}

func together(a, b, other string) error {
	if (a == "") != (b == "") {
		return fmt.Errorf("and --%s must be set together", other)
	}
	return nil
}

func needs(a, b, other string) error {
	if a != "" && b == "" {
		return fmt.Errorf("needs --%s", other)
	}
	return nil
}

func checkAddress(addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fmt.Errorf("is %q; it must be host:port", addr)
	}
	return nil
}

func checkPrefixes(list []string) error {
	for _, s := range list {
		if _, err := netip.ParsePrefix(s); err != nil {
			return fmt.Errorf("has %q, which is not a network such as 10.0.0.0/8", s)
		}
	}
	return nil
}

// checkListen keeps tokens off plaintext connections: without TLS the front listens on loopback, unless told that
// something in front of it ends TLS.
func (h *HTTPOptions) checkListen() error { return h.checkAddress(h.Listen) }

// checkPort is the same for a port that may be closed.
func (h *HTTPOptions) checkPort(addr string) error {
	if addr == "" {
		return nil
	}
	return h.checkAddress(addr)
}

func (h *HTTPOptions) checkAddress(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("is %q; it must be host:port", addr)
	}
	if h.TLSCertFile != "" || h.AllowPlaintext {
		return nil
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("is %q: tokens would cross the network unencrypted. Set --http.tls-cert-file and --http.tls-key-file, "+
		"or --http.allow-plaintext when a proxy in front ends TLS", addr)
}

func (o *Options) checkNATS() error {
	if o.NATS.URL == "" {
		if len(o.Roles) != len(AllRoles()) && o.Link == nil {
			return errors.New("must be set when a role runs alone: the embedded server serves one process")
		}
		return nil
	}
	for _, one := range strings.Split(o.NATS.URL, ",") {
		if u, err := url.Parse(one); err != nil || u.Host == "" {
			return fmt.Errorf("has %q, which is not a URL such as nats://host:4222", one)
		}
	}
	return nil
}

func (o *Options) checkClickHouse() error {
	c := &o.ClickHouse
	if err := c.Ceilings.Validate(); err != nil {
		return err
	}
	if !c.outside() {
		if len(o.Roles) != len(AllRoles()) && o.Link == nil && o.Sandbox == nil { // whose ingest knows NATS alone
			return errors.New("must be set when a role runs alone: the embedded engine serves one process")
		}
		return nil
	}
	if len(c.HTTPAddrs) == 0 {
		return errors.New("needs --clickhouse.http-addrs, the same servers' HTTP ports: inserts go there")
	}
	if _, err := c.shards(); err != nil {
		return err
	}
	if c.TenantSecret == "" {
		return errors.New("needs --clickhouse.tenant-secret, which the passwords of tenants' users are made from")
	}
	return nil
}

func (i *IngestOptions) checkInflight() error {
	if need := i.Limits.MaxBodyBytes + i.Limits.MaxInflatedBytes; i.MaxInflightBytes < need {
		return fmt.Errorf("is %d; one request of the largest size needs %d", i.MaxInflightBytes, need)
	}
	return nil
}
