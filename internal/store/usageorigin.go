package store

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// OriginQuery selects what a tenant's queries took inside a range, by where they come from.
type OriginQuery struct {
	Tenant seamark.TenantID
	Range  seamark.TimeRange // as UsageQuery has it
	// Source is `dashboard` or `rule`; "" is by who asked.
	Source string
	Limit  int
}

// OriginRow is what the queries of one origin took.
type OriginRow struct {
	Name                         string
	Queries, Rows, Bytes, Micros uint64
}

// ListOrigins returns the origins that read most first. An empty meter gives none. The tenant must not be zero.
func (s *Store) ListOrigins(ctx context.Context, q OriginQuery) ([]OriginRow, error) {
	if err := q.Tenant.Validate(); err != nil {
		return nil, err
	}
	b := newLogSQL()
	b.WriteString("SELECT toString(actor) AS name, sum(requests) AS asked, sum(rows) AS took_rows, sum(bytes) AS took_bytes, sum(micros) AS took_micros\nFROM (\n")
	b.usageLines(&UsageQuery{Tenant: q.Tenant, Range: q.Range}, s.opts.Now())
	b.WriteString("\n)\nWHERE ")
	if q.Source == "" {
		b.WriteString("kind = 'query' AND actor != ''")
	} else {
		b.WriteString("kind = 'origin' AND source = " + b.string(q.Source))
	}
	b.WriteString("\nGROUP BY name\nORDER BY took_bytes DESC, asked DESC, name\nLIMIT " + b.int64(int64(q.Limit)))
	var list []OriginRow
	err := s.platformQuery(ctx, q.Tenant, b, func(rows driver.Rows) error {
		for rows.Next() {
			var r OriginRow
			if err := rows.Scan(&r.Name, &r.Queries, &r.Rows, &r.Bytes, &r.Micros); err != nil {
				return err
			}
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, err
}
