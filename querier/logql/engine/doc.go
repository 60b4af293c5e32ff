// Package engine evaluates LogQL over a Storage. What the storage can do it is asked to do: streams, line filters, filters
// on levels, ids and attributes, counts on a grid; the rest runs as stages over the rows, with the same meaning. Package
// querier and the tests use it; it knows nothing of HTTP.
//
// Some rules go beyond Loki's documentation:
//
//   - A line's structured metadata, with its detected_level, trace_id and span_id, is seen by filters, by unwrap and by
//     every clause that names it, and belongs to the result of a log query. It splits the series of a metric query only
//     where the query names it (by, on, group_left, keep, label_format, label_replace): a trace id per line would make
//     every line a series.
//   - An empty selector {} selects all streams.
//   - A json or logfmt stage with expressions makes no labels for what the line does not have, where Loki makes empty ones.
//   - A JSON document that breaks off gives no labels at all.
//   - approx_topk is exact, and takes ranges of time too.
//   - Where a filter keeps lines with an error, their series have the label __error__, and not __error_details__: details
//     tell of single lines.
package engine
