package docgen

import (
	"fmt"
	"slices"
	"strings"
)

// kinds is what each kind means to the sender; package httpx maps them to statuses.
var kinds = []struct{ name, status, todo string }{
	{"Invalid", "400", "drop it, correct the sender"},
	{"Unauthenticated", "401", "stop, use a valid credential"},
	{"Forbidden", "403", "stop, ask for the permission"},
	{"NotFound", "404", "it does not exist, or is another tenant's"},
	{"Conflict", "409", "read again, then decide"},
	{"TooLarge", "413", "send less at once"},
	{"Unsupported", "415", "send another media type, encoding or version"},
	{"Unprocessable", "422", "change the query"},
	{"RateLimited", "429 with Retry-After", "retry later"},
	{"Canceled", "499", "nothing: the caller went away"},
	{"Internal", "500", "retry; report it with the request id"},
	{"Timeout", "503 with Retry-After", "retry, or ask for less"},
	{"Unavailable", "503 with Retry-After", "retry soon"},
}

const errorsHead = `# Errors

Every error that reaches a customer has a stable id and a kind. The kind decides the HTTP status and what a sender should do;
the id never changes, so scripts may rely on it; messages may be reworded. The control plane answers with RFC 9457 problem
documents that carry the id; the Prometheus, Loki and OTLP routes answer in the form that their clients expect.

`

const errorsRows = `
## Refused rows

A push may be good in part. Its good rows are stored, and the others are counted by these reasons in the answer: status 400
with a text for Loki, remote write and events, ` + "`partial_success`" + ` with status 200 for OTLP. The metric
` + "`seamark_ingest_rejected_rows_total`" + ` counts them on the server.

`

// Errors renders docs/errors.md.
func Errors(faults []Fault) string {
	var b strings.Builder
	b.WriteString(notice + errorsHead)
	b.WriteString("| kind | status | the sender should |\n| --- | --- | --- |\n")
	for _, k := range kinds {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", k.name, k.status, k.todo)
	}
	b.WriteString("\n## Errors of requests\n\n… stands for what differs from case to case.\n\n| id | kind | message | package |\n| --- | --- | --- | --- |\n")
	writeFaults(&b, faults, func(f Fault) bool { return f.Kind != "" })
	b.WriteString(errorsRows + "| id | message | package |\n| --- | --- | --- |\n")
	writeFaults(&b, faults, func(f Fault) bool { return f.Kind == "" })
	return b.String()
}

// writeFaults writes one row per id and kind, with all messages of the id in one cell.
func writeFaults(b *strings.Builder, faults []Fault, take func(Fault) bool) {
	faults = slices.DeleteFunc(slices.Clone(faults), func(f Fault) bool { return !take(f) })
	for start := 0; start < len(faults); {
		end := start
		var messages, packages []string
		for end < len(faults) && faults[end].ID == faults[start].ID && faults[end].Kind == faults[start].Kind {
			f := faults[end]
			if f.Message != "" && !slices.Contains(messages, cell(f.Message)) {
				messages = append(messages, cell(f.Message))
			}
			if !slices.Contains(packages, f.Package) {
				packages = append(packages, f.Package)
			}
			end++
		}
		if len(messages) == 0 {
			messages = []string{"says what is wrong in the case at hand"}
		}
		kind := ""
		if faults[start].Kind != "" {
			kind = faults[start].Kind + " | "
		}
		fmt.Fprintf(b, "| `%s` | %s%s | %s |\n", faults[start].ID, kind, strings.Join(messages, "<br>"), strings.Join(packages, ", "))
		start = end
	}
}
