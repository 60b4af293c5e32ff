package doctor

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/seamarkhq/seamark/internal/child"
)

// landlockNeeded is the version that the embedded engine is confined with: Linux 5.19.
const landlockNeeded = 2

// kernel looks for what the embedded engine is confined with.
func (e *exam) kernel() {
	if len(e.o.ClickHouse.Shards) > 0 {
		return
	}
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		version = 0
	}
	e.landlock(int(version))
	e.threads(child.MayComeFirst())
}

// threads judges whether the system allows what keeps queries from slowing down ingest where both share the processors.
func (e *exam) threads(refused error) {
	if refused != nil {
		e.warn("threads", "Run the server with the capability CAP_SYS_NICE, as the systemd unit does; for a container it is --cap-add SYS_NICE with --user 0.",
			"the system lets no thread come first: heavy queries slow down acknowledgements and small queries on the same processors more (%v)", refused)
		return
	}
	e.ok("threads", "ingest may come first on the processors, and heavy queries last")
}

func (e *exam) landlock(version int) {
	if version < landlockNeeded {
		e.warn("kernel", "Use Linux 5.19 or newer with landlock among the active security modules; until then give untrusted tenants no SQL.",
			"Landlock has version %d, not %d: the embedded ClickHouse is not confined to its folder", version, landlockNeeded)
		return
	}
	e.ok("kernel", "Landlock has version %d: the embedded ClickHouse is confined to its folder", version)
}

// clock asks the kernel whether anything keeps this machine's clock.
func (e *exam) clock() {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return // a sandbox may forbid the question
	}
	e.synchronised(state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0)
}

func (e *exam) synchronised(is bool) {
	if is {
		e.ok("clock", "the kernel says that this machine's clock is synchronised")
		return
	}
	e.warn("clock", "Run chrony or another NTP client, on the host where this is a container.", "the kernel says that this machine's clock is not synchronised")
}

// inodeOf returns the number of a file.
func inodeOf(name string) (uint64, error) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, err
	}
	return info.Sys().(*syscall.Stat_t).Ino, nil
}
