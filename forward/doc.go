// Package forward sends what tenants ask for on to targets of theirs, at least once and from the bus: a forwarder reads its
// tenant's messages beside the writer, runs them through a filter, and moves its position only after the target has said
// that it has them. It holds nothing back: a target that is away costs its own forwarder its place in the streams' tail,
// and nobody else anything. Package app hands it the filter and the labels of streams.
package forward
