// Package jsonlog turns log records in plain JSON (already inflated) into a seamark.Batch: one record per line (NDJSON), an
// array of records, or one record alone, which may span lines. It is what generic HTTP outputs send: Fluent Bit's http,
// Vector's http, Logstash's http, scripts with curl.
//
// Records come to the normal form of package record; the sender may say which of its fields are the line, the time, the
// level and stream labels (see ParseMapping). A line that is no record is refused and its neighbours are kept. Package
// ingest imports it.
package jsonlog
