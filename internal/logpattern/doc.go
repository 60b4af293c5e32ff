// Package logpattern finds the templates behind log lines: what stays the same is kept, what differs becomes <_>, as in LogQL's
// pattern filter. A first stage without state puts <_> in place of words that are values by their look: numbers, ids, addresses,
// times. What is left goes into a bounded tree of shapes, as in Drain (He et al., "Drain: An Online Log Parsing Approach with
// Fixed Depth Tree", ICWS 2017), which learns what other words differ. The package knows text alone: ingest mines with it, and
// the queriers fold with it what several ingesters have mined.
package logpattern

import "github.com/cespare/xxhash/v2"

// Wildcard stands for what differs. LogQL's |> filter reads it.
const Wildcard = "<_>"

// ID names a template: the same text has the same id on every node and at all times.
func ID(text string) uint64 { return xxhash.Sum64String(text) }
