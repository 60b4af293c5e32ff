//go:build !linux

package doctor

import "errors"

// kernel warns: the embedded engine is confined on Linux alone.
func (e *exam) kernel() {
	if len(e.o.ClickHouse.Shards) == 0 {
		e.warn("kernel", "Give untrusted tenants no SQL, or run Seamark on Linux.", "the embedded ClickHouse is confined to its folder on Linux alone")
	}
}

func (e *exam) clock() {}

func inodeOf(string) (uint64, error) { return 0, errors.ErrUnsupported }
