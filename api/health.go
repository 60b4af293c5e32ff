package api

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
)

// Health is how an installation does: its processes and what they share. Nothing in it is a tenant's.
type Health struct {
	Level string    `json:"level"` // ok, warning or failure: the worst of Problems
	Asked time.Time `json:"asked_at"`
	// Problems are the warnings and failures of all parts, the worst first.
	Problems   []HealthFinding    `json:"problems"`
	Nodes      []NodeHealth       `json:"nodes"`
	Queue      QueueHealth        `json:"queue"`
	ClickHouse []ClickHouseHealth `json:"clickhouse"`
	Alerting   AlertingHealth     `json:"alerting"`
	// Checks are those of the queue and the store, which one process makes for all; those of processes stand with them.
	Checks []HealthFinding `json:"checks"`
}

// HealthFinding is the outcome of one check, and what to do about it.
type HealthFinding struct {
	Level   string `json:"level"`
	Check   string `json:"check"`
	Message string `json:"message"`
	Advice  string `json:"advice,omitempty"`
	Runbook string `json:"runbook,omitempty"` // of docs/runbooks
	Node    string `json:"node,omitempty"`    // "" is the whole installation
}

// NodeHealth is one process.
type NodeHealth struct {
	Node    string   `json:"node"`
	Host    string   `json:"host"`
	Roles   []string `json:"roles"`
	Version string   `json:"version"`
	Level   string   `json:"level"`
	// State is ready, not_ready or silent.
	State   string    `json:"state"`
	Started time.Time `json:"started_at"`
	Heard   time.Time `json:"heard_at"`
	// ClockAhead is how far its clock is ahead of the one that answers, in seconds; absent of one that is silent.
	ClockAhead     *float64        `json:"clock_ahead_seconds,omitempty"`
	MemoryBytes    uint64          `json:"memory_bytes,omitempty"`
	AlertingShards int             `json:"alerting_shards,omitempty"`
	Checks         []HealthFinding `json:"checks"`
}

// QueueHealth is what was acknowledged and is on its way to the store.
type QueueHealth struct {
	Shards      []ShardHealth `json:"shards"`
	DeadLetters uint64        `json:"dead_letters"`
}

// ShardHealth is one shard of the queue and its writer.
type ShardHealth struct {
	Shard    string `json:"shard"`
	Bytes    uint64 `json:"bytes"`
	MaxBytes int64  `json:"max_bytes"`
	Waiting  uint64 `json:"waiting_messages"` // acknowledged and not stored
	Writer   string `json:"writer,omitempty"` // the node that stores it; absent where none does
}

// ClickHouseHealth is one shard of the store.
type ClickHouseHealth struct {
	Name    string `json:"name"`
	Level   string `json:"level"`
	Version string `json:"version,omitempty"`
	// ReachedBy and UnreachedBy are nodes.
	ReachedBy          []string     `json:"reached_by"`
	UnreachedBy        []string     `json:"unreached_by"`
	UptimeSeconds      float64      `json:"uptime_seconds,omitempty"`
	Disks              []DiskHealth `json:"disks"`
	Parts              uint64       `json:"parts"`
	MostPartitionParts uint64       `json:"most_partition_parts,omitempty"`
	Merges             uint64       `json:"merges"`
	MemoryBytes        uint64       `json:"memory_bytes"`
	MemoryLimitBytes   uint64       `json:"memory_limit_bytes,omitempty"`
}

// DiskHealth is a disk of the store. One without a size, such as a bucket, has a TotalBytes of 0.
type DiskHealth struct {
	Name       string `json:"name"`
	Path       string `json:"path"`
	FreeBytes  uint64 `json:"free_bytes"`
	TotalBytes uint64 `json:"total_bytes"`
}

// AlertingHealth is how many parts of the tenants somebody evaluates.
type AlertingHealth struct {
	Shards int `json:"shards"`
	Held   int `json:"held"`
}

// Installation tells how the installation does.
type Installation interface {
	Health(ctx context.Context) (*Health, error)
}

// HealthRoutes returns the operators' route for the installation's health.
func HealthRoutes(i Installation) []httpx.Route {
	return []httpx.Route{{
		Method: http.MethodGet, Path: "/api/v1/operator/health", Permission: "tenants:read",
		Handler: func(w http.ResponseWriter, r *httpx.Request) error {
			found, err := i.Health(r.Context())
			if err != nil {
				return err
			}
			return httpx.WriteJSON(w, http.StatusOK, found)
		},
	}}
}
