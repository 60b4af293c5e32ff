// Package grid evaluates range functions of PromQL over columns, for every step of a query at once, and adds their results
// up by groups or chooses among them. Each value has the bits that Prometheus' engine gives for the same samples: the same
// operations on the same operands in the same order, only without an iterator, a copy of the window and a call per step.
// It knows neither labels nor the store; package promql is its only user. The reasons stand in
// docs/decisions/0012-promql-grid.md.
package grid
