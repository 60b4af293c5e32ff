// Package listen is what protocols with a listener of their own (syslog, Fluent forward) have in common: it accepts
// connections under a cap, proves whose they are, bounds their memory one by one and all together, gathers rows to
// batches, pushes them until they are stored, and drains. It knows no protocol. Packages syslog and forward import it.
//
// A connection is served by one goroutine that reads, decodes and pushes in turn. While a push waits or is retried, the
// socket is not read: the sender's own buffer is the queue, and TCP tells it to slow down.
package listen
