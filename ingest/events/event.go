package events

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The limits of an event's texts; longer ones are cut. The API server allows a message 1 KiB and names 253 bytes, but not
// all senders are API servers, and without limits one event could fill a block of the store.
const (
	maxMessageBytes = 32 << 10
	maxFieldBytes   = 1 << 10
)

// finish completes e with what every event has: texts within their limits, times, a uid.
func finish(e *seamark.Event, now time.Time) {
	for _, s := range []*string{
		&e.Cluster, &e.UID, &e.Namespace, &e.Kind, &e.Object, &e.Type, &e.Reason, &e.Source, &e.Node, &e.Version,
	} {
		*s = cut(*s, maxFieldBytes)
	}
	e.Message = cut(e.Message, maxMessageBytes)
	if e.UID == "" {
		e.UID = deriveUID(e) // before now stands in, so that an event without a time keeps its uid when it is sent again
	}
	if e.First.IsZero() {
		e.First = now
	}
	if e.Last.Before(e.First) {
		e.Last = e.First
	}
	e.First, e.Last = e.First.UTC(), e.Last.UTC()
}

// cut shortens s to at most limit bytes without splitting a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// countOf brings a count into range; Kubernetes leaves it out when an event happened once.
func countOf(n int64) uint32 { return uint32(min(max(n, 1), math.MaxUint32)) }

// deriveUID makes a uid in the form of a UUID (version 8, RFC 9562) from what makes an event the same event.
func deriveUID(e *seamark.Event) string {
	var text []byte
	for _, s := range []string{e.Namespace, e.Kind, e.Object, e.Reason, e.Type, e.Message} {
		text = binary.AppendUvarint(text, uint64(len(s)))
		text = append(text, s...)
	}
	text = binary.AppendVarint(text, e.First.Unix())
	text = binary.AppendVarint(text, int64(e.First.Nanosecond()))
	id := sha256.Sum256(text)
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

// Level is the level of the event's log line.
func Level(e *seamark.Event) seamark.Level {
	switch {
	case strings.EqualFold(e.Type, "Warning"):
		return seamark.LevelWarn
	case strings.EqualFold(e.Type, "Normal"):
		return seamark.LevelInfo
	}
	return seamark.ParseLevel(e.Type)
}

// logBody is the JSON of an event's log line. Queries name these keys; they are stable.
type logBody struct {
	Cluster   string    `json:"cluster,omitempty"`
	Namespace string    `json:"namespace,omitempty"`
	Kind      string    `json:"kind"`
	Name      string    `json:"name"`
	Type      string    `json:"type"`
	Reason    string    `json:"reason"`
	Message   string    `json:"message"`
	Source    string    `json:"source,omitempty"`
	Node      string    `json:"node,omitempty"`
	Count     uint32    `json:"count"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

// LogBody appends the event's log line to dst: one compact JSON object. Cluster, namespace, source and node are left out
// when they are not known. Times before the year 0 or after 9999, which JSON cannot hold, become the zero time.
func LogBody(dst []byte, e *seamark.Event) []byte {
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false) // people read these lines; < and & stay what they are
	body := logBody{
		Cluster: e.Cluster, Namespace: e.Namespace, Kind: e.Kind, Name: e.Object, Type: e.Type, Reason: e.Reason,
		Message: e.Message, Source: e.Source, Node: e.Node, Count: e.Count, First: inJSON(e.First), Last: inJSON(e.Last),
	}
	if err := enc.Encode(&body); err != nil {
		// Strings, a number and times in range are all there is to encode.
		panic("events: encode log body: " + err.Error())
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

func inJSON(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// tooMany is the fault of a request over maxEvents.
func tooMany() error {
	return seamark.Errorf(seamark.TooLarge, "seamark-events-limit",
		"The request has more than %d events, the limit of one request; send smaller lists.", maxEvents)
}

// sentence names a refused event for its sender.
func sentence(n int, offset int64, what string) string {
	return fmt.Sprintf("Event %d of the request, at byte %d, %s.", n, offset, what)
}

// clip shortens untrusted text for a message.
func clip(s string) string { return fmt.Sprintf("%q", cut(s, 64)) }
