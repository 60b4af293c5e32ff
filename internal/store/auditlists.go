package store

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// AuditListsOrder says which clients' LISTs come first.
type AuditListsOrder uint8

// The orders, the most first.
const (
	AuditListsByTime    AuditListsOrder = iota // that all of them took together
	AuditListsBySlowest                        // the one that took longest
	AuditListsByLarge                          // the one with the most items, then the largest record
	AuditListsByCount
	auditListsOrderCount
)

var (
	auditListsOrderNames = [auditListsOrderCount]string{"time", "slowest", "large", "count"}
	auditListsOrderSQL   = [auditListsOrderCount]string{"total DESC", "slowest DESC", "items DESC, bytes DESC", "n DESC"}
)

// String returns the order's name.
func (o AuditListsOrder) String() string {
	if o >= auditListsOrderCount {
		return "unknown"
	}
	return auditListsOrderNames[o]
}

// AuditListsQuery asks whose LISTs cost the API server most.
type AuditListsQuery struct {
	AuditFilter
	Order AuditListsOrder
	Limit int
}

// AuditList is the LISTs that one client makes of one resource in one namespace, "" being all of them.
type AuditList struct {
	Cluster, Namespace, User, UserAgent, APIGroup, Resource string

	Count    uint64
	Unpaged  uint64 // without a limit in the URI, which makes the API server build the whole answer at once
	Uncached uint64 // without resourceVersion=0 or a limit, which reads all objects from etcd
	// How long they took, from the arrival of the request to its last byte; of those whose records tell both.
	Total, Median, P95, Slowest time.Duration
	MostItems                   uint64 // in one answer; 0 where no record has the answer
	MostBytes                   uint64 // of one record, which is the larger the more of the answer it has
	URI                         string // of the slowest
	Last                        time.Time
}

// AuditLists returns LISTs by client, resource and namespace, and how many such combinations there are.
func (s *Store) AuditLists(ctx context.Context, tenant seamark.TenantID, q AuditListsQuery) (list []AuditList, entries uint64, err error) {
	b := auditListsSQL(&q)
	_, err = s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var l AuditList
			var total, median, p95, slowest int64
			if err := rows.Scan(&l.Cluster, &l.Namespace, &l.User, &l.UserAgent, &l.APIGroup, &l.Resource, &l.Count, &l.Unpaged, &l.Uncached,
				&total, &median, &p95, &slowest, &l.MostItems, &l.MostBytes, &l.URI, &l.Last, &entries); err != nil {
				return err
			}
			l.Total, l.Median = time.Duration(total)*time.Microsecond, time.Duration(median)*time.Microsecond
			l.P95, l.Slowest = time.Duration(p95)*time.Microsecond, time.Duration(slowest)*time.Microsecond
			list = append(list, l)
		}
		return rows.Err()
	})
	return list, entries, err
}

// auditListsSQL reads the body for the time of arrival, which is no attribute. The API server writes no blanks, so that
// the text can be found without parsing a record that may hold thousands of objects; items are counted of records that
// hold an answer.
func auditListsSQL(q *AuditListsQuery) *logSQL {
	b := newLogSQL()
	f := q.AuditFilter
	f.Conditions = append([]AuditCondition{{Field: AuditVerb, Values: []string{"list"}}}, f.Conditions...)
	b.WriteString("SELECT toString(a0) AS cluster, toString(a1) AS namespace, user, agent, api, resource, count() AS n, countIf(unpaged), " +
		"countIf(unpaged AND NOT cached), sum(took) AS total, toInt64(quantileExactIf(0.5)(took, took > 0)), toInt64(quantileExactIf(0.95)(took, took > 0)), " +
		"max(took) AS slowest, max(answered) AS items, max(size) AS bytes, argMax(uri, took), max(ts) AS last, count() OVER ()" +
		"\nFROM (\nSELECT ts, fp, attrs['user'] AS user, attrs['user_agent'] AS agent, attrs['api_group'] AS api, attrs['resource'] AS resource, attrs['uri'] AS uri, " +
		"toUInt64OrZero(extractURLParameter(uri, 'limit')) = 0 AS unpaged, extractURLParameter(uri, 'resourceVersion') = '0' AS cached, " +
		"parseDateTime64BestEffortOrZero(simpleJSONExtractString(body, 'requestReceivedTimestamp'), 6, 'UTC') AS received, " +
		"if(received > toDateTime64(0, 6, 'UTC'), greatest(dateDiff('microsecond', received, ts), 0), 0) AS took, " +
		"if(position(body, '\"responseObject\":{') > 0, toUInt64(JSONLength(body, 'responseObject', 'items')), 0) AS answered, toUInt64(length(body)) AS size\n")
	b.auditFrom(&f, true)
	b.WriteString("\n) AS rows")
	b.auditJoin(&f, []AuditField{AuditCluster, AuditNamespace})
	b.WriteString("\nGROUP BY cluster, namespace, user, agent, api, resource\nORDER BY " + auditListsOrderSQL[q.Order] + ", n DESC, user, agent, resource, namespace, cluster\nLIMIT " + b.int64(int64(q.Limit)))
	return b
}

// AuditWritesQuery asks for the writes of one object.
type AuditWritesQuery struct {
	AuditFilter // of class AuditWrites
	Limit       int
	MaxBytes    int // of all bodies together; the query ends at the write that is beyond
}

// AuditWrite is one write and its record as the API server sent it.
type AuditWrite struct {
	AuditRecord
	Body string
}

// AuditWrites returns the newest writes that match, each once, newest first, and whether older ones were left out.
func (s *Store) AuditWrites(ctx context.Context, tenant seamark.TenantID, q AuditWritesQuery) (list []AuditWrite, truncated bool, err error) {
	b := auditWritesSQL(&q)
	size, seen := 0, map[string]struct{}{}
	_, err = s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for !truncated && rows.Next() {
			var w AuditWrite
			into := []any{&w.Time, &w.ID, &w.Stage, &w.URI, &w.Reason, &w.Body}
			for i := range w.Fields {
				into = append(into, &w.Fields[i])
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			if _, twice := seen[w.ID]; twice {
				continue
			}
			seen[w.ID] = struct{}{}
			size += len(w.Body)
			if truncated = len(list) == q.Limit || size > q.MaxBytes; !truncated {
				list = append(list, w)
			}
		}
		return rows.Err()
	})
	return list, truncated, err
}

func auditWritesSQL(q *AuditWritesQuery) *logSQL {
	b := newLogSQL()
	attributes, names := auditColumns(AuditFields())
	b.WriteString("SELECT ts, id, stage, uri, why, body" + withComma(names) +
		"\nFROM (\nSELECT ts, fp, body, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why" + withComma(attributes) + "\n")
	b.auditFrom(&q.AuditFilter, true)
	b.WriteString("\nORDER BY ts DESC\nLIMIT " + b.int64(int64(q.Limit)*2+1) + "\n) AS rows") // a record may have come twice
	b.auditJoin(&q.AuditFilter, AuditFields())
	b.WriteString("\nORDER BY ts DESC, id")
	return b
}
