package logpattern

import (
	"hash/maphash"
	"math/bits"
	"strings"
)

// The bounds of what is looked at of one line. What follows is one wildcard, so that a megabyte of JSON costs what two kilobytes
// do and templates stay short enough to read.
const (
	maxScanBytes = 2048
	maxScanWords = 128
	// maxWordBytes is the longest word that can be part of a template: longer ones are encoded data.
	maxWordBytes = 64
	// minHexBytes is the length from which a word of the letters a to f is an id: a random id of eight digits has no decimal one
	// among them once in 2500 times, and few words are spelled so.
	minHexBytes = 8
	// maxKeyDigits and maxKeyBytes bound a key with digits: p99=, http2=. Keys beyond are values that somebody made keys of.
	maxKeyDigits = 2
	maxKeyBytes  = 32
)

// What a byte tells of the word that it is in.
const (
	isDigit     = 1 << iota
	isNoHex     // not a hexadecimal digit
	isSeparator // ends words. Dots, slashes, dashes and underscores do not: they are parts of names, paths and addresses.
)

var classes = func() (table [256]uint8) {
	for c := range table {
		switch {
		case c >= '0' && c <= '9':
			table[c] = isDigit
		case strings.IndexByte(" \t\r\n=,;:|\"'`()[]{}<>", byte(c)) >= 0:
			table[c] = isSeparator
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
		default:
			table[c] = isNoHex
		}
	}
	return table
}()

// span is a part of a line.
type span struct{ from, to int }

// Scanner masks lines. It keeps its memory between lines and is not safe for concurrent use.
type Scanner struct {
	line     string
	literals []span // what stands before the first wildcard, between wildcards and after the last

	from  int // where the literal that is open begins
	last  int // end of the last word
	after int // end of the last masked word, -1 before the first
}

// Scan masks a line, which Text, Sum and Split then show. It returns false for a line without words, which has no template. The
// scanner refers to the line until the next Scan.
func (s *Scanner) Scan(line string) bool {
	line, open := head(line)
	s.line, s.literals, s.from, s.last, s.after = line, s.literals[:0], 0, 0, -1
	end, words, start, seen := len(line), 0, 0, uint8(0)
	for n := 0; n <= len(line); n++ {
		if n < len(line) {
			if class := classes[line[n]]; class != isSeparator {
				seen |= class
				continue
			}
		}
		if n > start {
			if words == maxScanWords || open && n == len(line) { // a word behind the limit, or one that was cut
				end, open = start, true
				break
			}
			words++
			s.word(start, n, seen)
		}
		start, seen = n+1, 0
	}
	if open && end == len(line) {
		end = s.last
	}
	s.close(end, open)
	return words > 0
}

// head returns the first line of a text, at most so much of it as is looked at, and whether something follows. A first line that
// others follow keeps its line break, so that its last word is known to be whole.
func head(line string) (first string, open bool) {
	first = line
	if len(line) > maxScanBytes {
		first, open = line[:maxScanBytes], true
	}
	if i := strings.IndexByte(first, '\n'); i >= 0 && strings.Trim(line[i:], " \t\r\n") != "" {
		return first[:i+1], true
	}
	if open {
		return first, true
	}
	return strings.TrimRight(first, " \t\r\n"), false
}

// word takes the next word, of which seen tells what bytes it has.
func (s *Scanner) word(start, end int, seen uint8) {
	gap := s.line[s.last:start]
	plain := seen&isDigit == 0 && (seen&isNoHex != 0 || end-start < minHexBytes) && end-start <= maxWordBytes
	switch masked := s.last == s.after; {
	case plain || s.isKey(start, end):
		if masked && isPadding(gap) { // the wildcard before takes all blanks but one
			s.from = start - 1
		}
	case masked && joins(gap):
		s.from, s.after = end, end
	default:
		literal := span{s.from, start}
		if isPadding(gap) { // the wildcard takes all blanks but one
			literal.to = s.last + 1
		}
		s.literals = append(s.literals, literal)
		s.from, s.after = end, end
	}
	s.last = end
}

// close ends the last literal.
func (s *Scanner) close(end int, open bool) {
	if open && s.last != s.after { // else the last wildcard takes the rest
		s.literals = append(s.literals, span{s.from, end})
	}
	if open {
		s.from = end
	}
	s.literals = append(s.literals, span{s.from, end})
}

// isPadding reports whether a gap is several blanks, as those that align columns: their number is no part of a template beside a
// wildcard, which takes them.
func isPadding(gap string) bool {
	return len(gap) > 1 && strings.Trim(gap, " \t") == ""
}

// joins reports whether masked words on both sides of a gap are one value: the parts of a time or an address, the elements of a
// list, whose number is no part of a template.
func joins(gap string) bool {
	switch gap {
	case ":", ",", ", ", `","`, `", "`:
		return true
	}
	return false
}

// isKey reports whether a word with digits names a value nevertheless: p99=, or "http2": of JSON.
func (s *Scanner) isKey(start, end int) bool {
	if !namesValue(s.line, start, end) || end-start > maxKeyBytes || classes[s.line[start]]&isDigit != 0 {
		return false
	}
	digits := 0
	for _, c := range []byte(s.line[start:end]) {
		if classes[c]&isDigit != 0 {
			digits++
		}
	}
	return digits <= maxKeyDigits
}

// namesValue reports whether the word at a place of a text is a key: key=, or "key": of JSON.
func namesValue(text string, start, end int) bool {
	after := text[end:]
	if after == "" || after[0] != '=' && after[0] != '"' {
		return false
	}
	if after[0] == '=' {
		return true
	}
	return start > 0 && text[start-1] == '"' && (strings.HasPrefix(after, `":`) || strings.HasPrefix(after, `" :`))
}

// Text returns the line with <_> for what is masked.
func (s *Scanner) Text() string {
	var b strings.Builder
	for i, l := range s.literals {
		if i > 0 {
			b.WriteString(Wildcard)
		}
		b.WriteString(s.line[l.from:l.to])
	}
	return strings.ToValidUTF8(b.String(), "\uFFFD")
}

// sum names the masked line within a process: lines of equal sum and seed have equal texts.
func (s *Scanner) sum(seed maphash.Seed) uint64 {
	h := uint64(len(s.literals))
	for _, l := range s.literals {
		h = bits.RotateLeft64(h, 29)*sumPrime ^ maphash.String(seed, s.line[l.from:l.to])
	}
	return h
}

// sumPrime mixes the sums of a line's literals in their order.
const sumPrime = 0x9e3779b97f4a7c15
