// Package promql answers PromQL: Prometheus' own parser and engine over one tenant's series and samples in the store. It
// adds the tenant, the limits and the errors, shows stored changes as counters, evaluates the heavy parts of queries on columns
// (package grid), lets equal queries share an execution, and changes nothing of the language. Package app hands it to the HTTP
// API and to alerting.
package promql
