package events

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The keys of kube-eventer's default template, and of our template beyond it.
const (
	keyType    = "EventType"
	keyKind    = "EventKind"
	keyReason  = "EventReason"
	keyTime    = "EventTime"
	keyMessage = "EventMessage"

	keyNamespace = "EventNamespace"
	keyName      = "EventName"
	keyUID       = "EventUID"
	keyVersion   = "EventVersion"
	keySource    = "EventSource"
	keyNode      = "EventNode"
	keyCount     = "EventCount"
	keyFirst     = "EventFirstTime"
	keyLast      = "EventLastTime"

	keySeriesCount = "EventSeriesCount"
	keySeriesTime  = "EventSeriesTime"
)

// defaultKeys are the keys that can follow a message which is not the last member.
var defaultKeys = [...]string{keyType, keyKind, keyReason, keyTime}

// DecodeEventer appends the event of a kube-eventer webhook body to b; now stands in for times that it does not tell.
//
// The default template prints the message without escaping, so the body may not be JSON and is read by its frame: a
// value ends at its quote, but the message ends at the body's last quote, or at the key of the default template that
// follows it. Nothing that stands in a message of either template can pose as another field. Values of a body with keys
// of our template are unescaped, those of the default template are taken as they stand.
//
// An event with a time that cannot be read is counted in b.Rejected. The error is a *seamark.Error of kind Invalid,
// seamark-body-eventer, when the body has no such frame.
func DecodeEventer(body []byte, now time.Time, b *seamark.Batch) error {
	s := eventerScanner{text: strings.ToValidUTF8(string(body), "\ufffd"), fields: make(map[string]string)}
	if err := s.scan(); err != nil {
		return err
	}
	if s.fields[keyReason] == "" && s.fields[keyMessage] == "" {
		b.Rejected.Add(seamark.Events, 1, "seamark-event-empty", sentence(1, 0, "has neither an EventReason nor an EventMessage"))
		return nil
	}
	e, err := s.event(now)
	if err != nil {
		b.Rejected.Add(seamark.Events, 1, "seamark-event-malformed", sentence(1, 0, err.Error()))
		return nil
	}
	if err := b.Reserve(seamark.EventBytes + len(body)); err != nil {
		return err
	}
	b.Events = append(b.Events, e)
	return nil
}

// eventerScanner takes a body apart.
type eventerScanner struct {
	text   string
	pos    int
	fields map[string]string
}

// scan reads the members of the object.
func (s *eventerScanner) scan() error {
	if !s.skip("{") {
		return s.broken("the opening brace")
	}
	for !s.skip("}") {
		key, ok := s.quoted()
		if !ok {
			return s.broken("a quoted key")
		}
		if !s.skip(":") {
			return s.broken("the colon behind a key")
		}
		value, ok := s.value(key)
		if !ok {
			return s.broken("the end of a value")
		}
		if _, twice := s.fields[key]; !twice {
			s.fields[key] = value
		}
		s.skip(",")
	}
	s.blanks()
	if s.pos < len(s.text) {
		return s.broken("the end of the body")
	}
	s.unescape()
	return nil
}

func (s *eventerScanner) broken(wanted string) error {
	return seamark.Errorf(seamark.Invalid, "seamark-body-eventer",
		"The body is not what kube-eventer's webhook sends: at byte %d of %d %s is missing. Use the default template or ours.",
		s.pos, len(s.text), wanted)
}

// blanks passes over white space.
func (s *eventerScanner) blanks() {
	rest := s.text[s.pos:]
	s.pos += len(rest) - len(strings.TrimLeft(rest, " \t\r\n"))
}

// skip passes over blanks and then mark, if it is there.
func (s *eventerScanner) skip(mark string) bool {
	s.blanks()
	if !strings.HasPrefix(s.text[s.pos:], mark) {
		return false
	}
	s.pos += len(mark)
	return true
}

// quoted reads a string up to the first quote that is not escaped, and returns it with its escapes.
func (s *eventerScanner) quoted() (string, bool) {
	if !s.skip(`"`) {
		return "", false
	}
	start := s.pos
	for i := start; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			s.pos = i + 1
			return s.text[start:i], true
		}
	}
	return "", false
}

