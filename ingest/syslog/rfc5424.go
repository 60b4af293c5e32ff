package syslog

import "bytes"

// parse5424 reads what stands behind the priority of an RFC 5424 message. It returns false, with only the priority set,
// when text is none. Structured data that is malformed becomes a part of the body.
func (m *Message) parse5424(text []byte, clock Clock) (ok bool) {
	version, rest, found := bytes.Cut(text, []byte(" "))
	if _, isNumber := number(version); !found || !isNumber || len(version) > 3 {
		return false
	}
	var fields [5]string // TIMESTAMP, HOSTNAME, APP-NAME, PROCID, MSGID
	for i := range fields {
		field, after, found := bytes.Cut(rest, []byte(" "))
		if !found || len(field) == 0 {
			if i < len(fields)-1 || len(field) == 0 {
				return false
			}
			after = nil // a header without structured data and text: the shortest that can be understood
		}
		if i == 0 && !m.time5424(field, clock) {
			return false
		}
		if string(field) != "-" {
			fields[i] = alias(field)
		}
		rest = after
	}
	m.Hostname, m.AppName, m.ProcID, m.MsgID = fields[1], fields[2], fields[3], fields[4]
	m.Body = alias(m.structuredData(rest))
	return true
}

// time5424 reads TIMESTAMP, which may be nil.
func (m *Message) time5424(field []byte, clock Clock) (ok bool) {
	if string(field) == "-" {
		return true
	}
	nano, n, ok := parseISO(field, clock)
	if !ok || n != len(field) {
		return false
	}
	m.TimeNano = nano
	return true
}

// structuredData reads STRUCTURED-DATA and returns the message behind it, with what of the data could not be read.
func (m *Message) structuredData(text []byte) (body []byte) {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	} else {
		for len(text) > 0 && text[0] == '[' {
			params, token := len(m.Params), m.Token
			rest, ok := m.element(text)
			if !ok { // it is text as a whole
				m.Params, m.Token = m.Params[:params], token
				return text
			}
			text = rest
		}
	}
	if len(text) > 0 && text[0] == ' ' {
		text = text[1:]
	}
	return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // BOM: the text is UTF-8, which it is taken for anyway
}

// element reads one SD-ELEMENT and returns what stands behind it.
func (m *Message) element(text []byte) (rest []byte, ok bool) {
	text = text[1:] // the bracket
	n := bytes.IndexAny(text, " ]")
	if n < 1 {
		return nil, false
	}
	id := alias(text[:n])
	for text = text[n:]; ; {
		if len(text) == 0 {
			return nil, false
		}
		if text[0] == ']' {
			return text[1:], true
		}
		if text[0] != ' ' {
			return nil, false
		}
		text = bytes.TrimLeft(text, " ")
		if len(text) > 0 && text[0] == ']' { // a blank before the bracket is not allowed, and common
			continue
		}
		n := bytes.IndexByte(text, '=')
		if n < 1 || n+1 >= len(text) || text[n+1] != '"' {
			return nil, false
		}
		name := alias(text[:n])
		value, after, ok := quoted(text[n+2:])
		if !ok {
			return nil, false
		}
		text = after
		m.param(Param{ID: id, Name: name, Value: alias(value)})
	}
}

func (m *Message) param(p Param) {
	switch {
	case p.ID == tokenElement:
		if p.Name == "token" {
			m.Token = p.Value
		}
	case len(m.Params) < maxParams:
		m.Params = append(m.Params, p)
	}
}

// quoted reads a PARAM-VALUE up to its closing quote, which it drops. Backslashes before a quote, a backslash or a bracket
// are resolved in place; before anything else they are text (RFC 5424 section 6.3.3).
func quoted(text []byte) (value, rest []byte, ok bool) {
	i := bytes.IndexAny(text, `"\`)
	if i >= 0 && text[i] == '"' { // fast path: no escapes
		return text[:i], text[i+1:], true
	}
	if i < 0 {
		return nil, nil, false
	}
	to := i
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return text[:to], text[i+1:], true
		case c == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\' || text[i+1] == ']'):
			i++
		}
		text[to] = text[i]
		to++
	}
	return nil, nil, false
}
