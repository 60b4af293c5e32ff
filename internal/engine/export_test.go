package engine

import "github.com/nats-io/nats-server/v2/server"

// LockedSettings and FreeTextSettings show the lists that a test compares with the engine's own.
var (
	LockedSettings   = lockedSettings
	FreeTextSettings = freeTextSettings
)

// ShareOfDisk shows how reserves are cut to the disk's size.
var ShareOfDisk = shareOfDisk

// Server returns the server that runs now.
func (n *NATS) Server() *server.Server {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.server
}
