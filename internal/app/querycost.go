package app

import (
	"context"
	"net/http"
	"strconv"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/querier/admit"
)

// The headers of what a query was and what it has cost. The second comes again as a trailer where the answer was begun before all
// of it was read.
const (
	queryIDHeader   = "Seamark-Query-Id"
	queryCostHeader = "Seamark-Query-Cost"
)

// costWriter writes an answer, counts it, and sends its cost along. The status goes out with the first byte, so that an answer that
// is too large at once becomes an error.
type costWriter struct {
	http.ResponseWriter
	query  *admit.Query
	status int // to be sent; 0 once it was
	sent   bool
	cost   string // as it was sent
}

func newCostWriter(w http.ResponseWriter, q *admit.Query) *costWriter {
	w.Header().Set(queryIDHeader, q.ID)
	return &costWriter{ResponseWriter: w, query: q, status: http.StatusOK}
}

// Unwrap is for http.ResponseController.
func (c *costWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (c *costWriter) WriteHeader(status int) {
	if c.sent {
		return
	}
	c.status = status
	if status >= http.StatusMultipleChoices || status == http.StatusNoContent || status < http.StatusOK {
		c.send()
	}
}

// Write implements http.ResponseWriter. It fails when the answer is larger than the tenant lets it be.
func (c *costWriter) Write(p []byte) (int, error) {
	c.query.Take(admit.Cost{ResultBytes: uint64(len(p))})
	if fault := c.query.Fault(); fault != nil {
		return 0, fault
	}
	c.send()
	return c.ResponseWriter.Write(p)
}

// FlushError implements what http.ResponseController looks for.
func (c *costWriter) FlushError() error {
	c.send()
	return http.NewResponseController(c.ResponseWriter).Flush()
}

// Flush implements http.Flusher.
func (c *costWriter) Flush() { _ = c.FlushError() }

func (c *costWriter) send() {
	if c.sent {
		return
	}
	c.sent = true
	c.tell(queryCostHeader)
	c.ResponseWriter.WriteHeader(c.status)
}

func (c *costWriter) tell(header string) {
	c.cost = costText(c.query)
	c.Header().Set(header, c.cost)
}

// finish tells what the query has cost in the end.
func (c *costWriter) finish(err error) {
	switch {
	case !c.sent && err == nil:
		c.send()
	case !c.sent:
		c.tell(queryCostHeader) // the edge writes the error
	case costText(c.query) != c.cost:
		c.tell(http.TrailerPrefix + queryCostHeader)
	}
}

// costOf returns what the query that ctx works for has cost so far. It implements api.QueryCoster.
func costOf(ctx context.Context) *api.QueryCost {
	q := admit.From(ctx)
	if q == nil {
		return nil
	}
	return shownCost(q)
}

func shownCost(q *admit.Query) *api.QueryCost {
	cost, waited := q.Cost(), q.Waited()
	return &api.QueryCost{
		Rows: cost.Rows, Bytes: cost.Bytes, CPUMillis: (cost.CPUMicros + 500) / 1000, Queued: uint64(waited.Milliseconds()), CacheBytes: cost.CacheBytes, Waited: waited,
	}
}

// costText writes a cost as it stands in a header. It leaves out the answer's size, which the reader sees.
func costText(q *admit.Query) string {
	cost := shownCost(q)
	b := make([]byte, 0, 96)
	for _, part := range []struct {
		name  string
		value uint64
	}{
		{"rows", cost.Rows}, {"bytes", cost.Bytes}, {"cpu_ms", cost.CPUMillis}, {"queued_ms", cost.Queued}, {"cache_bytes", cost.CacheBytes},
	} {
		if len(b) > 0 {
			b = append(b, ';')
		}
		b = append(append(b, part.name...), '=')
		b = strconv.AppendUint(b, part.value, 10)
	}
	return string(b)
}
