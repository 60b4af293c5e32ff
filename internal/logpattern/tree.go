package logpattern

import (
	"cmp"
	"errors"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// TreeOptions bounds what is learned of the lines of one group.
type TreeOptions struct {
	// MinVariants is how many different words at one place of otherwise equal lines make that place a wildcard. With a small
	// number "opened" and "closed" become one pattern; with a large one every user name is a pattern of its own for longer.
	MinVariants int
	// MaxPatterns bounds the templates that are kept. One that was not seen for a while makes room for a new one. While there is
	// none, lines that nobody wrote for machines count as <_>, so that they do not make a row each.
	MaxPatterns int
}

// DefaultTreeOptions returns what holds where nothing else is set.
func DefaultTreeOptions() TreeOptions { return TreeOptions{MinVariants: 8, MaxPatterns: 500} }

// Validate refuses bounds that a tree could not keep.
func (o *TreeOptions) Validate() error {
	if o.MinVariants < 2 || o.MaxPatterns < 1 {
		return errors.New("logpattern: MinVariants must be at least 2 and MaxPatterns at least 1")
	}
	return nil
}

const (
	// maxShapePatterns bounds the templates of one shape. Beyond it the words that not all of them share are wildcards: several
	// words that differ at once are never equal but for one.
	maxShapePatterns = 64
	// keepSeconds is how long a template is kept at least after it was seen. Without it lines without a pattern push out
	// templates that come back with the next line, and each time the store takes their texts again.
	keepSeconds = 10 * 60
	// maxKnown bounds the masked lines whose template is remembered. It starts again empty when it is full.
	maxKnown = 2048
)

// About what a tree, a template and a masked line take in memory, beside their texts.
const (
	treeBytes     = 2048
	templateBytes = 256
	wordBytes     = 24 // with its sum
	knownBytes    = 40
)

// Tree learns the templates of one group of lines. It is not safe for concurrent use.
//
// As long as nothing is evicted and no shape has more than 64 templates, what it has learned depends on which lines it has seen,
// and not on their order or number. The templates of a tree that has seen fewer lines fit into those of one that has seen more,
// which Fold makes use of.
type Tree struct {
	opts   TreeOptions
	seed   maphash.Seed
	shapes map[uint64]*shape
	known  map[uint64]*template
	count  int
	bytes  int
	stats  TreeStats
	rest   *seamark.LogPattern // of lines that there is no room for

	scan     scanner
	split    splitter
	variants []variant
	places   []int // memory for the numbers of variants
}

// TreeStats counts what a tree did.
type TreeStats struct{ Made, Evicted, Overflow uint64 }

// shape is the templates of lines with the same skeleton.
type shape struct {
	key      uint64
	skeleton []string
	list     []*template
	merged   bool // words that not all share are wildcards from now on
}

// template is a template in a tree. into, when set, is the one that has taken its place.
type template struct {
	shape   *shape
	words   words
	pattern *seamark.LogPattern
	into    *template
	seen    int64
}

// words are the words of a line or template that may differ between lines of one skeleton. Templates are compared by the sums of
// their words: a group's first lines make many, each compared with all others of its shape.
type words struct {
	texts []string // "" differs
	sums  []uint64 // of texts, within a process; 0 differs
}

// clone returns a copy that refers to no line.
func (w words) clone() words {
	own := words{make([]string, len(w.texts)), slices.Clone(w.sums)}
	all := strings.Join(w.texts, "")
	for i, text := range w.texts {
		own.texts[i], all = all[:len(text)], all[len(text):]
	}
	return own
}

// without returns a copy with a wildcard at a place. It shares texts, not their list.
func (w words) without(place int) words {
	general := words{slices.Clone(w.texts), slices.Clone(w.sums)}
	general.texts[place], general.sums[place] = "", 0
	return general
}

// NewTree returns a tree that has seen nothing. Options are valid.
func NewTree(o TreeOptions) *Tree {
	return &Tree{
		opts: o, seed: maphash.MakeSeed(), shapes: map[uint64]*shape{}, known: map[uint64]*template{},
		rest: &seamark.LogPattern{ID: ID(Wildcard), Text: Wildcard},
	}
}

// Stats returns what the tree did so far.
func (t *Tree) Stats() TreeStats { return t.stats }

// Len returns how many templates the tree has.
func (t *Tree) Len() int { return t.count }

// Bytes returns about what the tree takes in memory.
func (t *Tree) Bytes() int { return treeBytes + t.bytes + len(t.known)*knownBytes }

// Learn returns the template of a line, which it makes or makes more general. now is in seconds since 1970. A line without words
// has the template of those that there is no room for. The line is copied as far as it is kept.
func (t *Tree) Learn(line string, now int64) *seamark.LogPattern {
	t.scan.scan(line)
	sum := t.scan.sum(t.seed)
	if found := t.recall(sum); found != nil {
		found.seen = now
		return found.pattern
	}
	if t.split.split(&t.scan, t.seed) {
		t.scan.refine()
		refined := t.scan.sum(t.seed)
		if found := t.recall(refined); found != nil {
			found.seen = now
			return found.pattern
		}
		sum = refined
		t.split.split(&t.scan, t.seed)
	}
	return t.learn(sum, now)
}

// recall returns the template of a masked line that was seen before.
func (t *Tree) recall(sum uint64) *template {
	found := t.known[sum]
	for found != nil && found.into != nil {
		found = found.into
	}
	return found
}

// learn returns the template of the line that was split.
func (t *Tree) learn(sum uint64, now int64) *seamark.LogPattern {
	line := t.split.words
	if len(line.sums) == 0 && t.scan.masks == 0 {
		return t.rest
	}
	sh := t.shapes[t.split.shape]
	found := sh.find(line.sums)
	if found == nil {
		if !t.room(now) {
			t.stats.Overflow++
			return t.rest
		}
		if sh = t.shapes[t.split.shape]; sh == nil { // also when it made room
			sh = t.addShape()
		}
		found = t.create(sh, line, now)
	}
	found.seen = now
	if !sh.merged { // lines of a merged shape differ too much to be remembered one by one
		t.remember(sum, found)
	}
	return found.pattern
}

func (t *Tree) remember(sum uint64, found *template) {
	if len(t.known) >= maxKnown {
		clear(t.known)
	}
	t.known[sum] = found
}

// find returns the template that words with these sums fit, the most general one where there are several.
func (sh *shape) find(sums []uint64) *template {
	if sh == nil {
		return nil
	}
	var best *template
	most := -1
	for _, p := range sh.list {
		wild, fits := 0, true
		for i, sum := range p.words.sums {
			if sum == 0 {
				wild++
			} else if sum != sums[i] {
				fits = false
				break
			}
		}
		if fits && (wild > most || wild == most && p.pattern.Text < best.pattern.Text) {
			best, most = p, wild
		}
	}
	return best
}

func (t *Tree) addShape() *shape {
	sh := &shape{key: t.split.shape, skeleton: t.split.skeleton(&t.scan)}
	for _, part := range sh.skeleton {
		t.bytes += len(part) + wordBytes
	}
	t.shapes[sh.key] = sh
	return sh
}

// create adds the template of a line, and makes the shape's templates general until no place has too many variants.
func (t *Tree) create(sh *shape, line words, now int64) *template {
	p := t.add(sh, line.clone(), now)
	if place := t.generalise(p); place >= 0 {
		t.replace(sh, p.words.without(place), now)
		for again := true; again; { // a general template is a variant of others now
			again = false
			for _, other := range sh.list {
				if place := t.generalise(other); place >= 0 {
					t.replace(sh, other.words.without(place), now)
					again = true
					break
				}
			}
		}
	}
	if len(sh.list) > maxShapePatterns || sh.merged && len(sh.list) > 1 {
		sh.merged = true
		t.replace(sh, common(sh.list), now)
	}
	for p.into != nil {
		p = p.into
	}
	return p
}

// add makes a template of words, which it keeps.
func (t *Tree) add(sh *shape, w words, now int64) *template {
	text := render(sh.skeleton, w.texts)
	p := &template{shape: sh, words: w, pattern: &seamark.LogPattern{ID: ID(text), Text: text}, seen: now}
	sh.list = append(sh.list, p)
	t.count++
	t.stats.Made++
	t.bytes += p.bytes()
	return p
}

func (p *template) bytes() int {
	return templateBytes + 2*len(p.pattern.Text) + wordBytes*len(p.words.sums)
}

// generalise returns the first place of p that has too many variants, -1 when there is none. A variant is another template's word,
// where that template fits p at all other places.
func (t *Tree) generalise(p *template) int {
	t.variants = t.variants[:0]
	t.places = slices.Grow(t.places[:0], len(p.words.sums))[:len(p.words.sums)]
	clear(t.places)
	most := 0
	for _, other := range p.shape.list {
		if i := onlyDifference(p.words.sums, other.words.sums); i >= 0 {
			t.variants = append(t.variants, variant{i, other.words.sums[i]})
			t.places[i]++
			most = max(most, t.places[i])
		}
	}
	if most+1 < t.opts.MinVariants { // as nearly always
		return -1
	}
	slices.SortFunc(t.variants, func(a, b variant) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.sum, b.sum))
	})
	t.variants = slices.Compact(t.variants)
	for i := 0; i+t.opts.MinVariants-2 < len(t.variants); i++ { // p's own word is one of them
		if place := t.variants[i].place; t.variants[i+t.opts.MinVariants-2].place == place {
			return place
		}
	}
	return -1
}

