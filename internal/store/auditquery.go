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
	// After, when set, is the Next of the page before: only what stands behind it is returned.
	After *AuditPlace
	Limit int // requests
}

// AuditPlace is a place in the order of a list.
type AuditPlace struct {
	Time time.Time
	ID   string // of the last request of that time before the place; empty when all of that time stand before it
}

// AuditPage is a part of a list.
type AuditPage struct {
	Records []AuditRecord
	Next    *AuditPlace // behind which the list goes on; nil at its end
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

// auditDone is the stage of a request that is over.
const auditDone = "ResponseComplete"

// auditStages is how many records of one request there can be before its last: of the stages RequestReceived and
// ResponseStarted.
const auditStages = 3

// auditRows is how many records make a page for sure, and one more that tells whether there are others.
func (q *AuditQuery) auditRows() int { return q.Limit*auditStages + 1 }

// ListAudit returns the requests that match, each once, newest first. A request with more records than it has stages,
// because its API server sent a batch to two nodes, can make a page shorter than it could be. Of a page after another those
// requests are left out whose last record stood before it.
func (s *Store) ListAudit(ctx context.Context, tenant seamark.TenantID, q AuditQuery) (AuditPage, error) {
	rows, err := s.auditRecords(ctx, tenant, auditListSQL(&q))
	if err != nil {
		return AuditPage{}, err
	}
	rows, end := auditWhole(rows, &q)
	if end != nil && len(rows) == 0 { // there are more records of one time than a page needs
		if rows, err = s.auditRecords(ctx, tenant, auditTiedSQL(&q, end.Time)); err != nil {
			return AuditPage{}, err
		}
		if n := len(rows); n == q.auditRows() {
			end.ID = rows[n-1].ID
		}
	}
	shown, err := s.auditShown(ctx, tenant, &q, rows)
	if err != nil {
		return AuditPage{}, err
	}
	return auditPage(rows, shown, q.Limit, end), nil
}

// auditWhole leaves out the records of the last time that were read when there are more, since which ones of that time were read is
// by chance: the store is not asked to order by what it would have to read of every record. end is where what is left ends, nil for
// the list's end.
func auditWhole(rows []AuditRecord, q *AuditQuery) (whole []AuditRecord, end *AuditPlace) {
	n := len(rows)
	if n < q.auditRows() {
		return rows, nil
	}
	last := rows[n-1].Time
	for n > 0 && rows[n-1].Time.Equal(last) {
		n--
	}
	if n > 0 {
		last = rows[n-1].Time
	}
	return rows[:n], &AuditPlace{Time: last}
}

// auditPage takes up to limit requests out of records that stand in the order of a list and go on behind end. Those that are shown
// already are left out.
func auditPage(rows []AuditRecord, shown map[string]struct{}, limit int, end *AuditPlace) (page AuditPage) {
	for i := range rows {
		if _, twice := shown[rows[i].ID]; twice {
			continue
		}
		if len(page.Records) == limit {
			page.Next = &AuditPlace{Time: rows[i-1].Time}
			if rows[i].Time.Equal(rows[i-1].Time) {
				page.Next.ID = rows[i-1].ID
			}
			return page
		}
		shown[rows[i].ID] = struct{}{}
		page.Records = append(page.Records, rows[i])
	}
	page.Next = end
	return page
}

// auditShown returns which requests of a page stand on the pages before it, because they have a later record there. Most
// requests have one record alone, and then nothing is asked.
func (s *Store) auditShown(ctx context.Context, tenant seamark.TenantID, q *AuditQuery, rows []AuditRecord) (map[string]struct{}, error) {
	shown := map[string]struct{}{}
	if q.After == nil {
		return shown, nil
	}
	var open []string
	for i := range rows {
		if rows[i].Stage != auditDone {
			open = append(open, rows[i].ID)
		}
	}
	if len(open) == 0 {
		return shown, nil
	}
	b := auditShownSQL(q, open)
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(found driver.Rows) error {
		for found.Next() {
			var id string
			if err := found.Scan(&id); err != nil {
				return err
			}
			shown[id] = struct{}{}
		}
		return found.Err()
	})
	return shown, err
}

func (s *Store) auditRecords(ctx context.Context, tenant seamark.TenantID, b *logSQL) (list []AuditRecord, err error) {
	_, err = s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var r AuditRecord
			into := []any{&r.Time, &r.ID, &r.Stage, &r.URI, &r.Reason}
			for i := range r.Fields {
				into = append(into, &r.Fields[i])
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, err
}

// auditOrder is the order of a list. The last record of a request is the one that tells its result, where two are of one time.
const auditOrder = "\nORDER BY ts DESC, id, stage = '" + auditDone + "' DESC"

func auditListSQL(q *AuditQuery) *logSQL {
	return auditRecordsSQL(q, "ORDER BY ts DESC", func(b *logSQL) {
		if q.After != nil {
			b.auditBehind(q.After)
		}
	})
}

// auditTiedSQL selects the records of one time alone, of which there are many.
func auditTiedSQL(q *AuditQuery, at time.Time) *logSQL {
	return auditRecordsSQL(q, strings.TrimSpace(auditOrder), func(b *logSQL) {
		if q.After != nil {
			b.auditBehind(q.After)
		}
		b.WriteString("\n  AND ts = " + b.auditTime(at))
	})
}

// auditRecordsSQL selects the first records of an order that fit the query and what more says.
func auditRecordsSQL(q *AuditQuery, order string, more func(*logSQL)) *logSQL {
	b := newLogSQL()
	attributes, names := auditColumns(AuditFields())
	b.WriteString("SELECT ts, id, stage, uri, why" + withComma(names) +
		"\nFROM (\nSELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why" + withComma(attributes) + "\n")
	b.auditFrom(&q.AuditFilter, false)
	more(b)
	b.WriteString("\n" + order + "\nLIMIT " + b.int64(int64(q.auditRows())) + "\n) AS rows")
	b.auditJoin(&q.AuditFilter, AuditFields())
	b.WriteString(auditOrder)
	return b
}

// auditShownSQL selects which of some requests have a record that is not behind the place after which a page begins.
func auditShownSQL(q *AuditQuery, ids []string) *logSQL {
	b := newLogSQL()
	before := q.AuditFilter
	before.Range.Start = q.After.Time
	b.WriteString("SELECT DISTINCT attrs['audit_id'] AS id\n")
	b.auditFrom(&before, false)
	at := b.auditTime(q.After.Time)
	b.WriteString("\n  AND ts >= " + at)
	if q.After.ID != "" {
		b.WriteString(" AND (ts > " + at + " OR id <= " + b.string(q.After.ID) + ")")
	}
	b.WriteString(" AND id IN " + b.strings(ids))
	return b
}

// auditBehind leaves what stands behind a place.
func (b *logSQL) auditBehind(p *AuditPlace) {
	at := b.auditTime(p.Time)
	if p.ID == "" {
		b.WriteString("\n  AND ts < " + at)
		return
	}
	b.WriteString("\n  AND ts <= " + at + " AND (ts < " + at + " OR id > " + b.string(p.ID) + ")")
}

// auditTime is a record's time as it is stored.
func (b *logSQL) auditTime(t time.Time) string {
	return "fromUnixTimestamp64Nano(" + b.int64(t.UnixNano()) + ", 'UTC')"
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
