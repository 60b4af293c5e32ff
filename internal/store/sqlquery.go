package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// SQLStatement is a customer's statement that may run.
type SQLStatement interface {
	// Render writes it for the engine; define gives the query that stands for a view.
	Render(define func(view string) (string, error)) (string, error)
	// Mentions reports whether a column of that name may be read.
	Mentions(column string) bool
}

// SQLQuery asks for the answer of a customer's statement.
type SQLQuery struct {
	Statement SQLStatement
	// Only is what the reader is narrowed to; nil: all of the tenant.
	Only *seamark.Restriction
	// Parameters are the values that the statement names, as the engine reads them in a TSV file.
	Parameters map[string]string
	Format     SQLFormat
	// Limits of this query; what the tenant's plan allows less counts.
	Limits SQLLimits
}

// SQLLimits bound one query of a customer. The engine's user has limits of its own behind them.
type SQLLimits struct {
	Timeout time.Duration
	// MaxReadRows bounds the rows that are read from tables.
	MaxReadRows uint64
	// MaxRows and MaxBytes bound the answer.
	MaxRows, MaxBytes uint64
}

// SQLFormat is a form of an answer.
type SQLFormat uint8

// The formats.
const (
	SQLJSON SQLFormat = iota
	SQLNDJSON
	SQLCSV
	SQLArrow
	SQLParquet
)

// engineName returns the engine's name of the format.
func (f SQLFormat) engineName() string {
	return [...]string{SQLJSON: "JSON", SQLNDJSON: "JSONEachRow", SQLCSV: "CSVWithNames", SQLArrow: "ArrowStream", SQLParquet: "Parquet"}[f]
}

// SQL runs customers' statements over HTTP, because the engine writes all formats there. Statements run as the tenant's own user and
// in a database without tables, so that a name that is no view finds nothing.
type SQL struct {
	store   *Store
	clients []*http.Client // by shard
}

// NewSQL returns a runner over s. It needs no closing beyond the store's.
func NewSQL(s *Store) *SQL {
	q := &SQL{store: s}
	for _, sh := range s.shards {
		transport := &http.Transport{
			TLSClientConfig: sh.TLS, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
			DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		}
		if s.opts.Dial != nil {
			transport.DialContext = func(ctx context.Context, _, addr string) (net.Conn, error) { return s.opts.Dial(ctx, addr) }
		}
		q.clients = append(q.clients, &http.Client{Transport: transport})
	}
	return q
}

// sqlBuffer is how much of an answer the engine gathers before it sends the first byte. An error until then has a status, and the
// figures of what was read are whole for answers that fit.
const sqlBuffer = 4 << 20

// Open runs a statement and returns when its answer begins. Whoever opens an answer closes it.
func (q *SQL) Open(ctx context.Context, tenant seamark.TenantID, o SQLQuery) (*SQLAnswer, error) {
	text, conn, err := q.render(ctx, tenant, &o)
	if err != nil {
		return nil, err
	}
	return q.send(ctx, conn, text+" FORMAT "+o.Format.engineName(), &o)
}

// render fills the views into the statement, and returns the tenant's connection, which tells where it runs and as whom.
func (q *SQL) render(ctx context.Context, tenant seamark.TenantID, o *SQLQuery) (text string, conn tenantConn, err error) {
	if conn, err = q.store.conn(ctx, tenant); err != nil {
		return "", conn, err
	}
	text, err = o.Statement.Render(func(name string) (string, error) {
		view, ok := FindSQLView(name)
		if !ok {
			return "", fmt.Errorf("there is no view %s", name)
		}
		scope := sqlScope{db: conn.db, only: o.Only, mentions: o.Statement.Mentions}
		if tableSpecs[view.table].lazy {
			there, err := conn.shard.exists(ctx, conn.db, view.table)
			if err != nil {
				return "", err
			}
			scope.absent = !there
		}
		return view.define(&scope), nil
	})
	return text, conn, err
}

// exists reports whether a table that is made on first use has been made.
func (sh *shard) exists(ctx context.Context, db string, table Table) (bool, error) {
	var n uint64
	err := sh.admin.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = ? AND name = ?", db, table.String()).Scan(&n)
	return n > 0, queryError(ctx, err)
}

