package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// LogExportQuery is one export of a log query's whole answer.
type LogExportQuery struct {
	Query      string
	Start, End time.Time
	Newest     bool     // newest lines first
	Limit      int64    // 0: all
	Format     string   // ndjson, csv or parquet
	Labels     []string // columns of their own; none: columns of maps
}

// LogExporter is what the export route needs.
type LogExporter interface {
	// OpenLogExport checks an export and makes it ready. Whoever opens it closes it.
	OpenLogExport(ctx context.Context, scope seamark.Scope, q LogExportQuery) (LogExport, error)
}

// LogExport is one export that is ready to run.
type LogExport interface {
	// Estimate is how many rows the range has before filters.
	Estimate() uint64
	// Run writes the file and returns its lines, also when it breaks off; flush is called when what was written should go
	// out, and its error ends the export.
	Run(ctx context.Context, w io.Writer, flush func() error) (rows int64, err error)
	Close()
}

// LogExportOptions is what the export route needs.
type LogExportOptions struct {
	Exporter LogExporter
	// StallTimeout is how long a reader may take nothing before its connection is cut. Without it one that stopped holds a
	// connection to ClickHouse for as long as an export may last.
	StallTimeout time.Duration
	Logger       *slog.Logger
	Now          func() time.Time
}

// logExportType returns the media type of a format's files, "" for a format that there is not.
func logExportType(format string) string {
	switch format {
	case "ndjson":
		return "application/x-ndjson"
	case "csv":
		return "text/csv; charset=utf-8"
	case "parquet":
		return "application/vnd.apache.parquet"
	}
	return ""
}

// LogExportRoutes returns the route that downloads the answer of a log query.
func LogExportRoutes(o LogExportOptions) []httpx.Route {
	h := logExportHandler{o}
	return []httpx.Route{{Method: http.MethodGet, Path: "/api/v1/logs/export", Permission: "data:read", HonoursScope: true, Handler: h.export}}
}

type logExportHandler struct{ LogExportOptions }

func (h logExportHandler) export(w http.ResponseWriter, r *httpx.Request) error {
	q, err := h.parse(r)
	if err != nil {
		return err
	}
	export, err := h.Exporter.OpenLogExport(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	defer export.Close()
	d := newDownload(w, r.Request, &downloadOptions{
		name: "logs-" + q.Start.UTC().Format(fileTime) + "-" + q.End.UTC().Format(fileTime) + "." + q.Format,
		kind: logExportType(q.Format), estimate: export.Estimate(), packed: q.Format == "parquet", stall: h.StallTimeout,
	})
	defer d.release()
	rows, err := export.Run(r.Context(), d, func() error {
		// An export goes on for long: the credential may have been revoked.
		if err := r.Reauthorize(); err != nil {
			return err
		}
		return d.flush()
	})
	if err != nil && (!d.begun || q.Format != "ndjson" || r.Context().Err() != nil) {
		return err // a status, or a connection that is cut, so that half a file is not taken for the whole
	}
	if err != nil {
		return h.tell(d, r, rows, err)
	}
	return d.finish(rows, "")
}

// fileTime is the form of times in names of files.
const fileTime = "20060102T150405Z"

// tell ends an NDJSON file with a line that says why it ends early. The error has reached the reader then, so it is logged
// here and not returned.
func (h logExportHandler) tell(d *download, r *httpx.Request, rows int64, err error) error {
	id, message := "seamark-internal", "Internal error. Quote request id "+r.ID+" when you report it."
	if e, ok := errors.AsType[*seamark.Error](err); ok && e.Kind != seamark.Internal {
		id, message = e.ID, e.Message
	}
	h.Logger.WarnContext(r.Context(), "an export broke off", "request_id", r.ID, "tenant", r.Principal.Tenant, "rows", rows, "err", err)
	line := encodeLine(map[string]any{"error": map[string]string{"id": id, "message": message, "request_id": r.ID}})
	if _, err := d.Write(line); err != nil {
		return err
	}
	return d.finish(rows, id)
}

func (h logExportHandler) parse(r *httpx.Request) (LogExportQuery, error) {
	q := LogExportQuery{Format: "ndjson"}
	p, err := newLokiParams(r, h.Now())
	if err != nil {
		return q, err
	}
	if q.Query, err = p.required("query"); err != nil {
		return q, err
	}
	span, err := p.timeRange(lokiQuerySpan)
	if err != nil {
		return q, err
	}
	q.Start, q.End = span.Start, span.End
	switch p.values.Get("direction") {
	case "", "forward":
	case "backward":
		q.Newest = true
	default:
		return q, p.invalid("direction", "forward or backward")
	}
	if text := p.values.Get("limit"); text != "" {
		if q.Limit, err = strconv.ParseInt(text, 10, 64); err != nil || q.Limit < 0 {
			return q, p.invalid("limit", "a whole number of lines, 0 for all")
		}
	}
	if format := p.values.Get("format"); format != "" {
		q.Format = format
	}
	if logExportType(q.Format) == "" {
		return q, p.invalid("format", "ndjson, csv or parquet")
	}
	q.Labels = p.list("labels")
	return q, nil
}
