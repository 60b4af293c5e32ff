package engine

import "github.com/nats-io/nats-server/v2/server"

// LockedSettings, FreeTextSettings and Ceilings show the lists that tests compare with the engine's own.
var (
	LockedSettings   = lockedSettings
	FreeTextSettings = freeTextSettings
	Ceilings         = ceilings
)

// ShareOfDisk shows how reserves are cut to the disk's size.
var ShareOfDisk = shareOfDisk

// Server returns the server that runs now.
func (n *NATS) Server() *server.Server {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.server
}
