package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// SQLQuery is one statement of a customer.
type SQLQuery struct {
	Query      string                     `json:"query"`
	Parameters map[string]json.RawMessage `json:"parameters,omitempty"` // by the names of the statement's {name:Type}
	Format     string                     `json:"format,omitempty"`     // json, ndjson, csv, arrow or parquet; "" follows Accept
}

// SQLRunner is what the routes of SQL need.
type SQLRunner interface {
	// OpenSQL returns an answer in the query's format when its first bytes are there. Reading it fails when the query does.
	// Whoever opens an answer closes it.
	OpenSQL(ctx context.Context, scope seamark.Scope, q SQLQuery) (io.ReadCloser, error)
	ExplainSQL(ctx context.Context, scope seamark.Scope, q SQLQuery) (*SQLPlan, error)
	SQLViews() []SQLView
}

// SQLPlan is what a statement would read, and how.
type SQLPlan struct {
	Rows   uint64     `json:"rows"`
	Marks  uint64     `json:"marks"`
	Parts  uint64     `json:"parts"`
	Bytes  uint64     `json:"bytes"` // of all columns of these rows; a statement reads the columns that it names
	Tables []SQLTable `json:"tables"`
	Plan   string     `json:"plan"`
}

// SQLTable is what a statement would read of one table.
type SQLTable struct {
	Table string `json:"table"`
	Rows  uint64 `json:"rows"`
	Marks uint64 `json:"marks"`
	Parts uint64 `json:"parts"`
	Bytes uint64 `json:"bytes"`
}

// SQLView is a view that statements may read.
type SQLView struct {
	Name     string      `json:"name"`
	Comment  string      `json:"comment"`
	Columns  []SQLColumn `json:"columns"`
	Examples []string    `json:"examples"`
}

// SQLColumn is a column of a view.
type SQLColumn struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Comment string `json:"comment"`
}

// SQLOptions is what the routes of SQL are made of.
type SQLOptions struct {
	Runner SQLRunner
	// StallTimeout is how long a reader may take nothing before its connection is cut. Without it one that stopped holds a query.
	StallTimeout time.Duration
	Logger       *slog.Logger
}

// SQLRoutes returns the routes of the SQL workspace.
func SQLRoutes(o SQLOptions) []httpx.Route {
	h := sqlHandler{o}
	return []httpx.Route{
		{Method: http.MethodPost, Path: "/api/v1/sql", Permission: "data:read", Action: httpx.NoChange, HonoursScope: true, Handler: h.query},
		{Method: http.MethodPost, Path: "/api/v1/sql/explain", Permission: "data:read", Action: httpx.NoChange, HonoursScope: true, Handler: h.explain},
		{Method: http.MethodGet, Path: "/api/v1/sql/schema", Permission: "data:read", HonoursScope: true, Handler: h.schema},
	}
}

type sqlHandler struct{ SQLOptions }

// sqlForm is a form of answers.
type sqlForm struct{ name, media string }

// sqlForms lists the forms, the first for who asks for none.
func sqlForms() []sqlForm {
	return []sqlForm{
		{"json", "application/json"}, {"ndjson", "application/x-ndjson"}, {"csv", "text/csv"},
		{"arrow", "application/vnd.apache.arrow.stream"}, {"parquet", "application/vnd.apache.parquet"},
	}
}

// findForm returns the form that the field format names, else the first that Accept takes.
func findForm(format, accept string) (sqlForm, error) {
	forms := sqlForms()
	if format != "" {
		for _, f := range forms {
			if f.name == format {
				return f, nil
			}
		}
		return sqlForm{}, seamark.Errorf(seamark.Invalid, "seamark-sql-format", "The format %q is unknown; there are json, ndjson, csv, arrow and parquet.", format)
	}
	for part := range strings.SplitSeq(accept, ",") {
		media, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(part)), ";")
		if at := slices.IndexFunc(forms, func(f sqlForm) bool { return f.media == strings.TrimSpace(media) }); at >= 0 {
			return forms[at], nil
		}
	}
	return forms[0], nil
}

func (h sqlHandler) read(r *httpx.Request) (SQLQuery, error) {
	var q SQLQuery
	if err := httpx.ReadJSON(r, &q); err != nil {
		return q, err
	}
	if strings.TrimSpace(q.Query) == "" {
		return q, seamark.Errorf(seamark.Invalid, "seamark-sql-syntax", "The field query is empty; it holds the statement, such as SELECT count() FROM logs.")
	}
	return q, nil
}

func (h sqlHandler) query(w http.ResponseWriter, r *httpx.Request) error {
	q, err := h.read(r)
	if err != nil {
		return err
	}
	form, err := findForm(q.Format, r.Header.Get("Accept"))
	if err != nil {
		return err
	}
	q.Format = form.name
	answer, err := h.Runner.OpenSQL(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Close() }()
	kind := form.media
	if form.name == "csv" {
		kind += "; charset=utf-8; header=present"
	}
	d := newDownload(w, r.Request, &downloadOptions{kind: kind, packed: form.name == "parquet", stall: h.StallTimeout})
	defer d.release()
	err = h.copy(d, r, answer)
	if err != nil && (!d.begun || form.name != "ndjson" || r.Context().Err() != nil) {
		return err // a status, or a connection that is cut, so that half an answer is not taken for the whole
	}
	if err != nil {
		return logExportHandler{LogExportOptions{Logger: h.Logger}}.tell(d, r, uncounted, err)
	}
	return d.finish(uncounted, "")
}

// uncounted stands for rows that nobody has counted: they pass as bytes.
const uncounted = -1

// copy sends an answer as it comes. A query goes on for long: the credential may have been revoked.
func (h sqlHandler) copy(d *download, r *httpx.Request, answer io.Reader) error {
	buffer := make([]byte, 64<<10)
	for {
		n, err := answer.Read(buffer)
		if n > 0 {
			if err := r.Reauthorize(); err != nil {
				return err
			}
			if _, err := d.Write(buffer[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if n < len(buffer) { // there is no more at the moment
			if err := d.flush(); err != nil {
				return err
			}
		}
	}
}

func (h sqlHandler) explain(w http.ResponseWriter, r *httpx.Request) error {
	q, err := h.read(r)
	if err != nil {
		return err
	}
	plan, err := h.Runner.ExplainSQL(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, plan)
}

func (h sqlHandler) schema(w http.ResponseWriter, _ *httpx.Request) error {
	return httpx.WriteJSON(w, http.StatusOK, map[string]any{"views": h.Runner.SQLViews()})
}
