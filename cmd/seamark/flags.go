package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/seamarkhq/seamark/alerting/detect"
	"github.com/seamarkhq/seamark/forward"
	"github.com/seamarkhq/seamark/ingest/quota"
	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/backup"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logexport"
	"github.com/seamarkhq/seamark/querier/suspects"
)

// serverFlags are the settings of every role. docs/flags.md is generated from them.
type serverFlags struct {
	DataDir string `name:"data-dir" default:"${data_dir}" help:"Folder for streams, tables and keys."`
	NodeID  string `name:"node-id" help:"Name of this node among its peers; kept in the data folder when not set."`

	HTTPListen              string   `name:"http.listen" default:"${http_listen}" help:"Address that agents, people and Grafana talk to."`
	HTTPTLSCertFile         string   `name:"http.tls-cert-file" help:"PEM certificate chain of the front; read again when it changes." type:"path"`
	HTTPTLSKeyFile          string   `name:"http.tls-key-file" help:"PEM key of the front." type:"path"`
	HTTPTLSClientCAFile     string   `name:"http.tls-client-ca-file" help:"PEM authorities that senders' certificates are checked against, where they show one. A certificate is no credential: tokens stay needed." type:"path"`
	HTTPAllowPlaintext      bool     `name:"http.allow-plaintext" help:"Listen without TLS off loopback. Only behind a proxy that ends TLS: tokens would cross the network in the clear."`
	HTTPTrustedProxies      []string `name:"http.trusted-proxies" help:"Networks whose X-Forwarded-For is believed."`
	HTTPExternalURL         string   `name:"http.external-url" help:"Address of the server as browsers reach it, such as https://seamark.example.org: sign-in providers send people back there, links lead there, and with https cookies are Secure and tied to the host."`
	HTTPMaxConnections      int      `name:"http.max-connections" default:"${max_conns}" help:"Open connections of each listener. Without it whoever opens enough takes all file descriptors."`
	HTTPMaxConnectionsPerIP int      `name:"http.max-connections-per-ip" default:"${max_conns_ip}" help:"Open connections of one address that is no trusted proxy. Without it one sender takes the places of all."`
	AdminListen             string   `name:"admin.listen" default:"${admin_listen}" help:"Address of /healthz, /readyz and /metrics. Keep it private: it has no sign-in."`

	OTLPGRPCListen string `name:"otlp.grpc-listen" help:"Address for OTLP over gRPC, by custom port 4317. The main port takes it too."`
	OTLPHTTPListen string `name:"otlp.http-listen" help:"Address for OTLP over HTTP, by custom port 4318. The main port takes it too."`

	SyslogListen            string `name:"syslog.listen" help:"Address for syslog over plain TCP, by custom port 514."`
	SyslogTLSListen         string `name:"syslog.tls-listen" help:"Address for syslog over TLS with the front's certificate, by custom port 6514."`
	SyslogTokenFile         string `name:"syslog.token-file" help:"File with the ingest token of every connection that shows none. Whoever reaches the listener writes as its tenant." type:"path"`
	SyslogCertificateTokens string `name:"syslog.certificate-tokens-file" help:"File with lines of a client certificate's common name and the token that it stands for." type:"path"`
	SyslogAllowPlaintext    bool   `name:"syslog.allow-plaintext" help:"Take logs and tokens unencrypted off loopback."`

	ForwardListen            string `name:"forward.listen" help:"Address for the Fluent forward protocol over plain TCP, by custom port 24224."`
	ForwardTLSListen         string `name:"forward.tls-listen" help:"Address for the Fluent forward protocol over TLS with the front's certificate."`
	ForwardTokenFile         string `name:"forward.token-file" help:"File with the ingest token of every connection that shows none." type:"path"`
	ForwardCertificateTokens string `name:"forward.certificate-tokens-file" help:"File with lines of a client certificate's common name and the token that it stands for." type:"path"`
	ForwardSharedKeyFile     string `name:"forward.shared-key-file" help:"File with the shared key of the handshake, in which the user name is the ingest token." type:"path"`
	ForwardAllowPlaintext    bool   `name:"forward.allow-plaintext" help:"Take logs and tokens unencrypted off loopback."`

	NATSURL       string `name:"nats.url" help:"NATS servers, comma separated. Empty runs the embedded one."`
	NATSCredsFile string `name:"nats.creds-file" help:"NATS credentials file." type:"path"`
	NATSReplicas  int    `name:"nats.replicas" default:"1" help:"Replicas of streams and buckets; 3 on a NATS cluster."`

	keyFlags
	KeysForgetSealed string `name:"keys.forget-sealed" placeholder:"ID" help:"Id of a root key that is lost for good: receiver configurations and session keys that are sealed under it are removed, once. Nothing happens while that key is at hand."`

	ClickHouseDSN            []string `name:"clickhouse.dsn" sep:" " help:"clickhouse://user:password@host:9000,... of the servers of a shard, which share their tables. Told again, or behind a space, for each further shard, in an order that never changes: each tenant is whole on one, and new shards come last. Empty runs the embedded engine."`
	ClickHouseHTTPAddrs      []string `name:"clickhouse.http-addrs" sep:" " help:"host:8123,... of the same servers, for each shard as --clickhouse.dsn has them; inserts go over HTTP."`
	ClickHouseTenantSecret   string   `name:"clickhouse.tenant-secret" help:"Secret that the passwords of tenants' ClickHouse users are made from."`
	ClickHouseTenantUsers    string   `name:"clickhouse.tenant-users" default:"sql" enum:"sql,provisioned" help:"Whether tenants' users are made by SQL, or exist already."`
	ClickHouseLibrary        string   `name:"clickhouse.library" help:"libchdb.so of the embedded engine; found beside the binary when not set." type:"path"`
	ClickHouseEmbeddedUsers  int      `name:"clickhouse.embedded-users" default:"1000" help:"Tenants that the embedded engine has users for."`
	ClickHouseMaxMemoryBytes int64    `name:"clickhouse.max-memory-bytes" default:"${clickhouse_memory}" help:"Memory of the embedded engine; a query over it fails instead of the machine."`

	ClickHouseMaxStatementBytes   int64         `name:"clickhouse.max-statement-bytes" default:"${ceiling_bytes}" help:"Bytes that one statement of a tenant may read, whatever the tenant's plan allows: ClickHouse itself refuses more."`
	ClickHouseMaxStatementRows    int64         `name:"clickhouse.max-statement-rows" default:"${ceiling_rows}" help:"Rows that one statement of a tenant may read, in the same way."`
	ClickHouseMaxStatementMemory  int64         `name:"clickhouse.max-statement-memory" default:"${ceiling_memory}" help:"Memory in bytes of a tenant's statements in ClickHouse, of one and of all together, in the same way."`
	ClickHouseMaxStatementResult  int64         `name:"clickhouse.max-statement-result" default:"${ceiling_result}" help:"Bytes of one statement's answer, in the same way."`
	ClickHouseMaxStatementTime    time.Duration `name:"clickhouse.max-statement-time" default:"${ceiling_time}" help:"How long one statement of a tenant may run, in the same way."`
	ClickHouseMaxStatementThreads int           `name:"clickhouse.max-statement-threads" default:"0" help:"Threads of one statement of a tenant; 0 is as many as this machine has CPUs."`
	ClickHouseMaxTenantStatements int           `name:"clickhouse.max-tenant-statements" default:"${ceiling_statements}" help:"Statements of one tenant at once; ClickHouse refuses more."`
	ClickHouseMaxMinuteBytes      int64         `name:"clickhouse.max-minute-bytes" default:"0" help:"Bytes that all statements of a tenant may read in a minute, a quota of ClickHouse: beyond it all are refused until the minute ends. 0 only counts."`
	ClickHouseMaxDayBytes         int64         `name:"clickhouse.max-day-bytes" default:"0" help:"The same for a day of UTC."`
	ClickHouseWorkloads           bool          `name:"clickhouse.workloads" default:"true" negatable:"" help:"Have ClickHouse share its threads between statements by who waits for them: rules and dashboards before exports and heavy queries."`

	BusShards          int           `name:"bus.shards" default:"${bus_shards}" help:"Streams per signal. One stream syncs a few hundred messages a second."`
	BusMaxStreamBytes  int64         `name:"bus.max-stream-bytes" default:"${bus_stream}" help:"Size at which a stream refuses more and ingest answers 503. Without it a store that is away fills the disk."`
	BusDuplicateWindow time.Duration `name:"bus.duplicate-window" default:"10m" help:"How long a repeated request is recognised and stored once."`

	IngestMaxBodyBytes        int64         `name:"ingest.max-body-bytes" default:"${max_body}" help:"Largest body as sent. Without it one request holds a connection's memory for as long as it likes."`
	IngestMaxInflatedBytes    int64         `name:"ingest.max-inflated-bytes" default:"${max_inflated}" help:"Largest body after decompression. Without it a small bomb takes all memory."`
	IngestMaxInflightBytes    int64         `name:"ingest.max-inflight-bytes" default:"${max_inflight}" help:"Bodies of all requests under way together; more wait, then get 503."`
	IngestMaxLabels           int           `name:"ingest.max-labels" default:"${max_labels}" help:"Labels of one series or stream."`
	IngestMaxLabelNameBytes   int           `name:"ingest.max-label-name-bytes" default:"${max_label_name}" help:"Length of a label name."`
	IngestMaxLabelValueBytes  int           `name:"ingest.max-label-value-bytes" default:"${max_label_value}" help:"Length of a label value."`
	IngestMaxLineBytes        int           `name:"ingest.max-line-bytes" default:"${max_line}" help:"Length of a log line; longer ones are refused and told."`
	IngestMaxAttrs            int           `name:"ingest.max-attrs" default:"${max_attrs}" help:"Structured metadata pairs of one line."`
	IngestMaxFuture           time.Duration `name:"ingest.max-future" default:"10m" help:"How far ahead of our clock a timestamp may lie."`
	IngestMaxAge              time.Duration `name:"ingest.max-age" default:"720h" help:"How far behind our clock a timestamp may lie."`
	IngestMaxSeriesPerCluster int           `name:"ingest.max-series-per-cluster" default:"${max_series_cluster}" help:"Label sets remembered per cluster, about 1 KiB each. Beyond it the oldest are forgotten, which costs speed and no data."`

	IngestMaxPushGroupBytes    int           `name:"ingest.max-push-group-bytes" default:"${push_group}" help:"Series of one group of the Pushgateway's protocol."`
	IngestMaxPushTenantBytes   int           `name:"ingest.max-push-tenant-bytes" default:"${push_tenant}" help:"Series of all pushed groups of a tenant. Without it one tenant takes the room of the others."`
	IngestMaxPushGroups        int           `name:"ingest.max-push-groups" default:"${push_groups}" help:"Pushed groups of a tenant. Without it senders that make up a label with every push grow the store for ever."`
	IngestPushTTL              time.Duration `name:"ingest.push-ttl" help:"How long a pushed group lives whose push does not tell (?ttl=). 0 is for ever, as the Pushgateway has it."`
	IngestHECQueryToken        bool          `name:"ingest.hec-query-token" help:"Take Splunk's ?token= in the URL, where logs of proxies keep it."`
	IngestReplicaTimeout       time.Duration `name:"ingest.replica-timeout" default:"30s" help:"How long the elected one of several Prometheus replicas may be silent before another takes over. Shorter than a scrape and a retry, they would take turns."`
	IngestElasticsearchVersion string        `name:"ingest.elasticsearch-version" default:"${es_version}" help:"Version that agents of Elasticsearch are told. Filebeat refuses a server that is older than itself."`

	QuotaBytesPerSecond    int64         `name:"quota.bytes-per-second" default:"${quota_bytes}" help:"Bytes of decompressed bodies that a tenant may send a second, over all signals and nodes; 0 is no limit. Without it one tenant's flood takes the disk and the queue of all."`
	QuotaBytesBurst        int64         `name:"quota.bytes-burst" default:"${quota_bytes_burst}" help:"Bytes that a tenant may send at once after a quiet time. Without it agents that reconnect after an outage would be refused at once."`
	QuotaRowsPerSecond     int64         `name:"quota.rows-per-second" default:"${quota_rows}" help:"Lines, samples, events and spans that a tenant may send a second, together and over all nodes; 0 is no limit. Without it one tenant's small rows take the time of all."`
	QuotaRowsBurst         int64         `name:"quota.rows-burst" default:"${quota_rows_burst}" help:"Rows that a tenant may send at once after a quiet time."`
	QuotaDailyBytes        int64         `name:"quota.daily-bytes" default:"${quota_daily}" help:"Bytes of decompressed bodies that a tenant may send per day of UTC; 0 is no limit. Without it a slow leak fills the disk below every rate."`
	QuotaActiveSeries      int64         `name:"quota.active-series" default:"${quota_series}" help:"Metric series of a tenant with a sample within the last hour, about 24 bytes each; rows of new ones beyond are refused. 0 is no limit. Without it a label with random values makes an index that outgrows the data."`
	QuotaActiveStreams     int64         `name:"quota.active-streams" default:"${quota_streams}" help:"Log streams of a tenant with a line within the last hour, about 24 bytes each; rows of new ones beyond are refused. 0 is no limit."`
	MeteringFlushInterval  time.Duration `name:"metering.flush-interval" default:"${metering_flush}" help:"How often what queries have read is stored with their tenant's usage: what a crash may lose of it. What tenants send is metered with each request."`
	MeteringSampleInterval time.Duration `name:"metering.sample-interval" default:"${metering_sample}" help:"How often the bytes and series that tenants hold are measured, and the meter is compared with the store."`
	MeteringBudgetInterval time.Duration `name:"metering.budget-interval" default:"${metering_budgets}" help:"How often budgets are looked at, and their alerts raised."`

	QuotaHAClusters int `name:"quota.ha-clusters" default:"${quota_ha}" help:"Pairs of Prometheus servers of a tenant whose samples are deduplicated by cluster and __replica__. Without it a sender whose cluster label is never the same grows its tenant's document without end."`

	PatternsEnabled     bool  `name:"patterns.enabled" default:"true" negatable:"" help:"Find the templates of log lines as they come, and count them by the minute. Without it there is no answer to what is new in the logs, and ingest costs less."`
	PatternsMinVariants int   `name:"patterns.min-variants" default:"${pattern_variants}" help:"Different words at one place of otherwise equal lines that make this place <_>. With few, \"opened\" and \"closed\" are one pattern; with many, each user's name is one for longer."`
	PatternsMaxPerGroup int   `name:"patterns.max-per-group" default:"${patterns_group}" help:"Patterns of one namespace and workload that are known at once; other lines count as <_> until one was not seen for ten minutes. Without it lines that nobody wrote for machines are a row each."`
	PatternsMaxGroups   int   `name:"patterns.max-groups" default:"${pattern_groups}" help:"Workloads of all tenants whose patterns a node knows at once; those seen longest ago are forgotten and learned again."`
	PatternsMaxBytes    int64 `name:"patterns.max-bytes" default:"${pattern_bytes}" help:"Memory of the patterns that a node knows, of all tenants."`

	WriterMaxInsertRows    uint64        `name:"writer.max-insert-rows" default:"${insert_rows}" help:"Rows of a tenant's insert into one table at which the batch it stands in is cut."`
	WriterMaxBatchBytes    int           `name:"writer.max-batch-bytes" default:"${batch_bytes}" help:"Compressed bytes of the inserts of all tenants in one batch of a shard. A writer holds two batches of a shard in memory."`
	WriterMaxBatchAge      time.Duration `name:"writer.max-batch-age" default:"${batch_age}" help:"How long a row waits for others before it is inserted."`
	WriterLogFilterRows    int           `name:"writer.log-filter-rows" default:"${filter_rows}" help:"Least rows of an insert of log lines that search filters are stored for; 0 stores none. While inserts are so many that they take the budget (--writer.inserts-per-second), it is 64 times as many. They cost about 6 bytes and a microsecond a line, and save reading the lines that cannot have a text. A tenant's quota log_filter_rows goes before it."`
	WriterInsertsPerSecond float64       `name:"writer.inserts-per-second" default:"${inserts}" help:"Budget of inserts of this node. Beyond it batches grow and rows wait."`
	WriterMaxCountsAge     time.Duration `name:"writer.max-counts-age" default:"${counts_age}" help:"How long counts of log patterns wait behind their lines while inserts are so many that they take the budget (--writer.inserts-per-second), so that a tenant's of many batches are inserted together; 0 inserts them with the lines."`

	QueryTimeout          time.Duration `name:"query.timeout" default:"2m" help:"Longest run of a query."`
	QueryChunkSamples     int           `name:"query.chunk-samples" default:"${chunk_samples}" help:"Samples that a part of a PromQL query reads at once, 16 bytes each."`
	QueryMaxSamples       int           `name:"query.max-samples" default:"${max_samples}" help:"Samples one PromQL query may hold in memory."`
	QueryMaxSeries        int           `name:"query.max-series" default:"${query_series}" help:"Series one query may touch."`
	QuerySampleCacheBytes int64         `name:"query.sample-cache-bytes" default:"${sample_cache}" help:"Memory of the samples that queries have read, 2 to 4 bytes each, of all tenants together; one tenant has half at most. What was used longest ago goes first; what does not fit is read from ClickHouse."`
	QueryLogFilterBytes   int64         `name:"query.log-filter-bytes" default:"${log_filters}" help:"Memory of the filters that tell which log lines cannot have a text, about 6 bytes a line, of all tenants together. The days that were searched longest ago are forgotten first; a search whose days need more than half has ClickHouse read them."`
	QuerySeriesIndexBytes int64         `name:"query.series-index-bytes" default:"${series_index}" help:"Memory of the indexes of metric series and log streams, about 120 bytes a series, of all tenants together. The index that was asked longest ago is forgotten first; one that needs more than a quarter is read from ClickHouse."`
	QueryMaxEntries       int           `name:"query.max-entries" default:"${max_entries}" help:"Log lines one query may return."`
	QueryMaxContextLines  int           `name:"query.max-context-lines" default:"${context_lines}" help:"Log lines on each side of a line whose context is asked for, 10 to ${context_lines}."`
	QueryMaxTails         int           `name:"query.max-tails" default:"${max_tails}" help:"Tails of log lines of one tenant that are open at once on one node; more get 429."`
	QueryMaxConcurrent    int           `name:"query.max-concurrent" default:"20" help:"Queries of all tenants and languages that run at once on one node; more wait."`
	QueryAdmission        bool          `name:"query.admission" default:"true" negatable:"" help:"Share the places of --query.max-concurrent among tenants and classes of queries, and hold tenants to their limits and budgets. Without it one queue serves all in the order in which they came, and one tenant's scans keep the others waiting; that is for measurements."`
	QueryMaxScans         int           `name:"query.max-scans" default:"0" help:"Queries among them that read much, of all tenants: from --query.scan-bytes on, estimated or read. 0 is as many as the node has processors, and at least two. Each takes whole processors."`
	QueryScanBytes        int64         `name:"query.scan-bytes" default:"${scan_bytes}" help:"Bytes, estimated or read, from which on a query counts as one that reads much. Those that read less wait for none of those that read more."`
	QueryMaxInflightBytes int64         `name:"query.max-inflight-bytes" default:"${inflight_bytes}" help:"Estimated bytes of the queries that read much and run at once. One runs whatever it is estimated at."`
	QueryMaxQueued        int           `name:"query.max-queued" default:"${max_queued}" help:"Queries of one tenant and class that wait at once on one node; more get 429."`
	QueryMaxWait          time.Duration `name:"query.max-wait" default:"${max_wait}" help:"Longest wait of a query for its place. Exports and background jobs wait for as long as they may run."`

	QueryTenantConcurrency    int64 `name:"query.tenant-concurrency" default:"0" help:"Queries of a tenant that run at once on one node; 0 is no limit beside the others' share: a tenant never takes more places than it leaves free."`
	QueryTenantWeight         int64 `name:"query.tenant-weight" default:"${tenant_weight}" help:"Weight of a tenant's queries beside those of others that wait."`
	QueryTenantBytesPerMinute int64 `name:"query.tenant-bytes-per-minute" default:"0" help:"Bytes that a tenant's queries may read a minute, over all queriers; 0 is no limit. Over it the last 15 minutes can still be read."`
	QueryTenantBytesPerDay    int64 `name:"query.tenant-bytes-per-day" default:"0" help:"Bytes that a tenant's queries may read per day of UTC, over all queriers; 0 is no limit. Over it the last 15 minutes can still be read."`
	QueryTenantMaxBytes       int64 `name:"query.tenant-max-bytes" default:"${tenant_max_bytes}" help:"Bytes that one query may read; 0 is no limit."`
	QueryTenantMaxRows        int64 `name:"query.tenant-max-rows" default:"0" help:"Rows that one query may read; 0 is no limit."`
	QueryTenantMaxSeconds     int64 `name:"query.tenant-max-seconds" default:"0" help:"Seconds that one query may run, waiting left out; 0 is no limit beside --query.timeout."`
	QueryTenantMaxMemoryBytes int64 `name:"query.tenant-max-memory-bytes" default:"0" help:"Memory of one statement of a query in ClickHouse; 0 is no limit beside the server's own."`
	QueryTenantMaxSeries      int64 `name:"query.tenant-max-series" default:"0" help:"Series or streams that one selector may match; 0 is no limit beside --query.max-series."`
	QueryTenantMaxResultBytes int64 `name:"query.tenant-max-result-bytes" default:"${tenant_max_result}" help:"Bytes of one answer's body; 0 is no limit. Exports have their own limit."`

	jobFlags `embed:""`

	QueryMaxTenantConns int `name:"query.max-tenant-conns" default:"8" help:"ClickHouse connections of one tenant."`

	QueryMaxEvents          int           `name:"query.max-events" default:"${events}" help:"Kubernetes events of one answer. Without it a page of a busy tenant holds all of its events in memory."`
	QueryMaxEventValues     int           `name:"query.max-event-values" default:"${event_values}" help:"Values of a facet, a series or a trend of events. Without it the names of all pods are one answer."`
	QueryMaxEventPoints     int           `name:"query.max-event-points" default:"${event_points}" help:"Steps of a series of events. Without it a small step over a long time fills the memory with zeros."`
	QueryMaxEventHistory    time.Duration `name:"query.max-event-history" default:"${event_history}" help:"Time whose events a series or a trend counts. Without it one request parses every update that is kept."`
	QuerySuspectTimeout     time.Duration `name:"query.suspect-timeout" default:"${suspect_timeout}" help:"Time for all questions about the suspects of an alert together; what is not answered by then is missing. Without it an answer waits for the slowest."`
	QueryMaxSuspectParallel int           `name:"query.max-suspect-parallel" default:"${suspect_parallel}" help:"Questions about the suspects of one alert that wait for an answer at the same time. Without it one look takes all places of its tenant."`
	QueryMaxSuspectWindow   time.Duration `name:"query.max-suspect-window" default:"${suspect_window}" help:"Longest time before an alert in which suspects are looked for. Without it one look reads a month of everything."`
	QueryMaxSuspectRows     int           `name:"query.max-suspect-rows" default:"${suspect_rows}" help:"Events, records, patterns or series of one question about suspects. Without it a storm of events is held in memory."`
	QueryMaxAuditRecords    int           `name:"query.max-audit-records" default:"${audit_records}" help:"Requests of one list of audit records. Without it a page of a busy API server holds all of its requests in memory."`
	QueryMaxAuditClients    int           `name:"query.max-audit-clients" default:"${audit_clients}" help:"Clients of one analysis of audit records. Without it every request's address can be one entry of an answer."`
	QueryMaxAuditWrites     int           `name:"query.max-audit-writes" default:"${audit_writes}" help:"Writes of one object that are compared. Without it an object that a controller writes each second is a hundred thousand states in memory."`
	QueryMaxAuditWriteBytes int           `name:"query.max-audit-write-bytes" default:"${audit_bytes}" help:"Bytes of the records of these writes together; older writes are left out. Without it large objects take the memory that their number does not."`

	SQLTimeout        time.Duration `name:"sql.timeout" default:"${sql_timeout}" help:"Time of one SQL query, a slow reader's included."`
	SQLMaxRows        uint64        `name:"sql.max-rows" default:"${sql_rows}" help:"Rows of the answer of one SQL query."`
	SQLMaxResultBytes uint64        `name:"sql.max-result-bytes" default:"${sql_bytes}" help:"Bytes of the answer of one SQL query."`
	SQLMaxQueryBytes  int           `name:"sql.max-query-bytes" default:"${sql_text}" help:"Bytes of the text of one SQL query."`

	ExportMaxRows             int64         `name:"export.max-rows" default:"${export_rows}" help:"Log lines of one export."`
	ExportMaxBytes            int64         `name:"export.max-bytes" default:"${export_bytes}" help:"Bytes of one export, before compression for the way."`
	ExportTimeout             time.Duration `name:"export.timeout" default:"${export_timeout}" help:"Time of one export, a slow reader's included."`
	ExportStallTimeout        time.Duration `name:"export.stall-timeout" default:"${export_stall}" help:"Time in which a reader of an export, or of an answer of SQL, may take nothing."`
	ExportMaxConcurrent       int           `name:"export.max-concurrent" default:"${exports}" help:"Exports of all tenants that run at once; more get 429."`
	ExportMaxTenantConcurrent int           `name:"export.max-tenant-concurrent" default:"${tenant_exports}" help:"Exports of one tenant that run at once; more get 429."`

	SessionTokenLifetime time.Duration `name:"session.token-lifetime" default:"${session_token}" help:"Life of the token that a signed-in browser or script holds, 1m to 15m; it is refreshed unnoticed. With a longer one, a token that was stolen from a log is good for longer."`
	SessionIdleLifetime  time.Duration `name:"session.idle-lifetime" default:"${session_idle}" help:"Time after which people who did nothing sign in again."`
	SessionLifetime      time.Duration `name:"session.lifetime" default:"${session_life}" help:"Time after which everybody signs in again."`
	SessionKeyLifetime   time.Duration `name:"session.key-lifetime" default:"${session_key}" help:"Age at which the key that signs tokens is replaced. The one before checks until its sessions are over."`

	OIDCConfigFile      string   `name:"oidc.config-file" help:"YAML file with the OpenID Connect providers that people can sign in with; see docs/sign-in.md." type:"path"`
	OIDCAllowedNetworks []string `name:"oidc.allowed-networks" help:"Private networks that providers may be in, such as 10.1.0.0/16. Without them only public addresses are asked."`

	AlertingEvaluationInterval time.Duration `name:"alerting.evaluation-interval" default:"1m" help:"Interval of rule groups that set none."`
	AlertingEvaluationDelay    time.Duration `name:"alerting.evaluation-delay" default:"0s" help:"How far behind the clock rule groups are evaluated that set no query_offset. Without it a rule sees the newest samples before those that are still under way."`
	AlertingLateDataHold       time.Duration `name:"alerting.late-data-hold" default:"${late_hold}" help:"How long a rule group waits at most, and at most half of its interval, for data that was acknowledged and is not stored yet when that is more than some seconds late. 0: not at all. Without it rules fire, and resolve, for nothing while the store is behind."`
	AlertingGroupsPerTenant    int           `name:"alerting.groups-per-tenant" default:"${rule_groups}" help:"Rule groups of a tenant; those of rule packs do not count. Without it one tenant's rules are everybody's load."`
	AlertingRulesPerGroup      int           `name:"alerting.rules-per-group" default:"${group_rules}" help:"Rules of a group, which are evaluated one after the other. Without it a group takes longer than its interval."`
	AlertingMaxGroupBytes      int           `name:"alerting.max-group-bytes" default:"${group_bytes}" help:"Size of a rule group's document. Without it one fills the message that it is stored in."`
	AlertingMinInterval        time.Duration `name:"alerting.min-interval" default:"${min_interval}" help:"Shortest interval of a rule group. Without it one group is a storm of queries."`
	AlertingMaxQueryOffset     time.Duration `name:"alerting.max-query-offset" default:"${max_offset}" help:"Longest query_offset of a rule group. Without it a group tells of what is long over."`
	AlertingBacktestSteps      int           `name:"alerting.backtest-max-steps" default:"${backtest_steps}" help:"Evaluations of each rule in one backtest. Without it one request holds the points of a year in memory."`
	AlertingBacktestQueries    int           `name:"alerting.backtest-max-evaluations" default:"${backtest_queries}" help:"Evaluations in one backtest that are queries of their own: of rules that read what their group records later, and of templates. Without it one backtest is tens of thousands of queries."`
	AlertingDetectorsPerTenant int           `name:"alerting.detectors-per-tenant" default:"${detectors}" help:"Detectors of a tenant. Without it one tenant has any number of queries that run without anybody asking."`
	AlertingDetectorSeries     int           `name:"alerting.detector-series" default:"${detector_series}" help:"Series of one detector, each with a baseline of some KiB in memory. Without it a label explosion is as many baselines."`
	AlertingDetectorWorkers    int           `name:"alerting.detector-workers" default:"${detector_workers}" help:"Detectors that are evaluated at the same time, of all tenants; of one tenant it is one. Without it they are all evaluated at once."`
	AlertingDetectorInterval   time.Duration `name:"alerting.detector-min-interval" default:"${detector_interval}" help:"Shortest interval of a detector. Without it one detector is a storm of queries."`
	AlertingDetectorTimeout    time.Duration `name:"alerting.detector-timeout" default:"${detector_timeout}" help:"Time of one evaluation with all its queries. Without it a slow tenant holds a worker."`
	AlertingDetectorRefresh    time.Duration `name:"alerting.detector-refresh" default:"${detector_refresh}" help:"How long what was learned from history holds. Without it a baseline would never follow its series; a shorter time is more load, because learning reads all of the history."`
	AlertingDetectorPreview    time.Duration `name:"alerting.detector-max-preview" default:"${detector_preview}" help:"Longest range of a preview. Without it one request reads and judges a year."`
	AlertingAllowedReceivers   []string      `name:"alerting.allowed-receivers" help:"Private networks that webhooks may reach, such as 10.1.0.0/16. Without them receivers reach public addresses only."`
	AlertingDeliveriesKept     int           `name:"alerting.deliveries-kept" default:"500" help:"Attempts to tell receivers that the delivery log keeps of a tenant. Without it one failing receiver fills the log of all."`
	AlertingTestsPerMinute     int           `name:"alerting.tests-per-minute" default:"20" help:"How often a minute a tenant may try its receivers. Without it the test is a way to send anything anywhere."`
	AlertingExternalURL        string        `name:"alerting.external-url" help:"Address of the console as people reach it, for links in notifications."`

	DirectoryMaxAdminAge  time.Duration `name:"directory.max-admin-age" default:"${admin_age}" help:"How old a node's knowledge of tenants and credentials may be while it still takes what can change something: admin tokens, API keys, operators, people who are more than viewers. Without it who was removed goes on for ever on a node that is cut off from the control plane."`
	DirectoryMaxIngestAge time.Duration `name:"directory.max-ingest-age" default:"${ingest_age}" help:"The same for ingest tokens, query tokens and viewers. Without it a revoked token works for ever on such a node."`

	TenantsChangeRetention time.Duration `name:"tenants.change-retention" default:"${change_retention}" help:"How long the log of changes keeps its records."`
	TenantsDeleteGrace     time.Duration `name:"tenants.delete-grace" default:"${delete_grace}" help:"How long a deleted tenant can be had back before all of it is purged."`
	TenantsPurgeSettle     time.Duration `name:"tenants.purge-settle" default:"${purge_settle}" help:"How long a purge waits for what is under way on other nodes, and how far apart its two looks are that must find nothing."`
	TenantsExportDir       string        `name:"tenants.export-dir" help:"Folder for exports of whole tenants; exports in the data folder when not set." type:"path"`
	TenantsExportKeep      time.Duration `name:"tenants.export-keep" default:"${export_keep}" help:"How long the export of a tenant stays there."`
	TenantsExportMaxBytes  int64         `name:"tenants.export-max-bytes" default:"${export_dir_bytes}" help:"Bytes of all kept exports of tenants together. Without it exports take the disk from ingest."`
	RetentionDefault       time.Duration `name:"retention.default" default:"${retention}" help:"How long data stays where a tenant has set nothing."`
	RetentionMax           time.Duration `name:"retention.max" default:"${retention_max}" help:"Longest retention that a tenant may set. Without it one tenant's years of data fill the disk."`
	RetentionInterval      time.Duration `name:"retention.interval" default:"${retention_interval}" help:"How often rows are deleted that rules for streams let go before the rest of their day."`

	ForwardersMaxPerTenant   int           `name:"forwarders.max-per-tenant" default:"${forwarders}" help:"Forwarders of one tenant. Each decodes all of the tenant's lines."`
	ForwardersMaxBatchBytes  int           `name:"forwarders.max-batch-bytes" default:"${forward_bytes}" help:"Rows of one batch as NDJSON. A forwarder holds one batch for each shard in memory."`
	ForwardersMaxBatchAge    time.Duration `name:"forwarders.max-batch-age" default:"${forward_age}" help:"How long rows may wait for others before a forwarder sends them."`
	ForwardersMaxAttempts    int           `name:"forwarders.max-attempts" default:"${forward_attempts}" help:"How often a batch is sent that its target refuses for good, such as with 400, before it is given up."`
	ForwardersAllowedTargets []string      `name:"forwarders.allowed-targets" help:"Private networks that targets of forwarders may be in, such as 10.1.0.0/16. Without them only public addresses are reached, on ports 80, 443 and from 1024 on."`

	DiskMinFreePercent  int   `name:"disk.min-free-percent" default:"${disk_percent}" help:"Part of the data folder's disk that stays free: below it ingest answers 503. Without it streams meet the full disk and stall."`
	DiskMaxReserveBytes int64 `name:"disk.max-reserve-bytes" default:"${disk_reserve}" help:"Bound of that part on large disks."`
	DiskBallastBytes    int64 `name:"disk.ballast-bytes" default:"${disk_ballast}" help:"Size of a file that is given up when the disk is full all the same, so that the directory can still be written."`

	StartTimeout   time.Duration `name:"start-timeout" default:"${start_timeout}" help:"How long a start waits for NATS to answer and to make streams and buckets. Without it a process that is told the wrong servers looks as if it were starting, for ever."`
	DrainTimeout   time.Duration `name:"drain-timeout" default:"25s" help:"Longest orderly stop."`
	LogLevel       string        `name:"log.level" default:"info" enum:"debug,info,warn,error" help:"Least severe line that is logged."`
	LogFormat      string        `name:"log.format" default:"text" enum:"text,json" help:"Form of log lines."`
	DebugFailpoint string        `name:"debug.failpoint" hidden:"" help:"NAME:N kills the process with SIGKILL at the Nth pass of the writer's step NAME; for crash tests."`
}

