// Package syslog takes syslog over TCP and TLS: RFC 5424 and RFC 3164 messages, counted (RFC 6587, RFC 5425) or one per
// line, as rows of logs. Parse and Decoder are pure; Server has the listener. Package app imports it.
//
// Syslog has no acknowledgement and no place for a credential, so a connection's tenant is proven in one of three ways:
//
//   - the listener has a token: connections that show no other are that token's;
//   - the client's verified TLS certificate maps to a token;
//   - a message carries the structured data element [seamark@0 token="smk_ingest_..."], in RFC 3164 at the start of its
//     text. It holds for that message and the rest of the connection, and is never stored.
//
// A message without a proven tenant closes its connection. One connection has one tenant: a relay that serves several
// opens a connection for each.
//
// There is no UDP listener. A datagram has no connection that a token could hold for, its source address proves nothing,
// nothing slows its sender down, and what is lost is not even known to be lost. Where devices speak UDP alone, an agent
// beside them (rsyslog, syslog-ng, Fluent Bit, Vector) takes it and sends it on over TLS.
package syslog
