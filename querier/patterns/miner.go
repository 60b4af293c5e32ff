// Package patterns finds the templates behind log lines: what stays the same is kept, what differs becomes <_>, as in
// LogQL's pattern filter. The method is Drain's (He et al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree",
// ICWS 2017) with the shape of a line in place of its first words: lines are compared only with lines of equal separators and
// keys, so that a template is literal text between its wildcards. It knows lines alone; who counts what is the caller's.
package patterns

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// Wildcard stands for what differs. LogQL's |> filter reads it.
const Wildcard = "<_>"

// Options configures a Miner. Zero fields get their defaults.
type Options struct {
	// Similarity is the part of a line's words that must equal a template's for the line to join it (0.5). Words with digits
	// and keys do not count: numbers differ between lines of one template, and lines of other keys are never compared.
	Similarity float64
	// MaxPatterns bounds the templates that are kept (1000); the one seen longest ago makes room for a new one. Without it
	// lines that nobody wrote for machines make a template each.
	MaxPatterns int
	// MaxWords bounds the words of a line that are looked at (128); what follows them is one wildcard.
	MaxWords int
}

func (o *Options) validate() error {
	if o.Similarity < 0 || o.Similarity > 1 || o.MaxPatterns < 0 || o.MaxWords < 0 {
		return errors.New("patterns: Similarity must be between 0 and 1, MaxPatterns and MaxWords not negative")
	}
	o.Similarity = cmp.Or(o.Similarity, 0.5)
	o.MaxPatterns = cmp.Or(o.MaxPatterns, 1000)
	o.MaxWords = cmp.Or(o.MaxWords, 128)
	return nil
}

// Miner learns templates from lines. It is not safe for concurrent use.
type Miner struct {
	opts   Options
	shapes map[uint64][]*Pattern
	count  int
	tick   uint64
	split  splitter
}

// New returns a miner that has seen nothing.
func New(o Options) (*Miner, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Miner{opts: o, shapes: map[uint64][]*Pattern{}, split: splitter{max: o.MaxWords}}, nil
}

// Pattern is a template. It grows more general as lines join it; a pointer to it names it for as long as it is kept.
type Pattern struct {
	parts []part
	shape uint64
	open  bool // the line goes on
	seen  uint64
	lines uint64
}

// part is a word and the text before it; the last part of a line has no word.
type part struct {
	before string
	word   string // "" is the wildcard, but in the last part
}

// Lines returns how many lines have joined.
func (p *Pattern) Lines() uint64 { return p.lines }

// String returns the template with <_> for what differs. Two wildcards never stand side by side.
func (p *Pattern) String() string {
	var b strings.Builder
	for i := range p.parts {
		b.WriteString(p.parts[i].before)
		switch {
		case p.parts[i].word != "":
			b.WriteString(p.parts[i].word)
		case i < len(p.parts)-1:
			b.WriteString(Wildcard)
		case p.open && !strings.HasSuffix(b.String(), Wildcard):
			b.WriteString(Wildcard)
		}
	}
	return b.String()
}

// Learn returns the template of a line, which it makes or makes more general. The line is copied; nil says that it has no
// word.
func (m *Miner) Learn(line string) *Pattern {
	words := m.split.line(line)
	if words == 0 {
		return nil
	}
	m.tick++
	s := &m.split
	p := m.find(s)
	if p == nil {
		p = m.create(s)
	} else {
		p.join(s)
	}
	p.seen = m.tick
	p.lines++
	return p
}

// find returns the most similar template of the line's shape, nil when none is similar enough.
func (m *Miner) find(s *splitter) *Pattern {
	var best *Pattern
	most := -1.0
	for _, p := range m.shapes[s.shape] {
		if similarity := p.similarity(s); similarity >= m.opts.Similarity && similarity > most {
			best, most = p, similarity
		}
	}
	return best
}

// similarity returns the part of the line's words that equal the template's. A wildcard equals none, so that no template
// becomes more general than the limit allows. Words that cannot tell templates apart do not count; of a line that has no
// others, all are alike.
func (p *Pattern) similarity(s *splitter) float64 {
	total, equal := 0, 0
	for i := range s.parts[:len(s.parts)-1] {
		if s.kinds[i] != plainWord {
			continue
		}
		total++
		if p.parts[i].word == s.parts[i].word {
			equal++
		}
	}
	if total == 0 {
		return 1
	}
	return float64(equal) / float64(total)
}

// join makes the template general enough for the line.
func (p *Pattern) join(s *splitter) {
	for i := range p.parts[:len(p.parts)-1] {
		if p.parts[i].word != s.parts[i].word {
			p.parts[i].word = ""
		}
	}
}

func (m *Miner) create(s *splitter) *Pattern {
	if m.count >= m.opts.MaxPatterns {
		m.evict()
	}
	p := &Pattern{parts: make([]part, len(s.parts)), shape: s.shape, open: s.open}
	for i := range s.parts {
		p.parts[i] = part{strings.Clone(s.parts[i].before), strings.Clone(s.parts[i].word)}
	}
	m.shapes[s.shape] = append(m.shapes[s.shape], p)
	m.count++
	return p
}

// evict forgets the template that was seen longest ago.
func (m *Miner) evict() {
	var oldest *Pattern
	for _, list := range m.shapes {
		for _, p := range list {
			if oldest == nil || p.seen < oldest.seen {
				oldest = p
			}
		}
	}
	list := slices.DeleteFunc(m.shapes[oldest.shape], func(p *Pattern) bool { return p == oldest })
	m.shapes[oldest.shape] = list
	if len(list) == 0 {
		delete(m.shapes, oldest.shape)
	}
	m.count--
}

// Patterns returns the templates that are kept, those of most lines first, then by text.
func (m *Miner) Patterns() []*Pattern {
	all := make([]*Pattern, 0, m.count)
	for _, list := range m.shapes {
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b *Pattern) int {
		if c := cmp.Compare(b.lines, a.lines); c != 0 {
			return c
		}
		return strings.Compare(a.String(), b.String())
	})
	return all
}