// flagDefaults takes the defaults from the packages that own them, so that they stand in one place.
func flagDefaults() kong.Vars {
	d := app.DefaultOptions()
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	l := d.Ingest.Limits
	return jobDefaults(kong.Vars{
		"start_timeout": d.StartTimeout.String(),
		"data_dir":      d.DataDir, "http_listen": d.HTTP.Listen, "admin_listen": d.Admin.Listen,
		"max_conns": n(int64(d.HTTP.MaxConns)), "max_conns_ip": n(int64(d.HTTP.MaxConnsPerIP)), "disk_percent": n(int64(d.Disk.MinFreePercent)), "disk_reserve": n(d.Disk.MaxReserveBytes), "disk_ballast": n(d.Disk.BallastBytes),
		"session_token": d.Session.TokenLifetime.String(), "session_idle": d.Session.IdleLifetime.String(), "session_life": d.Session.Lifetime.String(),
		"session_key": d.Session.KeyLifetime.String(), "clickhouse_memory": n(d.ClickHouse.MaxMemoryBytes), "ceiling_bytes": n(d.ClickHouse.Ceilings.Bytes), "ceiling_rows": n(d.ClickHouse.Ceilings.Rows),
		"ceiling_memory": n(d.ClickHouse.Ceilings.MemoryBytes), "ceiling_result": n(d.ClickHouse.Ceilings.ResultBytes), "ceiling_time": d.ClickHouse.Ceilings.Time.String(),
		"ceiling_statements": n(int64(d.ClickHouse.Ceilings.Statements)),
		"bus_shards":         n(int64(d.Bus.Shards)), "bus_stream": n(d.Bus.MaxStreamBytes),
		"forwarders": n(int64(d.Forwarders.Limits.MaxPerTenant)), "forward_bytes": n(int64(d.Forwarders.Limits.MaxBatchBytes)),
		"forward_age": d.Forwarders.Limits.MaxBatchAge.String(), "forward_attempts": n(int64(d.Forwarders.Limits.MaxAttempts)),
		"max_body": n(l.MaxBodyBytes), "max_inflated": n(l.MaxInflatedBytes), "max_inflight": n(d.Ingest.MaxInflightBytes),
		"max_labels": n(int64(l.MaxLabels)), "max_label_name": n(int64(l.MaxLabelNameBytes)), "max_label_value": n(int64(l.MaxLabelValueBytes)),
		"max_line": n(int64(l.MaxLineBytes)), "max_attrs": n(int64(l.MaxAttrs)), "max_series_cluster": n(int64(d.Ingest.MaxSeriesPerCluster)),
		"push_group": n(int64(d.Ingest.PushLimits.MaxGroupBytes)), "push_tenant": n(int64(d.Ingest.PushLimits.MaxTenantBytes)),
		"push_groups": n(int64(d.Ingest.PushLimits.MaxGroups)), "es_version": d.Ingest.ElasticsearchVersion,
		"quota_bytes": n(d.Quota.BytesPerSecond), "quota_bytes_burst": n(d.Quota.BytesBurst), "quota_rows": n(d.Quota.RowsPerSecond),
		"quota_rows_burst": n(d.Quota.RowsBurst), "quota_daily": n(d.Quota.DailyBytes), "quota_series": n(d.Quota.ActiveSeries),
		"quota_streams": n(d.Quota.ActiveStreams), "quota_ha": n(int64(d.Ingest.MaxReplicaClusters)),
		"metering_flush": d.Metering.Flush.String(), "metering_sample": d.Metering.Sample.String(), "metering_budgets": d.Metering.Budgets.String(),
		"admin_age": d.Directory.MaxAdminAge.String(), "ingest_age": d.Directory.MaxIngestAge.String(),
		"change_retention": d.Tenants.ChangeRetention.String(), "delete_grace": d.Tenants.DeleteGrace.String(), "purge_settle": d.Tenants.PurgeSettle.String(), "retention": d.Tenants.Retention.String(),
		"retention_max": d.Tenants.MaxRetention.String(), "retention_interval": d.Tenants.RetentionInterval.String(),
		"export_keep": d.Tenants.TransferKeep.String(), "export_dir_bytes": n(d.Tenants.TransferMaxBytes),
		"pattern_variants": n(int64(d.Patterns.MinVariants)), "patterns_group": n(int64(d.Patterns.MaxPatterns)), "pattern_groups": n(int64(d.Patterns.MaxGroups)),
		"pattern_bytes": n(d.Patterns.MaxBytes),
		"insert_rows":   n(int64(d.Writer.MaxInsertRows)), "batch_bytes": n(int64(d.Writer.MaxBatchBytes)), "batch_age": d.Writer.MaxBatchAge.String(), "counts_age": d.Writer.MaxCountsAge.String(), "filter_rows": n(int64(d.Writer.LogFilterRows)),
		"detectors": n(int64(d.Alerting.Detectors.PerTenant)), "detector_series": n(int64(d.Alerting.Detectors.SeriesPerDetector)), "detector_workers": n(int64(d.Alerting.Detectors.Workers)),
		"detector_interval": d.Alerting.Detectors.MinInterval.String(), "detector_timeout": d.Alerting.Detectors.Timeout.String(), "detector_refresh": d.Alerting.Detectors.Refresh.String(),
		"detector_preview": d.Alerting.Detectors.MaxPreview.String(), "suspect_timeout": d.Query.Suspects.Timeout.String(), "suspect_parallel": n(int64(d.Query.Suspects.Parallel)),
		"suspect_window": d.Query.Suspects.MaxWindow.String(), "suspect_rows": n(int64(d.Query.Suspects.MaxRows)),
		"rule_groups": n(int64(d.Alerting.GroupsPerTenant)), "group_rules": n(int64(d.Alerting.RulesPerGroup)), "group_bytes": n(int64(d.Alerting.MaxGroupBytes)),
		"min_interval": d.Alerting.MinInterval.String(), "late_hold": d.Alerting.LateDataHold.String(), "max_offset": d.Alerting.MaxQueryOffset.String(),
		"backtest_steps": n(int64(d.Alerting.Backtest.Steps)), "backtest_queries": n(int64(d.Alerting.Backtest.Evaluations)),
		"inserts": strconv.FormatFloat(d.Writer.InsertsPerSecond, 'f', -1, 64), "sql_timeout": d.SQL.Timeout.String(), "sql_rows": n(int64(d.SQL.MaxRows)), "sql_bytes": n(int64(d.SQL.MaxBytes)), "sql_text": n(int64(d.SQL.Statement.MaxBytes)), "export_rows": n(d.Export.MaxRows), "export_bytes": n(d.Export.MaxBytes), "export_timeout": d.Export.Timeout.String(), "export_stall": d.Export.StallTimeout.String(),
		"exports": n(int64(d.Export.MaxConcurrent)), "tenant_exports": n(int64(d.Export.MaxTenantConcurrent)),
		"context_lines": n(int64(d.Query.MaxContextLines)), "events": n(int64(d.Query.Events.MaxEvents)), "event_values": n(int64(d.Query.Events.MaxValues)),
		"event_points": n(int64(d.Query.Events.MaxPoints)), "event_history": d.Query.Events.MaxHistory.String(), "audit_records": n(int64(d.Query.Audit.MaxRecords)),
		"audit_clients": n(int64(d.Query.Audit.MaxClients)), "audit_writes": n(int64(d.Query.Audit.MaxWrites)), "audit_bytes": n(int64(d.Query.Audit.MaxWriteBytes)),
		"scan_bytes": n(d.Query.ScanBytes), "inflight_bytes": n(d.Query.MaxInflightBytes), "max_queued": n(int64(d.Query.MaxQueued)), "max_wait": d.Query.MaxWait.String(),
		"tenant_weight": n(d.Quota.QueryWeight), "tenant_max_bytes": n(d.Quota.QueryMaxBytes), "tenant_max_result": n(d.Quota.QueryMaxResultBytes),
		"max_tails": n(int64(d.Query.MaxTails)), "chunk_samples": n(int64(d.Query.ChunkSamples)), "max_samples": n(int64(d.Query.MaxSamples)),
		"reserve_numbers": n(backup.DefaultReserve), "query_series": n(int64(d.Query.MaxSeries)), "series_index": n(d.Query.SeriesIndexBytes), "log_filters": n(d.Query.LogFilterBytes), "sample_cache": n(d.Query.SampleCacheBytes), "max_entries": n(int64(d.Query.MaxEntries)),
	}, &d.Query)
}