// settings returns the settings of a statement, those of the tenant's plan last.
func (q *SQL) settings(ctx context.Context, tenant seamark.TenantID, l *SQLLimits) Settings {
	own := Settings{
		"session_timezone": "UTC", "date_time_output_format": "iso", "output_format_json_quote_denormals": 1,
		"output_format_arrow_compression_method": "none", "output_format_arrow_string_as_string": 1, "output_format_parquet_string_as_string": 1,
		"cancel_http_readonly_queries_on_client_close": 1, "http_write_exception_in_output_format": 0,
		"do_not_merge_across_partitions_select_final": 1, "use_skip_indexes_if_final_exact_mode": 1, // of views with FINAL
		"joined_subquery_requires_alias": 0,
		"result_overflow_mode":           "throw", "timeout_overflow_mode": "throw", "read_overflow_mode": "throw",
	}
	if l.Timeout > 0 {
		own[settingMaxTime] = max(1, int(l.Timeout.Seconds()))
	}
	if l.MaxReadRows > 0 {
		own["max_rows_to_read"] = l.MaxReadRows
	}
	if l.MaxRows > 0 {
		own["max_result_rows"] = l.MaxRows
	}
	if q.store.opts.Settings == nil {
		return own
	}
	plan := q.store.opts.Settings(ctx, tenant)
	for _, name := range []string{settingMaxTime, "max_rows_to_read", "max_result_rows"} {
		mine, _ := strconv.ParseFloat(fmt.Sprint(own[name]), 64)
		theirs, _ := strconv.ParseFloat(fmt.Sprint(plan[name]), 64)
		if mine > 0 && (theirs == 0 || mine < theirs) {
			plan = merged(plan, Settings{name: own[name]})
		}
	}
	return merged(own, plan)
}

// send posts a statement to the first server that takes it.
func (q *SQL) send(ctx context.Context, conn tenantConn, text string, o *SQLQuery) (*SQLAnswer, error) {
	id := "seamark-sql-" + conn.db + "-" + rand.Text()
	values := url.Values{"query_id": {id}, "database": {"default"}, "buffer_size": {strconv.Itoa(sqlBuffer)}}
	for name, value := range q.settings(ctx, conn.tenant, &o.Limits) {
		values.Set(name, fmt.Sprint(value))
	}
	for name, value := range o.Parameters {
		values.Set("param_"+name, value)
	}
	if o.Only.Narrows() {
		values.Set("param_"+onlyClusters, sqlTexts(o.Only.Clusters))
		values.Set("param_"+onlyNamespaces, sqlTexts(o.Only.Namespaces))
	}
	a := q.newAnswer(ctx, conn, id)
	a.maxBytes = o.Limits.MaxBytes
	resp, err := q.post(a, values, text)
	if err != nil {
		err = queryError(a.ctx, err)
		a.abandon()
		return nil, err
	}
	a.body, a.marker = resp.Body, "\r\n__exception__\r\n"+resp.Header.Get("X-ClickHouse-Exception-Tag")
	a.tellSummary(resp.Header.Get("X-ClickHouse-Summary"))
	if resp.StatusCode == http.StatusOK {
		return a, nil
	}
	defer func() { _ = a.Close() }()
	message, err := io.ReadAll(io.LimitReader(resp.Body, maxSQLError))
	if err != nil {
		return nil, queryError(a.ctx, err)
	}
	a.over = true
	return nil, sqlError(string(message), a.db)
}

// newAnswer begins to watch a statement that is about to be sent.
func (q *SQL) newAnswer(ctx context.Context, conn tenantConn, id string) *SQLAnswer {
	most, l := q.store.ceilings(conn.tenant), conn.ledger
	a := &SQLAnswer{sql: q, tenant: conn.tenant, shard: conn.shard, db: conn.db, id: id, ledger: l, slot: l.takeSlot(most.MinuteBytes > 0 || most.DayBytes > 0), begun: time.Now()}
	a.ctx, a.cancel = context.WithCancel(ctx)
	a.watched.Go(a.watch)
	return a
}

func (q *SQL) post(a *SQLAnswer, values url.Values, text string) (*http.Response, error) {
	ctx, scheme := a.ctx, "http"
	if a.shard.TLS != nil {
		scheme = "https"
	}
	var failed error
	for _, addr := range a.shard.HTTPAddrs {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, scheme+"://"+addr+"/?"+values.Encode(), strings.NewReader(text))
		if err != nil {
			return nil, err
		}
		r.Header.Set("X-ClickHouse-User", a.db)
		r.Header.Set("X-ClickHouse-Key", a.shard.TenantPassword(a.db))
		r.Header.Set("X-ClickHouse-Quota", a.slot.key)
		resp, err := q.clients[a.shard.number].Do(r)
		if err == nil || ctx.Err() != nil {
			return resp, err
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// sqlTexts writes names as an array for a parameter. Names of clusters and namespaces have nothing to escape; what has is left out,
// and stands for nothing that there is.
func sqlTexts(names []string) string {
	list := make([]string, 0, len(names))
	for _, name := range names {
		if !strings.ContainsAny(name, "'\\\t\n\r") {
			list = append(list, "'"+name+"'")
		}
	}
	return "[" + strings.Join(list, ",") + "]"
}

// sqlSummary is what the engine tells of a query's cost in a header.
type sqlSummary struct {
	ReadRows  uint64 `json:"read_rows,string"`
	ReadBytes uint64 `json:"read_bytes,string"`
	Elapsed   int64  `json:"elapsed_ns,string"`
}

func (a *SQLAnswer) tellSummary(header string) {
	var s sqlSummary
	if json.Unmarshal([]byte(header), &s) == nil {
		a.tell(Reads{Rows: s.ReadRows, Bytes: s.ReadBytes})
		a.summary = time.Duration(s.Elapsed)
	}
}
