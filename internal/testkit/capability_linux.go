package testkit

import (
	"testing"

	"golang.org/x/sys/unix"
)

// MayRaiseThreads reports whether this process, and those that it starts, have CAP_SYS_NICE: without it no thread becomes real-time, and
// none that was lowered is raised again.
func MayRaiseThreads(t testing.TB) bool {
	t.Helper()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		t.Fatal(err)
	}
	return data[0].Effective&(1<<unix.CAP_SYS_NICE) != 0
}
