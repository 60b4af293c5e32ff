package logpattern

import (
	"hash/maphash"
	"strings"
)

// splitter divides a masked line into the words that may differ between lines of one template, and its skeleton: all else, the
// separators, wildcards and keys. Its slices are used again for the next line.
type splitter struct {
	words words  // texts are parts of the line
	ends  []span // of words, in the line
	raw   []byte // the skeleton's bytes
	shape uint64 // names the skeleton within a process
}

// split divides what s has scanned. It reports whether the line has odd words, which s masks when it refines.
func (p *splitter) split(s *scanner, seed maphash.Seed) (odd bool) {
	const wordBreak, literalBreak = 0, 1
	p.words.texts, p.words.sums, p.ends, p.raw = p.words.texts[:0], p.words.sums[:0], p.ends[:0], p.raw[:0]
	for _, l := range s.literals {
		from := l.from // of the part of the skeleton that is open
		for start, end, seen := s.word(l.from, l.to); start < l.to; start, end, seen = s.word(end, l.to) {
			if s.isOdd(start, end, seen) {
				return true
			}
			if !namesValue(s.line, start, end) {
				p.raw = append(append(p.raw, s.line[from:start]...), wordBreak)
				p.words.texts, p.ends = append(p.words.texts, s.line[start:end]), append(p.ends, span{start, end})
				from = end
			}
		}
		p.raw = append(append(p.raw, s.line[from:l.to]...), literalBreak)
	}
	p.shape = maphash.Bytes(seed, p.raw)
	for _, text := range p.words.texts {
		p.words.sums = append(p.words.sums, maphash.String(seed, text)|1) // 0 is a wildcard's
	}
	return false
}

// skeleton returns the texts before, between and behind the words of the line that s has scanned and p has split.
func (p *splitter) skeleton(s *scanner) []string {
	parts := make([]string, 0, len(p.ends)+1)
	var b strings.Builder
	next := 0
	for i, l := range s.literals {
		if i > 0 {
			b.WriteString(Wildcard)
		}
		from := l.from
		for next < len(p.ends) && p.ends[next].to <= l.to {
			b.WriteString(s.line[from:p.ends[next].from])
			parts = append(parts, b.String())
			b.Reset()
			from = p.ends[next].to
			next++
		}
		b.WriteString(s.line[from:l.to])
	}
	return append(parts, b.String())
}

// render puts a template together; "" is a word that differs.
func render(skeleton, words []string) string {
	size := len(words) * len(Wildcard)
	for i, word := range words {
		size += len(skeleton[i]) + len(word)
	}
	var b strings.Builder
	b.Grow(size + len(skeleton[len(words)]))
	for i, word := range words {
		b.WriteString(skeleton[i])
		if word == "" {
			word = Wildcard
		}
		b.WriteString(word)
	}
	b.WriteString(skeleton[len(words)])
	return strings.ToValidUTF8(b.String(), "\uFFFD")
}
