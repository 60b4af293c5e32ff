package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/seamarkhq/seamark/internal/democluster"
)

// demoClusterCmd pushes a demo cluster's data until it is stopped.
type demoClusterCmd struct {
	URL           string        `default:"http://127.0.0.1:4480" help:"Server's address." env:"SEAMARK_URL"`
	Token         string        `help:"Ingest token; better set as SEAMARK_INGEST_TOKEN than here." env:"SEAMARK_INGEST_TOKEN" required:""`
	Cluster       string        `default:"demo" help:"Name of the cluster."`
	IncidentEvery time.Duration `default:"10m" help:"How often something goes wrong; 0 for never."`
	Backfill      time.Duration `default:"1h" help:"History pushed first."`
	Seed          uint64        `help:"Makes two runs alike."`
}

// Run pushes until a signal.
func (c *demoClusterCmd) Run(ctx context.Context) error {
	cluster, err := democluster.New(democluster.Options{
		URL: c.URL, Token: c.Token, Cluster: c.Cluster, IncidentEvery: c.IncidentEvery, Backfill: c.Backfill, Seed: c.Seed,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), Now: time.Now,
	})
	if err != nil {
		return err
	}
	if err := cluster.Prime(ctx); err != nil {
		return fmt.Errorf("push the first data: %w", err)
	}
	if err := cluster.Run(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}
