package child

import (
	"runtime"
)

// MayComeFirst tries, on a thread that ends, what ingest that comes first and queries that come last take: that a thread becomes real-time,
// and that an idle one is raised again. It is CAP_SYS_NICE, or RLIMIT_RTPRIO and RLIMIT_NICE.
func MayComeFirst() error {
	tried := make(chan error)
	go func() {
		runtime.LockOSThread() // and the thread ends with the goroutine, however it is scheduled
		for _, s := range []Scheduling{{RealTime: true}, {Idle: true}, {}} {
			if err := SetThread(0, s); err != nil {
				tried <- err
				return
			}
		}
		tried <- nil
	}()
	return <-tried
}
