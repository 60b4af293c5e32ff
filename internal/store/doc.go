// Package store is the only place that names ClickHouse tables and writes SQL: schema, native encoding of batches, the
// insert with its verification, and the read queries of every language. A tenant's reads run as the tenant's own
// ClickHouse user, which can see that tenant's database alone. It must not import the bus or the HTTP edge.
package store
