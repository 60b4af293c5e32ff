// Package forward takes logs over the Fluent forward protocol, version 1, as Fluentd, Fluent Bit, Docker and the
// fluent-logger libraries speak it: Message, Forward, PackedForward and CompressedPackedForward, EventTime, acknowledgement
// by chunk, and the handshake. ParseFrame and Decoder are pure; Server has the listener. Package app imports it.
//
// # How a tenant is proven
//
// The protocol's own user authentication cannot carry a token as a password: PING holds SHA-512 of salt, user and
// password, which can only be compared by who knows the password, and of a token we keep a hash alone. Keeping tokens
// readable for this one protocol would give up more than it brings. PING's user name, however, is sent as it is. So:
//
//   - a listener with a shared key does the handshake, in which the user name is the ingest token. The password is not
//     looked at: whoever knows the token has proven all there is to prove. The shared key is the listener's, known to all
//     of its tenants' agents, and proves no tenant; it keeps strangers out and lets agents prove that the server is theirs;
//   - the client's verified TLS certificate maps to a token;
//   - the listener has a token: all of its connections are that token's. This is for senders that know neither handshake
//     nor certificates, as Docker's log driver, on a network that only they reach.
//
// The token is taken over TLS only, unless the operator says otherwise. Two other places were weighed and refused: the tag,
// because tags stand in the agents' logs, metrics and buffer file names, and the record or the option map, because agents
// cannot set the one and would store the token beside every record in the other.
//
// # What is acknowledged
//
// A chunk is acknowledged after all of its rows that can be stored are stored durably. The protocol has no way to refuse:
// rows that never can be are counted for the tenant's drop ledger and acknowledged with their neighbours, and a chunk that
// cannot be read at all is not acknowledged and ends its connection, so that it stays with its sender (Fluentd's secondary
// output, Fluent Bit's retry limit). A chunk that is sent again is stored once. Without a chunk option nothing is
// acknowledged: such messages are gathered and pushed until they are stored, or lost with the process.
//
// Heartbeats over TCP (a connection, or a nil) are taken. UDP heartbeats are not answered: Fluentd has not sent them by
// default since 0.14 (heartbeat_type transport).
package forward
