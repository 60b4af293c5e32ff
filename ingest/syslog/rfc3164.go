package syslog

import "bytes"

// parse3164 reads what stands behind the priority of an RFC 3164 message, or of what devices send for one: with ISO
// timestamps (rsyslog, Go's log/syslog), with a year, a fraction or a zone, a sequence number and stars (Cisco), without
// a hostname, or with nothing but text.
func (m *Message) parse3164(text []byte, clock Clock) {
	rest, header := m.ciscoOrigin(text, clock)
	if !header {
		rest, header = m.header3164(text, clock)
	}
	if !header {
		rest = text
	}
	m.content(bytes.TrimLeft(rest, " "))
}

// header3164 reads TIMESTAMP and HOSTNAME and returns what stands behind them.
func (m *Message) header3164(text []byte, clock Clock) (rest []byte, ok bool) {
	nano, n, ok := parseTimestamp(text, clock)
	if !ok {
		return nil, false
	}
	m.TimeNano = nano
	rest = text[n:]
	if len(rest) > 0 && rest[0] == ':' { // Cisco: the time ends the header
		return rest[1:], true
	}
	rest = bytes.TrimLeft(rest, " ")
	word, after, found := bytes.Cut(rest, []byte(" "))
	if !found || isTag(word) || word[0] == '[' {
		return rest, true
	}
	m.Hostname = alias(word)
	return after, true
}

// isTag tells "su:" and "sshd[42]:", which stand where a hostname is missing.
func isTag(word []byte) bool {
	return len(word) > 0 && word[len(word)-1] == ':' || len(word) > 1 && bytes.IndexByte(word, '[') > 0 && word[len(word)-1] == ']'
}

// ciscoOrigin reads Cisco's "43: router: *Mar  1 18:46:11.123 UTC: ": a sequence number, an origin, or both, before the
// time.
func (m *Message) ciscoOrigin(text []byte, clock Clock) (rest []byte, ok bool) {
	const longest = 64 // of what can stand before the time
	rest, host := text, ""
	for range 2 {
		n := bytes.Index(rest[:min(len(rest), longest)], []byte(": "))
		if n < 0 {
			return nil, false
		}
		word := rest[:n]
		if bytes.IndexByte(word, ' ') >= 0 {
			return nil, false
		}
		if _, isNumber := number(word); !isNumber {
			host = alias(word)
		}
		rest = rest[n+2:]
		nano, n, ok := parseTimestamp(rest, clock)
		if !ok || n == len(rest) || rest[n] != ':' {
			continue
		}
		m.TimeNano, m.Hostname = nano, host
		return rest[n+1:], true
	}
	return nil, false
}

// content splits "sshd[42]: text" into its parts. A text without a tag, as in RFC 3164's own "Use the BFG!", is all body.
func (m *Message) content(text []byte) {
	m.Body = alias(text)
	n := bytes.IndexAny(text[:min(len(text), maxTag+1)], " [:]")
	if n < 1 || text[n] == ' ' || text[n] == ']' {
		return
	}
	tag, rest := text[:n], text[n:]
	var proc []byte
	if rest[0] == '[' {
		end := bytes.IndexByte(rest[:min(len(rest), maxTag)], ']')
		if end < 0 {
			return
		}
		proc, rest = rest[1:end], rest[end+1:]
		rest = bytes.TrimPrefix(rest, []byte(":"))
	} else {
		rest = rest[1:]
		if len(rest) > 0 && rest[0] != ' ' {
			return // "http://..." and "a:b" are text
		}
	}
	m.ProcID, m.Body = alias(proc), alias(bytes.TrimPrefix(rest, []byte(" ")))
	if tag[0] != '%' {
		m.AppName = alias(tag)
		return
	}
	// Cisco's %FACILITY-SEVERITY-MNEMONIC.
	if tag = tag[1:]; len(tag) > 0 {
		facility, _, _ := bytes.Cut(tag, []byte("-"))
		m.AppName, m.MsgID = alias(facility), alias(tag)
	}
}

// maxTag bounds a tag. RFC 3164 says 32; programs in containers have longer names.
const maxTag = 128
