package store

import (
	"context"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// AuditQuery asks for records.
type AuditQuery struct {
	AuditFilter
	Limit int // requests
}

// AuditRecord is one request as its last record inside the range tells it.
type AuditRecord struct {
	Time   time.Time // when the stage was reached
	ID     string
	Stage  string
	Fields [auditFieldCount]string
	URI    string
	Reason string // why the authorizer decided so
}

// Field returns a field's value.
func (r *AuditRecord) Field(f AuditField) string { return r.Fields[f] }

// auditStages is how many records of one request there can be before its last: of the stages RequestReceived and
// ResponseStarted.
const auditStages = 3

// ListAudit returns the requests that match, each once, newest first. A request with more records than it has stages,
// because its API server sent a batch to two nodes, can make the list shorter than it could be.
func (s *Store) ListAudit(ctx context.Context, tenant seamark.TenantID, q AuditQuery) ([]AuditRecord, error) {
	b := auditListSQL(&q)
	var list []AuditRecord
	seen := map[string]struct{}{}
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() && len(list) < q.Limit {
			var r AuditRecord
			into := []any{&r.Time, &r.ID, &r.Stage, &r.URI, &r.Reason}
			for i := range r.Fields {
				into = append(into, &r.Fields[i])
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			if _, twice := seen[r.ID]; twice {
				continue
			}
			seen[r.ID] = struct{}{}
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, err
}

func auditListSQL(q *AuditQuery) *logSQL {
	b := newLogSQL()
	attributes, names := auditColumns(AuditFields())
	b.WriteString("SELECT ts, id, stage, uri, why" + withComma(names) +
		"\nFROM (\nSELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why" + withComma(attributes) + "\n")
	b.auditFrom(&q.AuditFilter, false)
	b.WriteString("\nORDER BY ts DESC\nLIMIT " + b.int64(int64(q.Limit)*auditStages) + "\n) AS rows")
	b.auditJoin(&q.AuditFilter, AuditFields())
	b.WriteString("\nORDER BY ts DESC, id, stage = 'ResponseComplete' DESC")
	return b
}

// AuditOrder says which clients come first.
type AuditOrder uint8

// The orders, the most first.
const (
	AuditByRequests AuditOrder = iota
	AuditByDenied
	AuditByFailed
	auditOrderCount
)

var auditOrderNames = [auditOrderCount]string{"requests", "denied", "failed"}

// String returns the order's name, which is also a column's.
func (o AuditOrder) String() string {
	if o >= auditOrderCount {
		return "unknown"
	}
	return auditOrderNames[o]
}

// AuditClientsQuery asks who sends the most requests.
type AuditClientsQuery struct {
	AuditFilter
	By    []AuditField
	Order AuditOrder
	Limit int
}

// AuditCount counts requests that are over.
type AuditCount struct{ Requests, Denied, Failed uint64 }

// AuditClient is a combination of values, and its requests.
type AuditClient struct {
	Values []string // of By, in its order
	AuditCount
	First, Last time.Time
}

// AuditClients is the combinations with the most requests.
type AuditClients struct {
	Entries uint64 // how many there are; the list may be cut at the limit
	Total   AuditCount
	List    []AuditClient
}

// AuditClients counts requests that are over by what they have in common. Requests under way, such as watches, count when
// they end.
func (s *Store) AuditClients(ctx context.Context, tenant seamark.TenantID, q AuditClientsQuery) (*AuditClients, error) {
	b := auditClientsSQL(&q)
	clients := &AuditClients{}
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			c := AuditClient{Values: make([]string, len(q.By))}
			into := []any{
				&c.Requests, &c.Denied, &c.Failed, &c.First, &c.Last, &clients.Entries, &clients.Total.Requests, &clients.Total.Denied, &clients.Total.Failed,
			}
			for i := range c.Values {
				into = append(into, &c.Values[i])
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			clients.List = append(clients.List, c)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return clients, nil
}

// auditClientsSQL counts by stream and attributes first, so that labels are looked up once for each count, not for each
// row.
func auditClientsSQL(q *AuditClientsQuery) *logSQL {
	b := newLogSQL()
	attributes, names := auditColumns(q.By)
	groups := ""
	for i, f := range q.By {
		if !f.label() {
			groups += ", " + names[i]
		}
	}
	b.WriteString("SELECT requests, denied, failed, began, ended, count() OVER (), sum(requests) OVER (), sum(denied) OVER (), sum(failed) OVER ()" + withComma(names) +
		"\nFROM (\nSELECT sum(n) AS requests, sum(nd) AS denied, sum(nf) AS failed, min(first) AS began, max(last) AS ended" + withComma(names) +
		"\nFROM (\nSELECT fp, count() AS n, countIf(level = 'warn') AS nd, countIf(level IN ('error', 'critical')) AS nf, min(ts) AS first, max(ts) AS last" + withComma(attributes) + "\n")
	b.auditFrom(&q.AuditFilter, true)
	b.WriteString("\nGROUP BY fp" + groups + "\n) AS rows")
	b.auditJoin(&q.AuditFilter, q.By)
	b.WriteString("\nGROUP BY " + strings.Join(names, ", ") + "\n)\nORDER BY " + q.Order.String() + " DESC, requests DESC" + withComma(names) + "\nLIMIT " + b.int64(int64(q.Limit)))
	return b
}
