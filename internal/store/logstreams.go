package store

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// LogStreamsByFP returns the log streams with the given fingerprints, as far as they are known, in no particular order; their
// labels are sorted. It reads the series table alone.
func (s *Store) LogStreamsByFP(ctx context.Context, tenant seamark.TenantID, fps []uint64) ([]LogStream, error) {
	if len(fps) == 0 {
		return nil, nil
	}
	b := newLogSQL()
	b.WriteString("SELECT fp, name, labels\nFROM series\nWHERE kind = 'log' AND fp IN " + b.uint64s(fps) + "\nLIMIT 1 BY fp")
	var streams []LogStream
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var stream LogStream
			var labels LogBlock
			if err := rows.Scan(&stream.FP, &stream.Group, &attrScan{block: &labels}); err != nil {
				return err
			}
			stream.Labels = labels.Attrs
			seamark.SortLabels(stream.Labels)
			streams = append(streams, stream)
		}
		return rows.Err()
	})
	return streams, err
}
