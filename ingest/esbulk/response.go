package esbulk

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// ContentType is the media type of every body of this package.
const ContentType = "application/json"

// AppendResponse appends the answer to a _bulk request to dst: one item per action, in their order. Rejected names the rows
// that were refused after decoding (its LogRows, which Track fills); their items become 400. The text begins with took and
// errors, and nothing stands between "errors":false and "items", because Fluent Bit looks for these very bytes when its
// buffer is too short for the rest.
func AppendResponse(dst []byte, items []Item, rejected *seamark.Rejections, took time.Duration) []byte {
	refuseRows(items, rejected)
	dst = strconv.AppendInt(append(dst, `{"took":`...), max(took.Milliseconds(), 0), 10)
	failed := slices.ContainsFunc(items, func(i Item) bool { return i.Status >= 300 })
	dst = strconv.AppendBool(append(dst, `,"errors":`...), failed)
	dst = append(dst, `,"items":[`...)
	for i := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = items[i].append(dst, i)
	}
	return append(dst, `]}`...)
}

// refuseRows marks the items whose rows were refused after decoding. Rows rise with the items.
func refuseRows(items []Item, rejected *seamark.Rejections) {
	if rejected == nil || len(rejected.LogRows) == 0 {
		return
	}
	rows := make(map[int]int, len(rejected.LogRows))
	for _, r := range rejected.LogRows {
		rows[r.Row] = r.Reason
	}
	for i := range items {
		reason, refused := rows[items[i].Row]
		if items[i].Row == noRow || !refused {
			continue
		}
		if reason < 0 || reason >= len(rejected.Reasons) {
			items[i].Refuse(400, "seamark-rows-refused", "The document was refused.")
			continue
		}
		items[i].Refuse(400, rejected.Reasons[reason].Reason, rejected.Reasons[reason].Detail)
	}
}

func (i *Item) append(dst []byte, number int) []byte {
	dst = append(append(append(dst, `{"`...), i.Action...), `":{"_index":`...)
	dst = record.AppendQuoted(dst, i.Index)
	dst = append(dst, `,"_id":`...)
	switch {
	case i.ID != "":
		dst = record.AppendQuoted(dst, i.ID)
	case i.Row == noRow:
		dst = append(dst, "null"...) // none was given to what was not stored
	default:
		dst = append(appendHex(append(dst, '"'), i.hash+uint64(number)), '"')
	}
	if i.Status < 300 {
		return append(dst, `,"_version":1,"result":"created","status":201}}`...)
	}
	dst = strconv.AppendInt(append(dst, `,"status":`...), int64(i.Status), 10)
	dst = append(append(dst, `,"error":{"type":"`...), errorType(i.Status)...)
	dst = append(dst, `","reason":`...)
	dst = record.AppendQuoted(dst, strings.TrimSpace(i.Detail+" ["+i.Reason+"]"))
	return append(dst, `}}}`...)
}

func appendHex(dst []byte, n uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[n>>shift&15])
	}
	return dst
}

// errorType is Elasticsearch's word for a failure of this status.
func errorType(status int) string {
	switch status {
	case 400:
		return "document_parsing_exception"
	case 409:
		return "version_conflict_engine_exception"
	case 429:
		return "es_rejected_execution_exception"
	case 503:
		return "unavailable_shards_exception"
	}
	return "exception"
}

// AppendError appends Elasticsearch's body of a request that failed as a whole. Reason is for the sender.
func AppendError(dst []byte, status int, id, reason string) []byte {
	word := "illegal_argument_exception"
	switch status {
	case 401, 403:
		word = "security_exception"
	case 404:
		word = "resource_not_found_exception"
	case 413:
		word = "content_too_long_exception"
	case 429:
		word = "es_rejected_execution_exception"
	case 503:
		word = "unavailable_shards_exception"
	}
	text := record.AppendQuoted(nil, strings.TrimSpace(reason+" ["+id+"]"))
	dst = append(append(append(dst, `{"error":{"root_cause":[{"type":"`...), word...), `","reason":`...)
	dst = append(append(append(dst, text...), `}],"type":"`...), word...)
	dst = append(append(append(dst, `","reason":`...), text...), `},"status":`...)
	return append(strconv.AppendInt(dst, int64(status), 10), '}')
}
