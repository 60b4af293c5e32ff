package influx

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Version is what we answer as X-Influxdb-Version. Clients read the first two numbers: 1.8 is the last version that has
// both write APIs without a database that must exist first.
const Version = "1.8.10-seamark"

// The headers of the answer to /ping, which is 204 without a body. They go on every response, as InfluxDB does it.
const (
	VersionHeader = "X-Influxdb-Version"
	BuildHeader   = "X-Influxdb-Build"
	Build         = "OSS"
)

// Refusal is the error of a request of which something was refused, nil when nothing was. String fields do not count. Its
// message begins with the words by which version 1 clients know that the rest is stored, and names lines. It is called
// after the batch was pushed, because limits refuse rows too.
func Refusal(b *seamark.Batch, f *Faults) error {
	refused := 0
	for _, r := range b.Rejected.Reasons {
		if r.Reason != stringFieldID {
			refused += r.Count
		}
	}
	if refused == 0 {
		return nil
	}
	var t strings.Builder
	if b.Rows() == 0 {
		fmt.Fprintf(&t, "unable to parse or store any point: %d refused.", refused)
	} else {
		fmt.Fprintf(&t, "partial write: %d refused, dropped=%d; %d samples are stored.", refused, refused, b.Rows())
	}
	for _, l := range f.List {
		fmt.Fprintf(&t, " Line %d (%s): %s", l.Line, l.Reason, l.Message)
	}
	if more := f.Total - len(f.List); more > 0 {
		fmt.Fprintf(&t, " %d more lines were refused.", more)
	}
	for _, r := range b.Rejected.Reasons {
		if r.Reason != stringFieldID && !f.tells(r.Reason) {
			fmt.Fprintf(&t, " %s x%d: %s", r.Reason, r.Count, r.Detail)
		}
	}
	return seamark.Errorf(seamark.Invalid, "seamark-points-refused", "%s", t.String())
}

func (f *Faults) tells(reason string) bool {
	for i := range f.List {
		if f.List[i].Reason == reason {
			return true
		}
	}
	return false
}

// errorV1 is the body of a failure of /write and /query.
type errorV1 struct {
	Error string `json:"error"`
}

// AppendErrorV1 appends the body with which /write and /query fail.
func AppendErrorV1(dst []byte, message string) []byte {
	return appendJSON(dst, errorV1{message})
}

// errorV2 is the body of a failure of /api/v2/write.
type errorV2 struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Line    *int   `json:"line,omitempty"`
}

// AppendErrorV2 appends the body with which /api/v2/write fails. f may be nil; else it tells the first refused line.
func AppendErrorV2(dst []byte, kind seamark.Kind, message string, f *Faults) []byte {
	e := errorV2{Code: codeV2(kind), Message: message}
	if f != nil && len(f.List) > 0 {
		e.Line = &f.List[0].Line
	}
	return appendJSON(dst, e)
}

// codeV2 names a kind with the error codes of InfluxDB's OpenAPI document.
func codeV2(kind seamark.Kind) string {
	switch kind {
	case seamark.Invalid:
		return "invalid"
	case seamark.Unauthenticated:
		return "unauthorized"
	case seamark.Forbidden:
		return "forbidden"
	case seamark.NotFound:
		return "not found"
	case seamark.Conflict:
		return "conflict"
	case seamark.TooLarge:
		return "request too large"
	case seamark.Unsupported:
		return "unsupported media type"
	case seamark.Unprocessable:
		return "unprocessable entity"
	case seamark.RateLimited:
		return "too many requests"
	case seamark.Unavailable, seamark.Timeout:
		return "unavailable"
	case seamark.Internal, seamark.Canceled:
	}
	return "internal error"
}

// health is the body of /health.
type health struct {
	Name    string   `json:"name"`
	Message string   `json:"message"`
	Status  string   `json:"status"`
	Checks  []string `json:"checks"`
	Version string   `json:"version"`
}

// AppendHealth appends the body of /health, which goes with status 200 when ready and 503 else.
func AppendHealth(dst []byte, ready bool) []byte {
	h := health{Name: "influxdb", Message: "ready for queries and writes", Status: "pass", Checks: []string{}, Version: Version}
	if !ready {
		h.Message, h.Status = "starting or overloaded", "fail"
	}
	return appendJSON(dst, h)
}

// result is the answer to one statement of a query.
type result struct {
	StatementID int      `json:"statement_id"`
	Series      []series `json:"series,omitempty"`
}

type series struct {
	Name    string     `json:"name"`
	Columns []string   `json:"columns"`
	Values  [][]string `json:"values"`
}

// maxStatements bounds the statements of one query. Without it a body of semicolons is answered with a hundred times as
// much.
const maxStatements = 100

// AppendQueryResponse appends the answer to the text of /query: clients create and list databases before they write.
// Every database exists and they are all the same one, so CREATE DATABASE succeeds and SHOW DATABASES lists databases.
// Other statements fail with Invalid seamark-influxql-unsupported.
func AppendQueryResponse(dst []byte, query string, databases ...string) ([]byte, error) {
	results := []result{}
	for rest, more := query, true; more; {
		var statement string
		statement, rest, more = strings.Cut(rest, ";")
		words := strings.Fields(statement)
		if len(words) == 0 {
			continue
		}
		if len(results) == maxStatements {
			return dst, seamark.Errorf(seamark.Invalid, "seamark-influxql-unsupported", "The query has more than %d statements.", maxStatements)
		}
		r := result{StatementID: len(results)}
		switch {
		case isStatement(words, "SHOW", "DATABASES") && len(words) == 2:
			s := series{Name: "databases", Columns: []string{"name"}, Values: [][]string{}}
			for _, name := range databases {
				s.Values = append(s.Values, []string{name})
			}
			r.Series = []series{s}
		case isStatement(words, "CREATE", "DATABASE") && len(words) > 2:
		default:
			return dst, seamark.Errorf(seamark.Invalid, "seamark-influxql-unsupported",
				"The statement %.64q is not supported: only SHOW DATABASES and CREATE DATABASE are, for clients that send them "+
					"before they write. Query metrics with PromQL.", strings.ToValidUTF8(statement, "\uFFFD"))
		}
		results = append(results, r)
	}
	if len(results) == 0 {
		return dst, seamark.Errorf(seamark.Invalid, "seamark-influxql-missing", "The parameter q is missing or empty.")
	}
	return appendJSON(dst, struct {
		Results []result `json:"results"`
	}{results}), nil
}

func isStatement(words []string, first, second string) bool {
	return len(words) >= 2 && strings.EqualFold(words[0], first) && strings.EqualFold(words[1], second)
}

// appendJSON appends v, which is made of strings and numbers alone and so always has a JSON form.
func appendJSON(dst []byte, v any) []byte {
	text, _ := json.Marshal(v)
	return append(dst, text...)
}
