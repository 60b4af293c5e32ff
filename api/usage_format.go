package api

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// usageMeasure is one figure of a group.
type usageMeasure struct {
	name string
	of   func(u *UsageRow) float64
}

// usageMeasures lists the figures in the order of answers. Counters are whole; means have fractions.
func usageMeasures() []usageMeasure {
	return []usageMeasure{
		{"requests", func(u *UsageRow) float64 { return float64(u.Requests) }},
		{"rows", func(u *UsageRow) float64 { return float64(u.Rows) }},
		{"bytes", func(u *UsageRow) float64 { return float64(u.Bytes) }},
		{"wire_bytes", func(u *UsageRow) float64 { return float64(u.WireBytes) }},
		{"set_aside_rows", func(u *UsageRow) float64 { return float64(u.SetAsideRows) }},
		{"stored_rows", func(u *UsageRow) float64 { return u.StoredRows }},
		{"stored_bytes", func(u *UsageRow) float64 { return u.StoredBytes }},
		{"active_series", func(u *UsageRow) float64 { return u.ActiveSeries }},
		{"active_streams", func(u *UsageRow) float64 { return u.ActiveStreams }},
		{"queries", func(u *UsageRow) float64 { return float64(u.Queries) }},
		{"read_rows", func(u *UsageRow) float64 { return float64(u.ReadRows) }},
		{"read_bytes", func(u *UsageRow) float64 { return float64(u.ReadBytes) }},
		{"cpu_seconds", func(u *UsageRow) float64 { return u.CPUSeconds }},
	}
}

// text writes a figure without an exponent: spreadsheets and shells read it.
func (m *usageMeasure) text(u *UsageRow) string {
	const decimals, whole = 1e3, 1 << 40 // more decimals would be noise of means
	value := m.of(u)
	if value >= whole {
		return strconv.FormatFloat(value, 'f', 0, 64)
	}
	return strconv.FormatFloat(math.Round(value*decimals)/decimals, 'f', -1, 64)
}

// usageText returns a column's text.
func usageText(u *UsageRow, column string) string {
	switch column {
	case "month":
		return u.Time.UTC().Format("2006-01")
	case "day":
		return u.Time.UTC().Format(time.DateOnly)
	case "hour":
		return u.Time.UTC().Format(time.RFC3339)
	case "tenant":
		return u.Tenant
	case "cluster":
		return u.Cluster
	case "signal":
		return u.Signal
	case "source":
		return u.Source
	}
	return u.Actor
}

// wantsCSV reads the parameter format, and without it the header Accept.
func wantsCSV(r *httpx.Request) (bool, error) {
	switch format := r.URL.Query().Get("format"); format {
	case "csv":
		return true, nil
	case "json":
		return false, nil
	case "":
	default:
		return false, seamark.Errorf(seamark.Invalid, "seamark-usage-format", "The format %.32q is not known; use json or csv.", format)
	}
	first, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	media, _, err := mime.ParseMediaType(first)
	return err == nil && media == "text/csv", nil
}

// writeUsageCSV answers as RFC 4180 has it, with a head. Cells that a spreadsheet would run as formulas are quoted with an
// apostrophe: names are chosen by senders.
func writeUsageCSV(w http.ResponseWriter, by []string, rows []UsageRow) error {
	var body bytes.Buffer
	out := csv.NewWriter(&body)
	out.UseCRLF = true
	measures := usageMeasures()
	line := append([]string(nil), by...)
	for _, m := range measures {
		line = append(line, m.name)
	}
	_ = out.Write(line) // a buffer takes everything
	for i := range rows {
		line = line[:0]
		for _, column := range by {
			line = append(line, plainCell(usageText(&rows[i], column)))
		}
		for _, m := range measures {
			line = append(line, m.text(&rows[i]))
		}
		_ = out.Write(line)
	}
	out.Flush()
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="usage.csv"`)
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(body.Bytes())
	return err
}

func plainCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// writeUsageJSON answers with one object per group: the columns it was grouped by, and all figures.
func writeUsageJSON(w http.ResponseWriter, f *UsageFilter, rows []UsageRow) error {
	measures := usageMeasures()
	items := make([]map[string]any, len(rows))
	for i := range rows {
		item := make(map[string]any, len(f.By)+len(measures))
		for _, column := range f.By {
			item[column] = usageText(&rows[i], column)
		}
		for _, m := range measures {
			item[m.name] = json.Number(m.text(&rows[i]))
		}
		items[i] = item
	}
	return httpx.WriteJSON(w, http.StatusOK, map[string]any{
		"start": f.Range.Start.UTC().Truncate(time.Hour), "end": f.Range.End.UTC(), "group_by": orEmpty(f.By), "items": items,
	})
}
