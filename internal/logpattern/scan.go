package logpattern

import (
	"hash/maphash"
	"math/bits"
	"strings"
)

// maxScanBytes is what is looked at of one line. What follows is one wildcard, so that a megabyte of JSON costs what a kilobyte does
// and templates stay short enough to read.
const maxScanBytes = 1024

const (
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

// scanner masks lines. It keeps its memory between lines.
type scanner struct {
	line     string
	literals []span // what stands before the first wildcard, between wildcards and after the last
	other    []span // memory for literals
	masked   []byte // memory for sums
	from     int    // where the literal that is open begins
	masks    int
}

// scan masks the words of a line that have a digit, which is nearly all that can be told by a word's look, and all that is paid
// for with every line. The scanner refers to the line until the next scan.
func (s *scanner) scan(line string) {
	line, open := head(line)
	s.line, s.literals, s.from, s.masks = line, s.literals[:0], 0, 0
	for n := nextDigit(line, 0); n < len(line); n = nextDigit(line, n) {
		start := n
		for start > s.from && classes[line[start-1]] != isSeparator {
			start--
		}
		for n++; n < len(line) && classes[line[n]] != isSeparator; n++ { //nolint:revive // the loop is the search
		}
		if n == len(line) || line[n] != '=' && line[n] != '"' || !s.isKey(start, n) { // most are no keys, which the next byte tells
			s.mask(start, n)
		}
	}
	s.close(open)
}

// nextDigit returns the place of the first digit from a place on, or the length of the text.
func nextDigit(text string, from int) int {
	for ; len(text)-from >= 8; from += 8 {
		// Of eight bytes at once: a digit becomes a number below ten, and those that are have their highest bit set after the
		// subtraction. A borrow may set it for a byte behind one that is; the first is exact.
		x := load64(text[from:]) ^ 0x3030303030303030
		if found := (x - 0x0a0a0a0a0a0a0a0a) &^ x & 0x8080808080808080; found != 0 {
			return from + bits.TrailingZeros64(found)/8
		}
	}
	for ; from < len(text); from++ {
		if classes[text[from]] == isDigit {
			break
		}
	}
	return from
}

// load64 returns the first eight bytes of a text, the first lowest.
func load64(t string) uint64 {
	_ = t[7]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 | uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}

// head returns the first line of a text, at most so much of it as is looked at, and whether something follows, which begins where a
// word ends.
func head(line string) (first string, open bool) {
	if len(line) > maxScanBytes {
		cut := maxScanBytes
		for cut > maxScanBytes-maxWordBytes && classes[line[cut-1]] != isSeparator { // a word that is cut says nothing
			cut--
		}
		line, open = line[:cut], true
	}
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		open = open || trimBlanks(line[i:]) != ""
		line = line[:i]
	}
	return trimBlanks(line), open
}

// trimBlanks cuts the blanks at the end of a text.
func trimBlanks(text string) string {
	n := len(text)
	for n > 0 && (text[n-1] == ' ' || text[n-1] == '\n' || text[n-1] == '\r' || text[n-1] == '\t') {
		n--
	}
	return text[:n]
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// mask puts a wildcard in the place of a word. Of several blanks beside it, as those that align columns, it takes all but one, and
// with the word before that is masked too it is one where both are parts of a value.
func (s *scanner) mask(start, end int) {
	if s.masks == 0 || !joins(s.line[s.from:start]) {
		to := start
		for to-2 >= s.from && isBlank(s.line[to-1]) && isBlank(s.line[to-2]) {
			to--
		}
		s.literals = append(s.literals, span{s.from, to})
		s.masks++
	}
	for end+1 < len(s.line) && isBlank(s.line[end]) && isBlank(s.line[end+1]) {
		end++
	}
	s.from = end
}

// close ends the last literal.
func (s *scanner) close(open bool) {
	if open && (s.masks == 0 || s.from < len(s.line)) { // else the last wildcard takes the rest
		s.literals = append(s.literals, span{s.from, len(s.line)})
		s.masks++
		s.from = len(s.line)
	}
	s.literals = append(s.literals, span{s.from, len(s.line)})
}

// joins reports whether masked words on both sides of a gap are one value: the parts of a time or an address, the elements of a
// list, whose number is no part of a template.
func joins(gap string) bool {
	switch gap {
	case "", ":", ",", ", ", `","`, `", "`:
		return true
	}
	return false
}

// isOdd reports whether a word without digits is a value nevertheless: hexadecimal letters alone, or too long to be a word. seen
// tells what its bytes are.
func (s *scanner) isOdd(start, end int, seen uint8) bool {
	return end-start > maxWordBytes || seen&(isNoHex|isDigit) == 0 && end-start >= minHexBytes && !namesValue(s.line, start, end)
}

// refine masks odd words, which takes a look at each word.
func (s *scanner) refine() {
	s.other = append(s.other[:0], s.literals...)
	s.literals, s.masks = s.literals[:0], 0
	for i, l := range s.other {
		if i > 0 { // the wildcard that was there
			s.mask(s.other[i-1].to, l.from)
		}
		s.from = l.from
		for start, n, seen := s.word(l.from, l.to); start < l.to; start, n, seen = s.word(n, l.to) {
			if s.isOdd(start, n, seen) {
				s.mask(start, n)
			}
		}
	}
	s.literals = append(s.literals, span{s.from, s.other[len(s.other)-1].to})
}

// word returns the next word from a place on and what its bytes are. It begins at the end when there is none.
func (s *scanner) word(from, to int) (start, end int, seen uint8) {
	for from < to && classes[s.line[from]] == isSeparator {
		from++
	}
	for end = from; end < to; end++ {
		class := classes[s.line[end]]
		if class == isSeparator {
			break
		}
		seen |= class
	}
	return from, end, seen
}

// isKey reports whether a word with digits names a value nevertheless: p99=, or "http2": of JSON.
func (s *scanner) isKey(start, end int) bool {
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

// text returns the line with <_> for what is masked.
func (s *scanner) text() string {
	var b strings.Builder
	for i, l := range s.literals {
		if i > 0 {
			b.WriteString(Wildcard)
		}
		b.WriteString(s.line[l.from:l.to])
	}
	return strings.ToValidUTF8(b.String(), "\uFFFD")
}

// sum names the masked line within a process: lines of equal sum and seed have equal texts. Hashing the literals one by one costs
// twice as much.
func (s *scanner) sum(seed maphash.Seed) uint64 {
	s.masked = s.masked[:0]
	for _, l := range s.literals {
		s.masked = append(append(s.masked, s.line[l.from:l.to]...), 0)
	}
	return maphash.Bytes(seed, s.masked)
}
