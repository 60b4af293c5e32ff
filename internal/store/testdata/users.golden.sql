-- no quota, 1
CREATE USER IF NOT EXISTS t0001 IDENTIFIED WITH sha256_password BY 'secret' SETTINGS readonly = 2 READONLY, allow_ddl = 0 READONLY, allow_introspection_functions = 0 READONLY, use_query_cache = 0 READONLY

-- no quota, 10
DROP QUOTA IF EXISTS seamark_t0001

-- no quota, 2
GRANT SELECT ON t0001.* TO t0001

-- no quota, 3
CREATE SETTINGS PROFILE IF NOT EXISTS seamark_t0001

-- no quota, 4
ALTER SETTINGS PROFILE seamark_t0001 SETTINGS readonly = 2 READONLY, allow_ddl = 0 READONLY, allow_introspection_functions = 0 READONLY, use_query_cache = 0 READONLY, read_overflow_mode = 'throw' READONLY, timeout_overflow_mode = 'throw' READONLY, result_overflow_mode = 'throw' READONLY, max_untracked_memory READONLY, max_memory_usage_for_user = 4294967296 READONLY, max_concurrent_queries_for_user = 32 READONLY, max_bytes_to_read = 274877906944 MIN 1 MAX 274877906944, max_execution_time = 7200 MIN 1 MAX 7200, max_memory_usage = 4294967296 MIN 1 MAX 4294967296, max_result_bytes = 1073741824 MIN 1 MAX 1073741824, max_rows_to_read = 100000000000 MIN 1 MAX 100000000000, max_threads = 4 MIN 1 MAX 4, os_threads_nice_value_query MIN 0 MAX 19

-- no quota, 5
ALTER USER t0001 SETTINGS PROFILE 'seamark_t0001'

-- no quota, 6
CREATE QUOTA IF NOT EXISTS seamark_t0001 KEYED BY client_key, user_name FOR INTERVAL 1 minute TRACKING ONLY, FOR INTERVAL 1 day TRACKING ONLY TO t0001

-- no quota, 7
ALTER QUOTA seamark_t0001 KEYED BY client_key, user_name FOR INTERVAL 1 minute TRACKING ONLY, FOR INTERVAL 1 day TRACKING ONLY TO t0001

-- no quota, 8
DROP USER IF EXISTS t0001

-- no quota, 9
DROP SETTINGS PROFILE IF EXISTS seamark_t0001

-- quotas, 1
CREATE USER IF NOT EXISTS t0001 IDENTIFIED WITH sha256_password BY 'secret' SETTINGS readonly = 2 READONLY, allow_ddl = 0 READONLY, allow_introspection_functions = 0 READONLY, use_query_cache = 0 READONLY

-- quotas, 10
DROP QUOTA IF EXISTS seamark_t0001

-- quotas, 2
GRANT SELECT ON t0001.* TO t0001

-- quotas, 3
CREATE SETTINGS PROFILE IF NOT EXISTS seamark_t0001

-- quotas, 4
ALTER SETTINGS PROFILE seamark_t0001 SETTINGS readonly = 2 READONLY, allow_ddl = 0 READONLY, allow_introspection_functions = 0 READONLY, use_query_cache = 0 READONLY, read_overflow_mode = 'throw' READONLY, timeout_overflow_mode = 'throw' READONLY, result_overflow_mode = 'throw' READONLY, max_untracked_memory READONLY, max_memory_usage_for_user = 4294967296 READONLY, max_concurrent_queries_for_user = 32 READONLY, max_bytes_to_read = 274877906944 MIN 1 MAX 274877906944, max_execution_time = 7200 MIN 1 MAX 7200, max_memory_usage = 4294967296 MIN 1 MAX 4294967296, max_result_bytes = 1073741824 MIN 1 MAX 1073741824, max_rows_to_read = 100000000000 MIN 1 MAX 100000000000, max_threads = 4 MIN 1 MAX 4, os_threads_nice_value_query MIN 0 MAX 19

-- quotas, 5
ALTER USER t0001 SETTINGS PROFILE 'seamark_t0001'

-- quotas, 6
CREATE QUOTA IF NOT EXISTS seamark_t0001 KEYED BY client_key, user_name FOR INTERVAL 1 minute MAX read_bytes = 1073741824, FOR INTERVAL 1 day MAX read_bytes = 1099511627776 TO t0001

-- quotas, 7
ALTER QUOTA seamark_t0001 KEYED BY client_key, user_name FOR INTERVAL 1 minute MAX read_bytes = 1073741824, FOR INTERVAL 1 day MAX read_bytes = 1099511627776 TO t0001

-- quotas, 8
DROP USER IF EXISTS t0001

-- quotas, 9
DROP SETTINGS PROFILE IF EXISTS seamark_t0001

