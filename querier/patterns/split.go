package patterns

import (
	"strings"

	"github.com/cespare/xxhash/v2"
)

// wordKind says what a word can tell.
type wordKind uint8

const (
	plainWord wordKind = iota
	keyWord            // names a value: part of the line's shape
	digitWord          // has a digit, so it is likely a value
)

// splitter cuts a line into words and what stands between them. Its slices are used again for the next line.
type splitter struct {
	max   int
	parts []part
	kinds []wordKind
	shape uint64 // of the separators and keys
	open  bool   // the line has more words than max
	hash  xxhash.Digest
}

// separators end a word. Dots, slashes, dashes and underscores do not: they are parts of names, paths and addresses.
const separators = " \t\r\n=,;:|\"'`()[]{}"

func isSeparator(c byte) bool { return strings.IndexByte(separators, c) >= 0 }

// line cuts a line and returns how many words it has. The last part is what stands behind the last word.
func (s *splitter) line(line string) (words int) {
	s.parts, s.kinds, s.open = s.parts[:0], s.kinds[:0], false
	s.hash.Reset()
	line = strings.TrimRight(line, " \t\r\n")
	for pos := 0; ; {
		start := pos
		for pos < len(line) && isSeparator(line[pos]) {
			pos++
		}
		before := line[start:pos]
		_, _ = s.hash.WriteString(before)
		if pos == len(line) || words == s.max {
			s.open = pos < len(line)
			s.parts = append(s.parts, part{before: before})
			s.kinds = append(s.kinds, plainWord)
			break
		}
		start = pos
		digit := false
		for pos < len(line) && !isSeparator(line[pos]) {
			digit = digit || line[pos] >= '0' && line[pos] <= '9'
			pos++
		}
		word := line[start:pos]
		kind := plainWord
		switch {
		case isKey(before, line[pos:]):
			kind = keyWord
			_, _ = s.hash.WriteString(word)
		case digit:
			kind = digitWord
		}
		_, _ = s.hash.WriteString("\x00")
		s.parts = append(s.parts, part{before, word})
		s.kinds = append(s.kinds, kind)
		words++
	}
	if s.open {
		_, _ = s.hash.WriteString("\x01")
	}
	s.shape = s.hash.Sum64()
	return words
}

// isKey reports whether a word between before and after names a value: key=, or "key": of JSON.
func isKey(before, after string) bool {
	if strings.HasPrefix(after, "=") {
		return true
	}
	return strings.HasSuffix(before, `"`) && (strings.HasPrefix(after, `":`) || strings.HasPrefix(after, `" :`))
}
