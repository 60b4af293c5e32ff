package seamark

import (
	"errors"
	"time"
)

// Ceilings are what no statement of a tenant can exceed in ClickHouse, whatever the tenant's plan allows: the wall behind the limits
// that a query is given. Those of one statement must be set; a zero quota is none.
type Ceilings struct {
	Bytes       int64         // read by a statement
	Rows        int64         // read by a statement
	MemoryBytes int64         // of a statement, and of all of the tenant's together
	ResultBytes int64         // of a statement's answer
	Time        time.Duration // of a statement
	Threads     int           // of a statement
	Statements  int           // of the tenant at once
	MinuteBytes int64         // read by all of the tenant's statements of a minute
	DayBytes    int64         // read by all of the tenant's statements of a day of UTC
}

// DefaultCeilings returns ceilings that a machine of this many CPUs stands.
func DefaultCeilings(cpus int) Ceilings {
	return Ceilings{
		Bytes: 256 << 30, Rows: 100_000_000_000, MemoryBytes: 4 << 30, ResultBytes: 1 << 30, Time: 2 * time.Hour,
		Threads: cpus, Statements: 32,
	}
}

// Validate refuses a ceiling that would be none.
func (c *Ceilings) Validate() error {
	if c.Bytes < 1 || c.Rows < 1 || c.MemoryBytes < 1 || c.ResultBytes < 1 || c.Threads < 1 || c.Statements < 1 {
		return errors.New("ceilings of a statement must be at least 1")
	}
	if c.Time < time.Second {
		return errors.New("the ceiling of a statement's time must be at least a second")
	}
	if c.MinuteBytes < 0 || c.DayBytes < 0 {
		return errors.New("quotas must not be negative")
	}
	return nil
}
