package engine

import "github.com/nats-io/nats-server/v2/server"

// LockedSettings and FreeTextSettings show the lists that a test compares with the engine's own.
var (
	LockedSettings   = lockedSettings
	FreeTextSettings = freeTextSettings
)

// Server returns the server that runs now.
func (n *NATS) Server() *server.Server {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.server
}
