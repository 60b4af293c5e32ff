package engine

import "github.com/seamarkhq/seamark/internal/seamark"

// lockedSettings are the settings a tenant user can neither set in a statement nor send with it: they have a `readonly`
// constraint. Settings with a ceiling may be set below it, and everything else (log_comment, workload, the planner's switches)
// to anything.
func lockedSettings() []string {
	return append(limitSettings(), textSettings()...)
}

// ceiling is the range of a setting that a tenant's statements may set. The least is 1 where 0 is no limit: a maximum alone lets
// 0 pass.
type ceiling struct {
	Name       string
	Least, Max int64
	Unset      bool // the setting has the engine's own value where a statement does not set it, else the maximum
}

// lowestPriority is the largest value that Linux knows for a thread's nice value.
const lowestPriority = 19

// PatientNice is the value of os_threads_nice_value_query from which on a statement's threads run only when nothing else does, see runIdle.
const PatientNice = 15

// ceilings returns the settings that the limits of a plan act by.
func ceilings(c *seamark.Ceilings) []ceiling {
	return []ceiling{
		{Name: "max_bytes_to_read", Least: 1, Max: c.Bytes},
		{Name: "max_rows_to_read", Least: 1, Max: c.Rows},
		{Name: "max_memory_usage", Least: 1, Max: c.MemoryBytes},
		{Name: "max_result_bytes", Least: 1, Max: c.ResultBytes},
		{Name: "max_execution_time", Least: 1, Max: int64(c.Time.Seconds())},
		{Name: "max_threads", Least: 1, Max: int64(c.Threads)}, // 0 is one for each of the machine's CPUs, and passes
		// Negative values would put a tenant's threads before the writer's.
		{Name: "os_threads_nice_value_query", Least: 0, Max: lowestPriority, Unset: true},
	}
}

// limitSettings are the limits of the tenant profile that plans do not change, and the switches that would open what the profile
// closes.
func limitSettings() []string {
	return []string{
		"readonly", "allow_ddl", "allow_introspection_functions", "use_query_cache", "implicit_select",
		"max_memory_usage_for_user", "max_concurrent_queries_for_user", "max_sessions_for_user",
		// A limit that ends an answer early instead of refusing it would make wrong answers of the query languages.
		"read_overflow_mode", "timeout_overflow_mode", "result_overflow_mode",
		// What is not tracked is not limited.
		"max_untracked_memory",
		// Other languages and code in strings: they would pass by a guard that reads SQL.
		"dialect", "allow_experimental_kusto_dialect", "allow_experimental_prql_dialect",
		"allow_experimental_polyglot_dialect", "allow_experimental_eval_table_function", "allow_fuzz_query_functions",
		"allow_python_table_function", "allow_experimental_ai_functions",
		// Reaches beyond the tenant's data: client headers carry credentials, the others reach disks and Keeper.
		"allow_get_client_http_header", "allow_unrestricted_reads_from_keeper", "dynamic_disk_allow_from_env",
		"dynamic_disk_allow_include", "dynamic_disk_allow_from_zk", "s3_allow_server_credentials_in_user_queries",
	}
}

// textSettings are all settings whose value is free text, except freeTextSettings: a text can be a path (format_schema and
// the templates read any file in this mode, output_format_schema writes one), an address, or an expression
// (additional_result_filter). A test compares the list with the engine's, so that a new version cannot add one unseen.
func textSettings() []string {
	return []string{
		"additional_result_filter", "additional_table_filters", "ai_function_embedding_default_credentials",
		"ai_function_text_default_credentials", "bool_false_representation", "bool_true_representation",
		"chdb_client_name", "cluster_for_parallel_replicas", "column_names_for_schema_inference", "compatibility",
		"default_view_definer", "distributed_cache_file_cache_name", "distributed_plan_force_exchange_kind",
		"errors_output_format", "exclude_materialize_skip_indexes_on_insert", "filesystem_cache_name",
		"format_avro_schema_registry_url", "format_csv_null_representation", "format_custom_field_delimiter",
		"format_custom_result_after_delimiter", "format_custom_result_before_delimiter",
		"format_custom_row_after_delimiter", "format_custom_row_before_delimiter", "format_custom_row_between_delimiter",
		"format_json_object_each_row_column_for_object_name", "format_regexp", "format_schema",
		"format_schema_message_name", "format_schema_source", "format_template_resultset",
		"format_template_resultset_format", "format_template_row", "format_template_row_format",
		"format_template_rows_between_delimiter", "format_tsv_null_representation", "function_implementation",
		"http_response_headers", "iceberg_metadata_compression_method", "implicit_table_at_top_level",
		"input_format_mysql_dump_table_name", "input_format_orc_reader_time_zone_name",
		"input_format_record_errors_file_path", "insert_deduplication_token", "local_filesystem_read_method",
		"metrics_perf_events_list", "output_format_avro_codec", "output_format_avro_confluent_subject",
		"output_format_avro_string_column_pattern", "output_format_image_terminal_mode",
		"output_format_orc_writer_time_zone_name", "output_format_pretty_grid_charset", "output_format_schema",
		"output_format_sql_insert_table_name", "parallel_replicas_custom_key", "polyglot_dialect", "promql_database",
		"promql_table", "query_cache_tag", "remote_filesystem_read_method", "rename_files_after_processing",
		"s3queue_default_zookeeper_path", "schema_inference_hints", "send_logs_source_regexp",
		"stream_like_engine_insert_queue", "temporary_files_codec", "trace_profile_events_list", "url_base",
	}
}

// freeTextSettings are the settings with a text value that a tenant's query may set: names and notes that read nothing.
func freeTextSettings() []string {
	return []string{
		"count_distinct_implementation", "force_data_skipping_indices", "force_optimize_projection_name",
		"ignore_data_skipping_indices", "log_comment", "network_compression_method", "preferred_optimize_projection_name",
		"workload",
	}
}
