package quarantine

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Fingerprint names what a query is without its literals: queries that differ in strings, numbers, durations, comments and spaces
// alone are one. It is 32 hexadecimal digits.
func Fingerprint(language, text string) string {
	sum := sha256.Sum256([]byte(language + "\x00" + Shape(language, text)))
	return hex.EncodeToString(sum[:16])
}

// Shape returns a query's text with a question mark for each literal, and one for a list of them. Where a query has no text but a path, the
// values of its parameters are literals.
func Shape(language, text string) string {
	if strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "/*") {
		return shapeOfPath(text)
	}
	s := shaper{text: text, sql: language == "sql"}
	for s.at < len(s.text) {
		s.step()
	}
	return string(s.out)
}

// shapeOfPath keeps the names of parameters.
func shapeOfPath(text string) string {
	route, query, _ := strings.Cut(text, "?")
	var names []string
	for pair := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); name != "" {
			names = append(names, name+"=?")
		}
	}
	if len(names) == 0 {
		return route
	}
	return route + "?" + strings.Join(names, "&")
}

// shaper reads the tokens that all our languages share: quoted strings, numbers, words, comments.
type shaper struct {
	text string
	at   int
	sql  bool // its comments, and none of PromQL's and LogQL's
	out  []byte
	gap  bool // there was space since the last token
}

func (s *shaper) step() {
	c, rest := s.text[s.at], s.text[s.at:]
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		s.gap = true
		s.at++
	case !s.sql && c == '#' || s.sql && strings.HasPrefix(rest, "--"):
		s.skip(len(rest), "\n")
	case s.sql && strings.HasPrefix(rest, "/*"):
		s.skip(len(rest), "*/")
	case c == '"' || c == '\'' || c == '`':
		s.quoted(c)
		s.literal()
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		for s.at < len(s.text) && (isWord(s.text[s.at]) || s.text[s.at] == '.') {
			s.at++
		}
		s.literal()
	case isWord(c):
		begin := s.at
		for s.at < len(s.text) && (isWord(s.text[s.at]) || s.text[s.at] == ':') {
			s.at++
		}
		s.put(s.text[begin:s.at])
	default:
		s.put(rest[:1])
		s.at++
	}
}

// skip goes behind the end of a comment, or to the end of the text.
func (s *shaper) skip(most int, end string) {
	n := strings.Index(s.text[s.at+1:], end)
	if n < 0 {
		s.at += most
	} else {
		s.at += 1 + n + len(end)
	}
	s.gap = true
}

func (s *shaper) quoted(quote byte) {
	for s.at++; s.at < len(s.text); s.at++ {
		switch {
		case s.text[s.at] == '\\' && quote != '`':
			s.at++
		case s.text[s.at] == quote:
			s.at++
			return
		}
	}
	s.at = min(s.at, len(s.text))
}

// literal puts a question mark, unless it would be the next of a list of them.
func (s *shaper) literal() {
	if n := len(s.out); n >= 2 && s.out[n-1] == ',' && s.out[n-2] == '?' {
		s.out, s.gap = s.out[:n-1], false
		return
	}
	s.put("?")
}

// put writes a token. Space stays between words alone.
func (s *shaper) put(token string) {
	if n := len(s.out); s.gap && n > 0 && isWord(s.out[n-1]) && isWord(token[0]) {
		s.out = append(s.out, ' ')
	}
	s.out, s.gap = append(s.out, token...), false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || c == '?' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
