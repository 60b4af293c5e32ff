package child

import "runtime"

// MayComeFirst tries what ingest that comes first and queries that come last take: that a thread becomes real-time, and that an idle one
// is raised again. It is CAP_SYS_NICE, or RLIMIT_RTPRIO and RLIMIT_NICE.
func MayComeFirst() error {
	return try(Scheduling{RealTime: true}, Scheduling{Idle: true}, Scheduling{})
}

// try schedules a thread in these ways, one after the other. It is one of its own, which ends, however it is scheduled then.
func try(ways ...Scheduling) error {
	tried := make(chan error)
	go func() {
		runtime.LockOSThread()
		for _, s := range ways {
			if err := SetThread(0, s); err != nil {
				tried <- err
				return
			}
		}
		tried <- nil
	}()
	return <-tried
}
