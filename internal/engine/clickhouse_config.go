package engine

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"text/template"
)

// AdminUser is the ClickHouse user with every right. It is not `default`: the engine's own command line logs in as
// `default` without a password, so that user is kept powerless and shut to the network (see usersTemplate).
const AdminUser = "seamark"

// TenantUser returns the name of tenant number n's ClickHouse user and database: t0001, t0002, ...
func TenantUser(n int) string { return fmt.Sprintf("t%04d", n) }

// TenantPassword derives the password of a pre-provisioned tenant user from the secret of this boot.
func TenantPassword(secret, user string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(user))
	return hex.EncodeToString(mac.Sum(nil))
}

func passwordHash(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

// serverConfig is what configTemplate needs.
type serverConfig struct {
	Data, Users      string
	Ports            ports
	Threads          int
	MaxMemoryBytes   int64
	KeepFreeBytes    int64
	MaxConcurrent    int
	BackgroundMerges int
}

// usersConfig is what usersTemplate needs.
type usersConfig struct {
	AdminUser, AdminHash string
	Threads              int
	Ceilings             []ceiling
	Statements           int
	MemoryBytes          int64
	MinuteBytes          int64
	DayBytes             int64
	Locked               []string
	Tenants              []tenantUser
}

type tenantUser struct{ Name, Hash string }

// configTemplate is the server's configuration. No system log tables: an absent section means the table does not exist,
// and writing them costs CPU on an idle engine. Caches are small because the whole product has to live in about 1.2 GB.
const configTemplate = `<clickhouse>
  <logger>
    <level>warning</level>
    <levels>
      <!-- A failed query is told to its client; logging it here would let any tenant fill our log. -->
      <logger><name>executeQuery</name><level>fatal</level></logger>
      <logger><name>TCPHandler</name><level>fatal</level></logger>
      <logger><name>DynamicQueryHandler</name><level>fatal</level></logger>
    </levels>
  </logger>
  <path>{{text .Data}}</path>
  <users_config>{{text .Users}}</users_config>
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>{{.Ports.TCP}}</tcp_port>
  <http_port>{{.Ports.HTTP}}</http_port>
  <keep_alive_timeout>60</keep_alive_timeout>
  <max_connections>512</max_connections>
  <max_concurrent_queries>{{.MaxConcurrent}}</max_concurrent_queries>
  <max_server_memory_usage>{{.MaxMemoryBytes}}</max_server_memory_usage>
  <memory_worker_period_ms>500</memory_worker_period_ms>
  <asynchronous_metrics_update_period_s>60</asynchronous_metrics_update_period_s>
  <max_thread_pool_size>500</max_thread_pool_size>
  <concurrent_threads_soft_limit_num>{{.Threads}}</concurrent_threads_soft_limit_num>
  <background_pool_size>{{.BackgroundMerges}}</background_pool_size>
  <background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
  <background_move_pool_size>1</background_move_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_buffer_flush_schedule_pool_size>1</background_buffer_flush_schedule_pool_size>
  <background_message_broker_schedule_pool_size>1</background_message_broker_schedule_pool_size>
  <background_distributed_schedule_pool_size>1</background_distributed_schedule_pool_size>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <mark_cache_size>67108864</mark_cache_size>
  <index_mark_cache_size>33554432</index_mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <index_uncompressed_cache_size>0</index_uncompressed_cache_size>
  <primary_index_cache_size>67108864</primary_index_cache_size>
  <text_index_tokens_cache_size>33554432</text_index_tokens_cache_size>
  <text_index_header_cache_size>33554432</text_index_header_cache_size>
  <text_index_postings_cache_size>67108864</text_index_postings_cache_size>
  <compiled_expression_cache_size>16777216</compiled_expression_cache_size>
  <merge_tree>
    <!-- The defaults assume a pool of 32; with our small pool they would forbid mutations and shrink every merge. -->
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
    <!-- Statistics of columns help joins, which we have none of; they cost a tenth of each insert and merge. -->
    <auto_statistics_types></auto_statistics_types>
    <!-- A merged part is not synced to the disk, so the parts that it replaces must stay until the kernel has written it: the
         server's default, which the library has not. A power cut would lose acknowledged rows without it, and the small files of
         many parts would go at one moment, which a disk that is told of each freed block (mount option discard) stalls for. -->
    <old_parts_lifetime>480</old_parts_lifetime>
  </merge_tree>
  <storage_configuration>
    <disks><default><keep_free_space_bytes>{{.KeepFreeBytes}}</keep_free_space_bytes></default></disks>
  </storage_configuration>
  <access_control_improvements>
    <select_from_system_db_requires_grant>true</select_from_system_db_requires_grant>
    <select_from_information_schema_requires_grant>true</select_from_information_schema_requires_grant>
    <table_engines_require_grant>true</table_engines_require_grant>
    <enable_read_write_grants>true</enable_read_write_grants>
  </access_control_improvements>
  <!-- An empty list: no statement makes the engine call out over HTTP. -->
  <remote_url_allow_hosts></remote_url_allow_hosts>
</clickhouse>
`

// usersTemplate makes every user of the engine. `default` exists because the engine's command line insists on it: it may
// open the listeners and nothing else, and its single allowed session is the command line's own, so that no connection
// can ever log in as it. A tenant's limits come with each statement and have ceilings here, see ceilings; what no plan changes is
// locked by a `readonly` constraint. Neither holds against `SETTINGS name = DEFAULT` in a statement's text, which the engine applies
// unchecked (26.7): tenants' SQL must not have a SETTINGS clause. The quota holds against that too. It is kept per key
// that a client sends, else per user, and an interval without maxima counts.
const usersTemplate = `<clickhouse>
  <profiles>
    <default>
      <async_insert>0</async_insert>
      <implicit_select>0</implicit_select>
      <max_threads>{{.Threads}}</max_threads>
      <max_insert_threads>1</max_insert_threads>
      <use_query_cache>0</use_query_cache>
      <log_queries>0</log_queries>
      <log_query_threads>0</log_query_threads>
      <query_profiler_real_time_period_ns>0</query_profiler_real_time_period_ns>
      <query_profiler_cpu_time_period_ns>0</query_profiler_cpu_time_period_ns>
    </default>
    <starter>
      <max_sessions_for_user>1</max_sessions_for_user>
    </starter>
    <tenant>
      <readonly>2</readonly>
      <allow_ddl>0</allow_ddl>
      <allow_introspection_functions>0</allow_introspection_functions>
      <use_query_cache>0</use_query_cache>
      <implicit_select>0</implicit_select>
      <log_queries>0</log_queries>
      <max_memory_usage_for_user>{{.MemoryBytes}}</max_memory_usage_for_user>
      <max_concurrent_queries_for_user>{{.Statements}}</max_concurrent_queries_for_user>
{{- range .Ceilings}}{{if not .Unset}}
      <{{.Name}}>{{.Max}}</{{.Name}}>
{{- end}}{{end}}
      <query_profiler_real_time_period_ns>0</query_profiler_real_time_period_ns>
      <query_profiler_cpu_time_period_ns>0</query_profiler_cpu_time_period_ns>
      <constraints>
{{- range .Ceilings}}
        <{{.Name}}><min>{{.Least}}</min><max>{{.Max}}</max></{{.Name}}>
{{- end}}
{{- range .Locked}}
        <{{.}}><readonly/></{{.}}>
{{- end}}
      </constraints>
    </tenant>
  </profiles>
  <quotas>
    <default/>
    <tenant>
      <keyed/>
      <interval><duration>60</duration><read_bytes>{{.MinuteBytes}}</read_bytes></interval>
      <interval><duration>86400</duration><read_bytes>{{.DayBytes}}</read_bytes></interval>
    </tenant>
  </quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>starter</profile>
      <quota>default</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants>
    </default>
    <{{.AdminUser}}>
      <password_sha256_hex>{{.AdminHash}}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </{{.AdminUser}}>
{{- range .Tenants}}
    <{{.Name}}><password_sha256_hex>{{.Hash}}</password_sha256_hex><networks><ip>127.0.0.1</ip></networks><profile>tenant</profile><quota>tenant</quota><grants><query>GRANT SELECT ON {{.Name}}.*</query></grants></{{.Name}}>
{{- end}}
  </users>
</clickhouse>
`

// render fills a configuration template; `text` escapes a path for XML.
func render(name, body string, data any) ([]byte, error) {
	t, err := template.New(name).Funcs(template.FuncMap{"text": xmlText}).Parse(body)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return out.Bytes(), nil
}

func xmlText(s string) (string, error) {
	var out bytes.Buffer
	err := xml.EscapeText(&out, []byte(s))
	return out.String(), err
}