// value reads the value of key.
func (s *eventerScanner) value(key string) (string, bool) {
	s.blanks()
	if !strings.HasPrefix(s.text[s.pos:], `"`) {
		return s.bare()
	}
	if key == keyMessage {
		return s.message()
	}
	return s.quoted()
}

// bare reads a number, true, false or null.
func (s *eventerScanner) bare() (string, bool) {
	n := strings.IndexAny(s.text[s.pos:], ",} \t\r\n")
	if n <= 0 {
		return "", false
	}
	word := s.text[s.pos : s.pos+n]
	s.pos += n
	if word == "null" {
		word = ""
	}
	return word, true
}

// message reads the message, which may hold quotes: up to the nearest key of the default template that is still missing,
// or to the end of the body.
func (s *eventerScanner) message() (string, bool) {
	start := s.pos + 1
	end, next := -1, 0
	for _, key := range defaultKeys {
		if _, seen := s.fields[key]; seen {
			continue
		}
		if at, behind := s.findMember(start, key); at >= 0 && (end < 0 || at < end) {
			end, next = at, behind
		}
	}
	if end < 0 {
		tail, closed := strings.CutSuffix(strings.TrimRight(s.text, " \t\r\n"), "}")
		tail = strings.TrimRight(tail, " \t\r\n")
		if !closed || len(tail) <= start || tail[len(tail)-1] != '"' {
			return "", false
		}
		end, next = len(tail)-1, len(tail)
	}
	s.pos = next
	return s.text[start:end], true
}

// findMember finds the first place behind start where a string ends and the member key follows: the position of the
// string's closing quote and that behind it.
func (s *eventerScanner) findMember(start int, key string) (end, behind int) {
	mark := `"` + key + `"`
	for from := start; ; {
		i := strings.Index(s.text[from:], mark)
		if i < 0 {
			return -1, 0
		}
		i += from
		from = i + len(mark)
		before := strings.TrimRight(s.text[start:i], " \t\r\n")
		before, comma := strings.CutSuffix(before, ",")
		before = strings.TrimRight(before, " \t\r\n")
		after := strings.TrimLeft(s.text[from:], " \t\r\n")
		if comma && strings.HasSuffix(before, `"`) && strings.HasPrefix(after, ":") {
			return start + len(before) - 1, start + len(before)
		}
	}
}

// unescape undoes the quoting of our template, which the default template does not have. What is not valid quoting is
// left as it stands.
func (s *eventerScanner) unescape() {
	ours := false
	for _, key := range []string{keyNamespace, keyName, keyUID, keyVersion, keySource, keyNode, keyCount, keyFirst, keyLast} {
		if _, ok := s.fields[key]; ok {
			ours = true
		}
	}
	if !ours {
		return
	}
	for key, value := range s.fields {
		if !strings.Contains(value, `\`) {
			continue
		}
		var plain string
		if err := json.Unmarshal([]byte(`"`+value+`"`), &plain); err == nil {
			s.fields[key] = plain
		} else if plain, err = strconv.Unquote(`"` + value + `"`); err == nil { // %q writes \x00, which JSON does not know
			s.fields[key] = strings.ToValidUTF8(plain, "\ufffd")
		}
	}
}

// event brings the fields to the one shape.
func (s *eventerScanner) event(now time.Time) (seamark.Event, error) {
	f := s.fields
	var count, series number
	_ = count.UnmarshalJSON([]byte(f[keyCount])) // has no error
	_ = series.UnmarshalJSON([]byte(f[keySeriesCount]))
	e := seamark.Event{
		Namespace: f[keyNamespace], Kind: f[keyKind], Object: f[keyName], UID: f[keyUID], Version: f[keyVersion],
		Type: f[keyType], Reason: f[keyReason], Message: f[keyMessage], Source: f[keySource],
		Node: strings.TrimPrefix(f[keyNode], f[keySource]+"-"), Count: countOf(int64(max(count, series))),
	}
	var times [4]timestamp
	for i, key := range [...]string{keyFirst, keyLast, keyTime, keySeriesTime} {
		t, err := parseTime(strings.TrimSpace(f[key]))
		if err != nil {
			return e, err
		}
		times[i] = timestamp(t)
	}
	first, last, at := times[0], times[1], times[2]
	e.First = firstTime(first, at, last)
	e.Last = firstTime(times[3], last, at, first)
	finish(&e, now)
	return e, nil
}