// variant is the sum of a word of some template at a place.
type variant struct {
	place int
	sum   uint64
}

// onlyDifference returns the one place where other does not fit p, -1 when there is none or more than one.
func onlyDifference(p, other []uint64) int {
	at := -1
	p = p[:len(other)]
	for i, sum := range other {
		if sum == p[i] || sum == 0 {
			continue
		}
		if at >= 0 || p[i] == 0 {
			return -1
		}
		at = i
	}
	return at
}

// common returns the words that all templates share.
func common(list []*template) words {
	first := list[0].words
	shared := words{slices.Clone(first.texts), slices.Clone(first.sums)}
	for _, p := range list[1:] {
		for i, sum := range p.words.sums {
			if shared.sums[i] != sum {
				shared.texts[i], shared.sums[i] = "", 0
			}
		}
	}
	return shared
}

// replace puts a more general template in the place of all that fit into it.
func (t *Tree) replace(sh *shape, w words, now int64) *template {
	var inside []*template
	sh.list = slices.DeleteFunc(sh.list, func(p *template) bool {
		if !covers(w.sums, p.words.sums) {
			return false
		}
		inside = append(inside, p)
		return true
	})
	p := t.add(sh, w, now)
	for _, old := range inside {
		old.into = p
		t.bytes -= old.bytes()
	}
	t.count -= len(inside)
	return p
}

// covers reports whether every line that fits b fits a. What differs has the zero value.
func covers[W comparable](a, b []W) bool {
	var differs W
	for i := range a {
		if a[i] != differs && a[i] != b[i] {
			return false
		}
	}
	return true
}

// room reports whether there is room for one more template, and makes it where one was not seen for a while.
func (t *Tree) room(now int64) bool {
	if t.count < t.opts.MaxPatterns {
		return true
	}
	var oldest *template
	for _, sh := range t.shapes {
		for _, p := range sh.list {
			if oldest == nil || p.seen < oldest.seen {
				oldest = p
			}
		}
	}
	if now-oldest.seen < keepSeconds {
		return false
	}
	t.evict(oldest)
	return true
}

func (t *Tree) evict(old *template) {
	sh := old.shape
	sh.list = slices.DeleteFunc(sh.list, func(p *template) bool { return p == old })
	if len(sh.list) == 0 {
		delete(t.shapes, sh.key)
		for _, part := range sh.skeleton {
			t.bytes -= len(part) + wordBytes
		}
	}
	t.bytes -= old.bytes()
	t.count--
	t.stats.Evicted++
	clear(t.known) // it may hold the template under many sums
}
