package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// SQLEstimate is what a statement would read of one table, by the tables' indexes.
type SQLEstimate struct {
	Table              string
	Parts, Rows, Marks uint64
	// Bytes is what all columns of so many rows have, uncompressed; a statement reads the columns that it names.
	Bytes uint64
}

// SQLPlan says how a statement would run.
type SQLPlan struct {
	Estimates []SQLEstimate // by table
	Plan      string        // the engine's text
}

// Explain says what a statement would read, without reading it. Queries that stand in place of a value run, because what is read
// may depend on them; they are under the same limits.
func (q *SQL) Explain(ctx context.Context, tenant seamark.TenantID, o SQLQuery) (*SQLPlan, error) {
	text, conn, err := q.render(ctx, tenant, &o)
	if err != nil {
		return nil, err
	}
	estimates, err := q.estimates(ctx, conn, text, &o)
	if err != nil {
		return nil, err
	}
	plan, err := q.lines(ctx, conn, "EXPLAIN indexes = 1 "+text+" FORMAT TSVRaw", &o)
	if err != nil {
		return nil, err
	}
	return &SQLPlan{Estimates: estimates, Plan: strings.ReplaceAll(strings.Join(plan, "\n"), conn.db+".", "")}, nil
}

// Estimate is the part of Explain about what would be read.
func (q *SQL) Estimate(ctx context.Context, tenant seamark.TenantID, o SQLQuery) ([]SQLEstimate, error) {
	text, conn, err := q.render(ctx, tenant, &o)
	if err != nil {
		return nil, err
	}
	return q.estimates(ctx, conn, text, &o)
}

func (q *SQL) estimates(ctx context.Context, conn tenantConn, text string, o *SQLQuery) ([]SQLEstimate, error) {
	lines, err := q.lines(ctx, conn, "EXPLAIN ESTIMATE "+text+" FORMAT JSONCompactEachRow", o)
	if err != nil {
		return nil, err
	}
	sizes, err := conn.shard.rowBytes(ctx, conn.db)
	if err != nil {
		return nil, err
	}
	byTable := map[string]SQLEstimate{}
	for _, line := range lines {
		var e SQLEstimate
		var of string
		if err := json.Unmarshal([]byte(line), &[]any{&of, &e.Table, &e.Parts, &e.Rows, &e.Marks}); err != nil {
			return nil, fmt.Errorf("read an estimate: %w", err)
		}
		sum := byTable[e.Table]
		sum.Table, sum.Parts, sum.Rows, sum.Marks = e.Table, sum.Parts+e.Parts, sum.Rows+e.Rows, sum.Marks+e.Marks
		sum.Bytes = uint64(float64(sum.Rows) * sizes[e.Table])
		byTable[e.Table] = sum
	}
	list := make([]SQLEstimate, 0, len(byTable))
	for _, e := range byTable {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b SQLEstimate) int { return strings.Compare(a.Table, b.Table) })
	return list, nil
}

// rowBytes returns how many bytes a row of each table has.
func (sh *shard) rowBytes(ctx context.Context, db string) (map[string]float64, error) {
	rows, err := sh.admin.Query(ctx, "SELECT table, sum(data_uncompressed_bytes) / greatest(sum(rows), 1) FROM system.parts WHERE active AND database = ? GROUP BY table", db)
	if err != nil {
		return nil, queryError(ctx, err)
	}
	defer func() { _ = rows.Close() }()
	sizes := map[string]float64{}
	for rows.Next() {
		var table string
		var size float64
		if err := rows.Scan(&table, &size); err != nil {
			return nil, err
		}
		sizes[table] = size
	}
	return sizes, queryError(ctx, rows.Err())
}

// lines runs a statement and returns its answer's lines.
func (q *SQL) lines(ctx context.Context, conn tenantConn, text string, o *SQLQuery) ([]string, error) {
	answer, err := q.send(ctx, conn, text, o)
	if err != nil {
		return nil, err
	}
	lines, err := readLines(answer)
	return lines, errors.Join(err, answer.Close())
}

func readLines(r io.Reader) ([]string, error) {
	var list []string
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		list = append(list, lines.Text())
	}
	return list, lines.Err()
}