// options turns the flags into the app's options.
func (f *serverFlags) options(roles []app.Role) (app.Options, error) {
	o := app.DefaultOptions()
	o.Roles, o.DataDir, o.NodeID, o.Version, o.StartTimeout, o.DrainTimeout = roles, f.DataDir, f.NodeID, version, f.StartTimeout, f.DrainTimeout
	o.HTTP = app.HTTPOptions{
		Listen: f.HTTPListen, TLSCertFile: f.HTTPTLSCertFile, TLSKeyFile: f.HTTPTLSKeyFile, AllowPlaintext: f.HTTPAllowPlaintext,
		TrustedProxies: f.HTTPTrustedProxies, TLSClientCAFile: f.HTTPTLSClientCAFile, MaxConns: f.HTTPMaxConnections,
		MaxConnsPerIP: f.HTTPMaxConnectionsPerIP, ExternalURL: f.HTTPExternalURL,
	}
	o.Session = app.SessionOptions{
		TokenLifetime: f.SessionTokenLifetime, IdleLifetime: f.SessionIdleLifetime, Lifetime: f.SessionLifetime, KeyLifetime: f.SessionKeyLifetime,
	}
	o.OIDC = app.OIDCOptions{ConfigFile: f.OIDCConfigFile, AllowedNetworks: f.OIDCAllowedNetworks}
	o.Disk = app.DiskOptions{MinFreePercent: f.DiskMinFreePercent, MaxReserveBytes: f.DiskMaxReserveBytes, BallastBytes: f.DiskBallastBytes}
	o.Admin.Listen = f.AdminListen
	o.OTLP = app.OTLPOptions{GRPCListen: f.OTLPGRPCListen, HTTPListen: f.OTLPHTTPListen}
	o.Syslog = app.StreamOptions{
		Listen: f.SyslogListen, TLSListen: f.SyslogTLSListen, TokenFile: f.SyslogTokenFile, CertificateTokensFile: f.SyslogCertificateTokens,
		AllowPlaintext: f.SyslogAllowPlaintext,
	}
	o.Forward = app.StreamOptions{
		Listen: f.ForwardListen, TLSListen: f.ForwardTLSListen, TokenFile: f.ForwardTokenFile, CertificateTokensFile: f.ForwardCertificateTokens,
		SharedKeyFile: f.ForwardSharedKeyFile, AllowPlaintext: f.ForwardAllowPlaintext,
	}
	o.NATS = app.NATSOptions{URL: f.NATSURL, CredsFile: f.NATSCredsFile, Replicas: f.NATSReplicas}
	o.Keys = f.keyFlags.options()
	o.Keys.Forget = f.KeysForgetSealed
	o.ClickHouse = app.ClickHouseOptions{
		DSNs: f.ClickHouseDSN, HTTPAddrs: f.ClickHouseHTTPAddrs, TenantSecret: f.ClickHouseTenantSecret, TenantUsers: f.ClickHouseTenantUsers,
		Library: f.ClickHouseLibrary, EmbeddedUsers: f.ClickHouseEmbeddedUsers, MaxMemoryBytes: f.ClickHouseMaxMemoryBytes, Workloads: f.ClickHouseWorkloads,
		Ceilings: seamark.Ceilings{
			Bytes: f.ClickHouseMaxStatementBytes, Rows: f.ClickHouseMaxStatementRows, MemoryBytes: f.ClickHouseMaxStatementMemory,
			ResultBytes: f.ClickHouseMaxStatementResult, Time: f.ClickHouseMaxStatementTime, Threads: cmp.Or(f.ClickHouseMaxStatementThreads, runtime.NumCPU()),
			Statements: f.ClickHouseMaxTenantStatements, MinuteBytes: f.ClickHouseMaxMinuteBytes, DayBytes: f.ClickHouseMaxDayBytes,
		},
	}
	o.Bus = app.BusOptions{Shards: f.BusShards, MaxStreamBytes: f.BusMaxStreamBytes, DuplicateWindow: f.BusDuplicateWindow}
	o.Ingest.MaxInflightBytes, o.Ingest.MaxSeriesPerCluster = f.IngestMaxInflightBytes, f.IngestMaxSeriesPerCluster
	l := &o.Ingest.Limits
	l.MaxBodyBytes, l.MaxInflatedBytes, l.MaxLabels = f.IngestMaxBodyBytes, f.IngestMaxInflatedBytes, f.IngestMaxLabels
	l.MaxLabelNameBytes, l.MaxLabelValueBytes = f.IngestMaxLabelNameBytes, f.IngestMaxLabelValueBytes
	l.MaxLineBytes, l.MaxAttrs, l.MaxFuture, l.MaxAge = f.IngestMaxLineBytes, f.IngestMaxAttrs, f.IngestMaxFuture, f.IngestMaxAge
	o.Ingest.PushLimits.MaxGroupBytes, o.Ingest.PushLimits.MaxTenantBytes = f.IngestMaxPushGroupBytes, f.IngestMaxPushTenantBytes
	o.Ingest.PushLimits.MaxGroups, o.Ingest.PushTTL = f.IngestMaxPushGroups, f.IngestPushTTL
	o.Ingest.HECQueryToken, o.Ingest.ElasticsearchVersion, o.Ingest.ReplicaTimeout = f.IngestHECQueryToken, f.IngestElasticsearchVersion, f.IngestReplicaTimeout
	o.Logger = f.logger()
	f.limits(&o)
	var err error
	o.Failpoint, err = failpoint(f.DebugFailpoint)
	return o, err
}

