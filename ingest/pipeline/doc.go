// Package pipeline changes a tenant's log records between decoding and publishing: it parses, renames, drops, samples,
// redacts, routes and counts them as the tenant's definitions say. Statements and conditions are OTTL, the OpenTelemetry
// Transformation Language, in its log context. docs/pipelines.md shows each step.
//
// A pipeline never loses data by accident: what fails on a record lets that record pass with the attribute
// _pipeline_error. What a record becomes depends on the record and the definition alone, so that a repeated request gives
// the same rows.
//
// It knows no HTTP, no bus and no store. Package ingest applies it; package app hands it definitions and a place for its
// counters.
package pipeline
