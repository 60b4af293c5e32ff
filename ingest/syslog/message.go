package syslog

import (
	"bytes"
	"strings"
	"time"
	"unsafe"
)

// Message is one parsed syslog message. Its strings alias the text that Parse was given.
type Message struct {
	Facility, Severity uint8
	HasPriority        bool
	TimeNano           int64 // nanoseconds since 1970, 0 when the message tells no time
	Hostname           string
	AppName            string
	ProcID             string
	MsgID              string
	Params             []Param // structured data in its order, without the token's element
	Token              string  // of the element seamark@0; a secret
	Body               string
}

// Param is one parameter of a structured data element.
type Param struct{ ID, Name, Value string }

// Clock is what timestamps without a year or a zone are read by.
type Clock struct {
	Now      time.Time
	Location *time.Location // nil means UTC
}

// maxParams bounds the structured data of one message. More than a row may have attributes is never stored, and a message
// of many tiny ones would take twenty times its size.
const maxParams = 256

// Parse reads one message without its framing and overwrites m, whose memory it reuses. It takes text over: escapes are
// resolved in place. A message that keeps to neither RFC is kept as far as it can be understood, with the rest as its
// body. The only message refused is one whose token cannot be told from its text, because that would store a secret: then
// ok is false.
func Parse(text []byte, clock Clock, m *Message) (ok bool) {
	*m = Message{Params: m.Params[:0]}
	text = bytes.TrimRight(text, "\r\n\x00")
	rest, hasPriority := m.priority(text)
	if hasPriority && len(rest) > 2 && rest[0] >= '1' && rest[0] <= '9' {
		if m.parse5424(rest, clock) {
			return !m.hasSecret()
		}
	}
	m.parse3164(rest, clock)
	return m.leadingToken() && !m.hasSecret()
}

// priority reads "<34>".
func (m *Message) priority(text []byte) (rest []byte, ok bool) {
	const longest = len("<191>")
	end := bytes.IndexByte(text[:min(len(text), longest)], '>')
	if end < 2 || text[0] != '<' {
		return text, false
	}
	n, ok := number(text[1:end])
	if !ok || n > 191 {
		return text, false
	}
	m.Facility, m.Severity, m.HasPriority = uint8(n>>3), uint8(n&7), true
	return text[end+1:], true
}

// tokenElement is the structured data element that carries a token. Enterprise number 0 is reserved (RFC 5424 section
// 7.2.2, IANA), so no sender's own element is called so.
const tokenElement = "seamark@0"

// leadingToken takes the token's element from the start of a body, where senders of RFC 3164 can put it.
func (m *Message) leadingToken() (ok bool) {
	const start = "[" + tokenElement
	if len(m.Body) < len(start) || m.Body[:len(start)] != start {
		return true
	}
	body := unsafe.Slice(unsafe.StringData(m.Body), len(m.Body)) // the text is ours, see Parse
	rest, ok := m.element(body)
	if !ok {
		return false
	}
	m.Body = alias(bytes.TrimLeft(rest, " "))
	return true
}

// hasSecret tells a token's element that was not recognised as one, because what is before it is malformed.
func (m *Message) hasSecret() bool { return strings.Contains(m.Body, "["+tokenElement) }

// number reads a short decimal number.
func number(digits []byte) (n int, ok bool) {
	if len(digits) == 0 || len(digits) > 9 {
		return 0, false
	}
	for _, d := range digits {
		if d -= '0'; d > 9 {
			return 0, false
		}
		n = n*10 + int(d)
	}
	return n, true
}

func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func isDigit(c byte) bool { return c-'0' <= 9 }