// limits sets what tenants, queries and background work may take.
func (f *serverFlags) limits(o *app.Options) {
	o.Quota = quota.Limits{
		BytesPerSecond: f.QuotaBytesPerSecond, BytesBurst: f.QuotaBytesBurst, RowsPerSecond: f.QuotaRowsPerSecond, RowsBurst: f.QuotaRowsBurst,
		DailyBytes: f.QuotaDailyBytes, ActiveSeries: f.QuotaActiveSeries, ActiveStreams: f.QuotaActiveStreams,
		QueryConcurrency: f.QueryTenantConcurrency, QueryWeight: f.QueryTenantWeight, QueryBytesPerMinute: f.QueryTenantBytesPerMinute, QueryBytesPerDay: f.QueryTenantBytesPerDay,
		QueryMaxBytes: f.QueryTenantMaxBytes, QueryMaxRows: f.QueryTenantMaxRows, QueryMaxSeconds: f.QueryTenantMaxSeconds, QueryMaxMemoryBytes: f.QueryTenantMaxMemoryBytes,
		QueryMaxSeries: f.QueryTenantMaxSeries, QueryMaxResultBytes: f.QueryTenantMaxResultBytes,
	}
	o.Ingest.MaxReplicaClusters = f.QuotaHAClusters
	o.Patterns.Enabled, o.Patterns.MinVariants, o.Patterns.MaxPatterns = f.PatternsEnabled, f.PatternsMinVariants, f.PatternsMaxPerGroup
	o.Patterns.MaxGroups, o.Patterns.MaxBytes = f.PatternsMaxGroups, f.PatternsMaxBytes
	o.Metering = app.MeteringOptions{Flush: f.MeteringFlushInterval, Sample: f.MeteringSampleInterval, Budgets: f.MeteringBudgetInterval}
	o.Writer = app.WriterOptions{MaxInsertRows: f.WriterMaxInsertRows, MaxBatchBytes: f.WriterMaxBatchBytes, MaxBatchAge: f.WriterMaxBatchAge, InsertsPerSecond: f.WriterInsertsPerSecond, MaxCountsAge: f.WriterMaxCountsAge, LogFilterRows: f.WriterLogFilterRows}
	o.Query = app.QueryOptions{
		Timeout: f.QueryTimeout, MaxSamples: f.QueryMaxSamples, ChunkSamples: f.QueryChunkSamples, MaxSeries: f.QueryMaxSeries, LogFilterBytes: f.QueryLogFilterBytes, SeriesIndexBytes: f.QuerySeriesIndexBytes, SampleCacheBytes: f.QuerySampleCacheBytes, MaxEntries: f.QueryMaxEntries,
		MaxContextLines: f.QueryMaxContextLines, MaxConcurrent: f.QueryMaxConcurrent, MaxTails: f.QueryMaxTails, MaxTenantConns: f.QueryMaxTenantConns,
		Admission: f.QueryAdmission, MaxScans: f.QueryMaxScans, ScanBytes: f.QueryScanBytes, MaxInflightBytes: f.QueryMaxInflightBytes, MaxQueued: f.QueryMaxQueued, MaxWait: f.QueryMaxWait,
	}
	f.set(&o.Query)
	events, audit := &o.Query.Events, &o.Query.Audit
	events.MaxEvents, events.MaxValues, events.MaxPoints, events.MaxHistory = f.QueryMaxEvents, f.QueryMaxEventValues, f.QueryMaxEventPoints, f.QueryMaxEventHistory
	audit.MaxRecords, audit.MaxClients, audit.MaxWrites, audit.MaxWriteBytes = f.QueryMaxAuditRecords, f.QueryMaxAuditClients, f.QueryMaxAuditWrites, f.QueryMaxAuditWriteBytes
	o.SQL.Timeout, o.SQL.MaxRows, o.SQL.MaxBytes, o.SQL.Statement.MaxBytes = f.SQLTimeout, f.SQLMaxRows, f.SQLMaxResultBytes, f.SQLMaxQueryBytes
	o.Export = logexport.Limits{
		MaxRows: f.ExportMaxRows, MaxBytes: f.ExportMaxBytes, Timeout: f.ExportTimeout, StallTimeout: f.ExportStallTimeout,
		MaxConcurrent: f.ExportMaxConcurrent, MaxTenantConcurrent: f.ExportMaxTenantConcurrent,
	}
	o.Alerting = app.AlertingOptions{
		EvaluationInterval: f.AlertingEvaluationInterval, AllowedReceivers: f.AlertingAllowedReceivers, DeliveriesKept: f.AlertingDeliveriesKept, TestsPerMinute: f.AlertingTestsPerMinute, ExternalURL: f.AlertingExternalURL,
		EvaluationDelay: f.AlertingEvaluationDelay, LateDataHold: f.AlertingLateDataHold, GroupsPerTenant: f.AlertingGroupsPerTenant, RulesPerGroup: f.AlertingRulesPerGroup,
		MaxGroupBytes: f.AlertingMaxGroupBytes, MinInterval: f.AlertingMinInterval, MaxQueryOffset: f.AlertingMaxQueryOffset, Backtest: o.Alerting.Backtest,
	}
	o.Alerting.Detectors = detect.Limits{
		PerTenant: f.AlertingDetectorsPerTenant, SeriesPerDetector: f.AlertingDetectorSeries, Workers: f.AlertingDetectorWorkers, MinInterval: f.AlertingDetectorInterval,
		Timeout: f.AlertingDetectorTimeout, Refresh: f.AlertingDetectorRefresh, MaxPreview: f.AlertingDetectorPreview,
	}
	o.Query.Suspects = suspects.Limits{Timeout: f.QuerySuspectTimeout, Parallel: f.QueryMaxSuspectParallel, MaxWindow: f.QueryMaxSuspectWindow, MaxRows: f.QueryMaxSuspectRows}
	o.Alerting.Backtest.Steps, o.Alerting.Backtest.Evaluations = f.AlertingBacktestSteps, f.AlertingBacktestQueries
	o.Tenants = app.TenantsOptions{
		ChangeRetention: f.TenantsChangeRetention, DeleteGrace: f.TenantsDeleteGrace, PurgeSettle: f.TenantsPurgeSettle, Retention: f.RetentionDefault, MaxRetention: f.RetentionMax,
		RetentionInterval: f.RetentionInterval, TransferDir: f.TenantsExportDir, TransferKeep: f.TenantsExportKeep, TransferMaxBytes: f.TenantsExportMaxBytes,
	}
	o.Directory = app.DirectoryOptions{MaxAdminAge: f.DirectoryMaxAdminAge, MaxIngestAge: f.DirectoryMaxIngestAge}
	o.Forwarders = app.ForwardersOptions{AllowedTargets: f.ForwardersAllowedTargets, Limits: forward.Limits{
		MaxPerTenant: f.ForwardersMaxPerTenant, MaxBatchBytes: f.ForwardersMaxBatchBytes, MaxBatchAge: f.ForwardersMaxBatchAge, MaxAttempts: f.ForwardersMaxAttempts,
	}}
}

func (f *serverFlags) logger() *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(f.LogLevel)) // kong has checked it against the enum
	o := &slog.HandlerOptions{Level: level}
	if f.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

// failpoint makes the function that kills this process at the Nth pass of a named step; nil when none is set.
func failpoint(spec string) (func(string), error) {
	if spec == "" {
		return nil, nil //nolint:nilnil // no failpoint is the normal case
	}
	name, count, ok := strings.Cut(spec, ":")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || n < 1 {
		return nil, fmt.Errorf("--debug.failpoint is %q; it must be NAME:N", spec)
	}
	passes := make(chan struct{}, n)
	return func(at string) {
		if at != name {
			return
		}
		select {
		case passes <- struct{}{}:
		default:
		}
		if len(passes) == n {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}, nil
}
