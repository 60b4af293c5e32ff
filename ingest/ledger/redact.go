package ledger

import (
	"strings"
	"unicode/utf8"
)

const (
	// maxSampleBytes bounds a sample: enough to recognise a line by, too little to be a copy of it.
	maxSampleBytes = 256
	// maxRedactBytes bounds what is looked at of what a sender wrote. Masks are short, so a sample may need more of the text
	// than it shows.
	maxRedactBytes = 4096
)

const mask = "***"

// Redact returns the start of what a sender wrote, at most 256 bytes of UTF-8, without what should not be read in a list:
// Seamark's and other bearer tokens, values of keys that sound like secrets, passwords in URLs, e-mail addresses, and
// runs of digits as long as a card's. Punctuation stays, so that one sees what shape the text had. What it does not know
// it does not hide.
func Redact(s string) string {
	cut := len(s) > maxRedactBytes
	if cut {
		s = s[:maxRedactBytes]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	if cut {
		s = s[:lastBoundary(s)] // half a secret may not look like one
	}
	r := redactor{in: s}
	for r.at < len(r.in) {
		if r.out.Len() > maxSampleBytes {
			break
		}
		r.step()
	}
	return shorten(r.out.String())
}

// shorten cuts a redacted text at a rune boundary.
func shorten(s string) string {
	if len(s) <= maxSampleBytes {
		return s
	}
	const more = "..."
	end := maxSampleBytes - len(more)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more
}

// lastBoundary returns the end of the last whole word of s.
func lastBoundary(s string) int {
	end := len(s)
	for end > 0 && isWord(s[end-1]) {
		end--
	}
	return end
}

// redactor copies a text word by word.
type redactor struct {
	in     string
	at     int
	out    strings.Builder
	secret bool // the value that comes next belongs to a key that sounds like a secret
	opened bool // the sign between that key and its value has passed
	depth  int  // of brackets inside that value
	scheme bool // the word before was an authentication scheme
}

// step copies one word, or one byte that belongs to none.
func (r *redactor) step() {
	c := r.in[r.at]
	if !isWord(c) {
		r.punctuation(c)
		return
	}
	if end, digits := spacedDigits(r.in[r.at:]); digits >= cardDigits {
		r.out.WriteString(mask)
		r.at += end
		return
	}
	end := r.at
	for end < len(r.in) && isWord(r.in[end]) {
		end++
	}
	word := r.in[r.at:end]
	r.at = end
	r.word(word)
}

// punctuation copies a byte between words. A value ends at what separates pairs, and one in brackets where they close;
// quotes, spaces and the signs between a key and its value do not end it.
func (r *redactor) punctuation(c byte) {
	switch c {
	case ':', '=':
		r.opened = true
	case '{', '[', '(':
		if r.secret {
			r.depth++
		}
	case '}', ']', ')':
		r.depth = max(0, r.depth-1)
		r.endValue()
	case ',', ';', '&', '\n', '\r':
		r.endValue()
	case '"', '\'':
		if r.secret && r.opened {
			r.quoted(c)
			return
		}
	}
	r.out.WriteByte(c)
	r.at++
}

// endValue is called where a value can end.
func (r *redactor) endValue() {
	r.secret, r.scheme = r.secret && r.depth > 0, false
}

// quoted masks a quoted secret whole, whatever it holds; one whose quote is not closed reaches to the end.
func (r *redactor) quoted(quote byte) {
	rest := r.in[r.at+1:]
	end := closing(rest, quote)
	r.out.WriteByte(quote)
	r.out.WriteString(mask)
	if end < 0 {
		r.at = len(r.in)
		return
	}
	r.out.WriteByte(quote)
	r.at += end + 2
	r.endValue()
}

// closing returns the index of the quote that ends a text, past escaped ones; -1 when there is none.
func closing(s string, quote byte) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			return i
		}
	}
	return -1
}

func (r *redactor) word(word string) {
	lower := strings.ToLower(strings.Trim(word, ".-_"))
	switch {
	case r.secret && isScheme(lower): // Authorization: Bearer x
		r.out.WriteString(word)
		r.scheme = true
		return
	case r.secret || r.scheme:
		r.out.WriteString(mask)
		r.secret, r.scheme = r.depth > 0 || !r.scheme && r.continues(), false
		return
	case isScheme(lower) && r.at < len(r.in) && r.in[r.at] == ' ' && r.credentialFollows():
		r.out.WriteString(word)
		r.scheme = true
		return
	}
	r.out.WriteString(masked(word))
	r.secret, r.opened = r.isKey() && soundsSecret(lower), false
}

// continues reports whether a secret without quotes goes on behind the word that was masked: with a sign that no pair
// ends with, such as the dollar in pa$$word.
func (r *redactor) continues() bool {
	return r.at < len(r.in) && !strings.ContainsRune(" \t,;&\n\r}])\"'", rune(r.in[r.at]))
}

// isKey reports whether what was copied last is the key of a pair: behind it stands a colon, an equals sign, or the quote
// that closes it and then one of them.
func (r *redactor) isKey() bool {
	rest := strings.TrimLeft(r.in[r.at:], `"'\ `+"\t")
	return rest != "" && (rest[0] == ':' || rest[0] == '=')
}

// credentialFollows reports whether the word behind a scheme looks like a credential and not like prose ("basic auth").
func (r *redactor) credentialFollows() bool {
	rest := strings.TrimLeft(r.in[r.at:], " ")
	end, mixed := 0, false
	for end < len(rest) && isWord(rest[end]) {
		c := rest[end]
		mixed = mixed || c >= '0' && c <= '9' || end > 0 && c >= 'A' && c <= 'Z'
		end++
	}
	return end >= 8 && mixed || end >= 16
}

// isScheme lists the authentication schemes whose credential is the next word.
func isScheme(lower string) bool {
	switch lower {
	case "bearer", "basic", "apikey", "splunk", "token", "digest", "negotiate":
		return true
	}
	return false
}

// soundsSecret reports whether a key's value should not be read.
func soundsSecret(lower string) bool {
	for _, part := range []string{"password", "passwd", "passphrase", "secret", "apikey", "api_key", "api-key", "authorization", "credential",
		"private_key", "private-key", "access_key", "access-key", "accesskey", "session", "cookie", "signature"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	for _, end := range []string{"token", "pwd", "jwt", "pass", "pin", "cvv", "cvc", "ssn"} {
		if lower == end || strings.HasSuffix(lower, "_"+end) || strings.HasSuffix(lower, "-"+end) || strings.HasSuffix(lower, "."+end) {
			return true
		}
	}
	return strings.HasSuffix(lower, "token")
}
