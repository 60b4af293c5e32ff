// Package otlpgrpc serves OTLP over gRPC: the Export methods of LogsService, MetricsService and TraceService. A message
// goes as bytes to the decoders of package ingest/otlp. It stores nothing itself and knows no bus; package app hands in
// how a token is proven and where a batch goes.
//
// It speaks gRPC's wire protocol (PROTOCOL-HTTP2.md of grpc/grpc, unary calls only) on net/http instead of running
// grpc-go's server, which reads and inflates a message before anybody can ask for the memory or watch the sender's pace,
// and drops its limits when it runs behind an http.Handler. Here a gRPC request meets the same order of checks as an
// HTTP one, on its own port and on the main one: token, permission, compressed size, memory, inflated size, decoding.
package otlpgrpc
