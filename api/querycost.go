package api

import (
	"context"
	"time"
)

// QueryCost is what a query has cost, in the words of the header Seamark-Query-Cost.
type QueryCost struct {
	Rows       uint64 `json:"rows"`
	Bytes      uint64 `json:"bytes"`
	CPUMillis  uint64 `json:"cpu_ms"`
	Queued     uint64 `json:"queued_ms"`
	CacheBytes uint64 `json:"cache_bytes"`

	Waited time.Duration `json:"-"` // what Queued rounds
}

// QueryCoster returns what the query that ctx works for has cost so far, nil where it is none.
type QueryCoster func(ctx context.Context) *QueryCost
