package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/seamarkhq/seamark/ingest/ledger"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// noCluster stands in bus messages for the cluster of a credential that has none.
const noCluster = seamark.ClusterID("00000000000000000000000000")

// TellRefused tells the owner's ledger of a request that was refused, or of rows that a protocol without answers lost.
func (in *Ingester) TellRefused(p seamark.Principal, d *seamark.Drop) {
	if in.opts.Ledger == nil {
		return
	}
	in.opts.Ledger.Record(ledger.Drop{
		Tenant: p.Tenant, Cluster: p.Cluster, ClusterName: p.ClusterName, Token: p.CredentialID, Protocol: d.Protocol, Signal: d.Signal, Reason: d.Reason,
		Status: int(d.Status), Rows: int(d.Rows), Bytes: int(d.Bytes), Detail: d.Detail, Sample: d.Sample,
	})
}

// PublishDrops stores lines of the ledger as rows of their tenant, durably. They are no data of the tenant's: no quota counts
// them. Publishing the same lines again stores them once.
func PublishDrops(publisher Publisher) ledger.Publish {
	return func(ctx context.Context, tenant seamark.TenantID, cluster seamark.ClusterID, drops []seamark.Drop) error {
		if cluster == "" {
			cluster = noCluster
		}
		encoded, err := store.NewEncoder().Encode(&seamark.Batch{Drops: drops}, drops[0].Time)
		if err != nil {
			return fmt.Errorf("encode drops: %w", err)
		}
		frame := store.AppendFrame(nil, &store.Frame{
			Tenant: tenant, Cluster: cluster, Signal: seamark.Logs, ReceivedMs: drops[0].Time.UnixMilli(), Segments: encoded.Segments,
		})
		sum := sha256.Sum256(frame)
		return publisher.Publish(ctx, &bus.Message{Tenant: tenant, Cluster: cluster, Signal: seamark.Logs, ID: "drops." + hex.EncodeToString(sum[:16]), Data: frame})
	}
}
