// Package seamark holds the words every other package speaks: tenants, clusters, principals, signals, batches, limits,
// time ranges and errors. It depends on the standard library alone, does no I/O, and may be imported by everyone.
package seamark
