// Package engine starts and supervises the two engines that a single seamark process embeds: nats-server as a library and
// ClickHouse as a child process that loads libchdb. It hands out addresses and credentials and knows nothing of tenants,
// streams or tables. Only internal/app and internal/testkit import it.
package engine
