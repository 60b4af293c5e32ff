package pipeline

import "strings"

// PatternNames lists the built-in patterns of redact steps.
func PatternNames() []string {
	return []string{"email", "credit_card", "ipv4", "jwt", "token", "secret"}
}

// patterns is a set of built-in patterns.
type patterns uint8

const (
	emailPattern patterns = 1 << iota
	cardPattern
	ipv4Pattern
	jwtPattern
	tokenPattern
	secretPattern
)

func parsePattern(name string) (patterns, bool) {
	for i, n := range PatternNames() {
		if n == name {
			return 1 << i, true
		}
	}
	return 0, false
}

// scanner finds the built-in patterns in one pass: a byte that can be part of none costs one look into a table. A byte
// that can be is looked at by the finders of its patterns, each of which reads a bounded stretch of text around it.
type scanner struct {
	starts  [256]patterns    // by byte: what may be found there
	forms   [256][]tokenForm // by first byte
	tails   [32][32]bool     // the last two letters of the names in secrets, low five bits: few other names end so
	secrets map[string]bool  // names in lower case without - and _
}

func newScanner(set patterns) *scanner {
	s := &scanner{secrets: map[string]bool{}}
	mark := func(p patterns, bytes string) {
		for i := range len(bytes) {
			s.starts[bytes[i]] |= p & set
		}
	}
	mark(emailPattern, "@")
	mark(cardPattern|ipv4Pattern, "0123456789")
	mark(jwtPattern, "e")
	mark(secretPattern, "=:")
	for _, t := range tokenForms() {
		mark(tokenPattern, t.prefix[:1])
		s.forms[t.prefix[0]] = append(s.forms[t.prefix[0]], t)
	}
	for _, name := range secretNames() {
		s.secrets[name] = true
		s.tails[name[len(name)-2]&0x1f][name[len(name)-1]&0x1f] = true
	}
	return s
}

// hit is a found secret: text[start:end] is to be replaced.
type hit struct {
	start, end int
	name       string
}

// redact appends text with its secrets replaced to dst and reports whether there were any; without any dst is unchanged.
func (s *scanner) redact(dst []byte, text string) ([]byte, bool) {
	done := 0 // what is in dst
	for i := 0; i < len(text); {
		set := s.starts[text[i]]
		if set == 0 {
			i++
			continue
		}
		if set&(emailPattern|secretPattern) == 0 && i > done && isAlnum(text[i-1]) {
			i++ // these begin a word, and this is inside one: most letters of a text end here
			continue
		}
		h, ok := s.find(set, text, i, done)
		if !ok {
			i = skip(text, i)
			continue
		}
		dst = append(dst, text[done:h.start]...)
		dst = append(append(append(dst, "[redacted:"...), h.name...), ']')
		done, i = h.end, h.end
	}
	if done == 0 {
		return dst, false
	}
	return append(dst, text[done:]...), true
}

// skip returns where to go on after nothing was found at i: behind a run of digits, which is whole or nothing.
func skip(text string, i int) int {
	if !isDigit(text[i]) {
		return i + 1
	}
	for i < len(text) && isDigit(text[i]) {
		i++
	}
	return i
}

// find returns the secret at i; what lies before done is replaced already.
func (s *scanner) find(set patterns, text string, i, done int) (hit, bool) {
	if set&emailPattern != 0 {
		if start, end, ok := findEmail(text, i, done); ok {
			return hit{start, end, "email"}, true
		}
	}
	if set&secretPattern != 0 {
		if start, end, ok := s.findSecret(text, i, done); ok {
			return hit{start, end, "secret"}, true
		}
	}
	if i > done && isAlnum(text[i-1]) {
		return hit{}, false // the others begin a word
	}
	if set&cardPattern != 0 {
		if end, ok := findCard(text, i); ok {
			return hit{i, end, "credit_card"}, true
		}
	}
	if set&ipv4Pattern != 0 {
		if end, ok := findIPv4(text, i); ok {
			return hit{i, end, "ipv4"}, true
		}
	}
	if set&jwtPattern != 0 {
		if end, ok := findJWT(text, i); ok {
			return hit{i, end, "jwt"}, true
		}
	}
	if set&tokenPattern != 0 {
		if start, end, ok := s.findToken(text, i); ok {
			return hit{start, end, "token"}, true
		}
	}
	return hit{}, false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlpha(c byte) bool { c |= 0x20; return c >= 'a' && c <= 'z' }

func isAlnum(c byte) bool { return isDigit(c) || isAlpha(c) }

// isURLBase64 reports whether c stands in base64url (RFC 4648, section 5).
func isURLBase64(c byte) bool { return isAlnum(c) || c == '-' || c == '_' }

// ends reports whether nothing that continues a number or word stands at i.
func ends(text string, i int) bool { return i >= len(text) || !isAlnum(text[i]) && text[i] != '_' }

// span returns the end of the longest run of bytes from start that ok takes, not further than most bytes.
func span(text string, start, most int, ok func(byte) bool) int {
	end := start
	for end < len(text) && end-start < most && ok(text[end]) {
		end++
	}
	return end
}

// The most bytes of an address' parts (RFC 5321, section 4.5.3.1).
const (
	maxLocalPart = 64
	maxDomain    = 255
)

// findEmail looks for an address around the @ at i. A domain needs a dot and a top level of letters, so that user@host of
// a shell prompt stays.
func findEmail(text string, i, done int) (start, end int, ok bool) {
	start = i
	for start > done && i-start < maxLocalPart && isLocalPart(text[start-1]) {
		start--
	}
	for start < i && text[start] == '.' {
		start++
	}
	if start == i || text[i-1] == '.' {
		return 0, 0, false
	}
	end = span(text, i+1, maxDomain, func(c byte) bool { return isAlnum(c) || c == '.' || c == '-' })
	for end > i+1 && !isAlnum(text[end-1]) {
		end-- // the full stop of a sentence
	}
	domain := text[i+1 : end]
	dot := strings.LastIndexByte(domain, '.')
	if dot < 1 || len(domain)-dot <= 2 || domain[0] == '-' || strings.Contains(domain, "..") {
		return 0, 0, false
	}
	for k := dot + 1; k < len(domain); k++ {
		if !isAlpha(domain[k]) {
			return 0, 0, false
		}
	}
	return start, end, true
}

// isLocalPart takes the bytes of unquoted local parts in use; the others of RFC 5322's atext are found in addresses so
// rarely, and in other text so often, that they end one.
func isLocalPart(c byte) bool {
	return isAlnum(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '%' || c == '\''
}

// findIPv4 looks for four numbers up to 255 without leading zeros that no fifth follows.
func findIPv4(text string, i int) (end int, ok bool) {
	if i > 0 && (text[i-1] == '.' || text[i-1] == '_') {
		return 0, false
	}
	for part := range 4 {
		if part > 0 {
			if i >= len(text) || text[i] != '.' {
				return 0, false
			}
			i++
		}
		digits := span(text, i, 4, isDigit) - i
		if digits == 0 || digits > 3 || digits > 1 && text[i] == '0' {
			return 0, false
		}
		number := 0
		for k := range digits {
			number = number*10 + int(text[i+k]-'0')
		}
		if number > 255 {
			return 0, false
		}
		i += digits
	}
	if !ends(text, i) || i+1 < len(text) && text[i] == '.' && isDigit(text[i+1]) {
		return 0, false
	}
	return i, true
}
