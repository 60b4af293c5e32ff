package store

import (
	"context"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// dropSamples is how many of a reason's newest samples are returned.
const dropSamples = 3

// dropNames bounds the different clusters, tokens and protocols that are listed of one reason.
const dropNames = "50"

// DropsQuery selects lines of the drop ledger inside a time range. Empty fields select everything; the others must be
// equal.
type DropsQuery struct {
	Range                                    seamark.TimeRange
	Cluster, Token, Protocol, Signal, Reason string
	Limit                                    int // at most so many reasons
}

// DropReason is what was refused for one reason.
type DropReason struct {
	Reason                               string
	First, Last                          time.Time // of the ledger's lines, which hold some seconds each
	Requests, Rows, Bytes                uint64
	Statuses                             []uint16
	Clusters, Tokens, Protocols, Signals []string       // sorted, at most 50 each
	Detail                               string         // of the newest line
	Samples                              []seamark.Drop // the newest lines that have one, newest first, at most 3
}

// ListDrops returns the reasons that match, the one that happened last first.
func (s *Store) ListDrops(ctx context.Context, tenant seamark.TenantID, q DropsQuery) ([]DropReason, error) {
	list, err := s.listDropReasons(ctx, tenant, &q)
	if missingTable(err) {
		return nil, nil
	}
	if err != nil || len(list) == 0 {
		return list, err
	}
	at := make(map[string]*DropReason, len(list))
	reasons := make([]string, len(list))
	for i := range list {
		reasons[i] = list[i].Reason
		at[reasons[i]] = &list[i]
	}
	b := dropSamplesSQL(&q, reasons)
	_, err = s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			d, err := scanDrop(rows)
			if err != nil {
				return err
			}
			if r := at[d.Reason]; r != nil {
				r.Samples = append(r.Samples, d)
			}
		}
		return rows.Err()
	})
	return list, err
}

func (s *Store) listDropReasons(ctx context.Context, tenant seamark.TenantID, q *DropsQuery) ([]DropReason, error) {
	var list []DropReason
	b := dropReasonsSQL(q)
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var r DropReason
			if err := rows.Scan(&r.Reason, &r.First, &r.Last, &r.Requests, &r.Rows, &r.Bytes, &r.Statuses, &r.Clusters, &r.Tokens,
				&r.Protocols, &r.Signals, &r.Detail); err != nil {
				return err
			}
			for _, names := range [][]string{r.Clusters, r.Tokens, r.Protocols, r.Signals} {
				slices.Sort(names)
			}
			r.Signals = slices.DeleteFunc(r.Signals, func(name string) bool { return name == seamark.Signal(0).String() })
			slices.Sort(r.Statuses)
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, err
}

func scanDrop(rows driver.Rows) (d seamark.Drop, err error) {
	var signal string
	err = rows.Scan(&d.Reason, &d.Time, &d.Cluster, &d.Token, &d.Protocol, &signal, &d.Status, &d.Requests, &d.Rows, &d.Bytes, &d.Detail, &d.Sample)
	if err != nil {
		return d, err
	}
	d.Signal, _ = seamark.ParseSignal(signal) // a line that stands for several signals names none
	return d, nil
}

// dropReasonsSQL adds up the lines of each reason. A name that stands for nothing, as in the line that takes what did not
// fit, is left out of the lists.
func dropReasonsSQL(q *DropsQuery) *logSQL {
	b := newLogSQL()
	names := func(column string) string {
		return "groupUniqArrayIf(" + dropNames + ")(toString(d." + column + "), d." + column + " != '')"
	}
	b.WriteString("SELECT toString(d.reason), min(d.ts), max(d.ts) AS latest, sum(d.requests), sum(d.rows), sum(d.bytes), groupUniqArray(" + dropNames + ")(d.status), " +
		names("cluster") + ", " + names("token") + ", " + names("protocol") + ", " + names("signal") + ", argMax(d.detail, d.ts)\nFROM drops AS d\n")
	b.dropsWhere(q)
	b.WriteString("\nGROUP BY d.reason\nORDER BY latest DESC, d.reason\nLIMIT " + b.int64(int64(q.Limit)))
	return b
}

func dropSamplesSQL(q *DropsQuery, reasons []string) *logSQL {
	b := newLogSQL()
	b.WriteString("SELECT toString(d.reason), d.ts, toString(d.cluster), toString(d.token), toString(d.protocol), toString(d.signal), d.status, d.requests, d.rows, d.bytes, " +
		"d.detail, d.sample\nFROM drops AS d\n")
	b.dropsWhere(q)
	b.WriteString("\n  AND d.sample != '' AND d.reason IN " + b.strings(reasons) +
		"\nORDER BY d.ts DESC, d.cluster, d.token\nLIMIT " + b.int64(dropSamples) + " BY d.reason")
	return b
}

// dropsWhere writes the conditions. The time is first: it is the table's sort key.
func (b *logSQL) dropsWhere(q *DropsQuery) {
	milli := func(t time.Time) string {
		return "fromUnixTimestamp64Milli(" + b.int64(clampMilli(t.UnixMilli())) + ", 'UTC')"
	}
	b.WriteString("WHERE d.ts >= " + milli(q.Range.Start) + " AND d.ts < " + milli(q.Range.End))
	for _, f := range []struct{ column, value string }{
		{"cluster", q.Cluster},
		{"token", q.Token},
		{"protocol", q.Protocol},
		{"signal", q.Signal},
		{"reason", q.Reason},
	} {
		if f.value != "" {
			b.WriteString("\n  AND d." + f.column + " = " + b.string(f.value))
		}
	}
}
