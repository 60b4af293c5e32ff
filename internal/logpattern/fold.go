package logpattern

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Fold says for each of some templates which of them stands for it: the most general one that all its lines fit, or itself. It
// joins what several miners, or one before and after it was started again, have learned of the same lines at different times.
// Templates are compared where their separators and keys agree.
func Fold(templates []string) []int {
	into := make([]int, len(templates))
	byShape := map[uint64][]folded{}
	for i, text := range templates {
		into[i] = i
		if text == Wildcard { // what there was no room for is no template
			continue
		}
		key, words := foldKey(text)
		byShape[key] = append(byShape[key], folded{i, words})
	}
	for _, list := range byShape {
		if len(list) > 1 {
			foldShape(list, templates, into)
		}
	}
	return into
}

// folded is a template of a shape; "" is a word that differs.
type folded struct {
	index int
	words []string
}

// foldShape goes through the templates of a shape from the most general one, so that each meets first what may stand for it.
func foldShape(list []folded, templates []string, into []int) {
	wild := func(f folded) int {
		n := 0
		for _, word := range f.words {
			if word == "" {
				n++
			}
		}
		return n
	}
	slices.SortFunc(list, func(a, b folded) int {
		return cmp.Or(cmp.Compare(wild(b), wild(a)), strings.Compare(templates[a.index], templates[b.index]), cmp.Compare(a.index, b.index))
	})
	var kept []folded
	for _, f := range list {
		at := slices.IndexFunc(kept, func(general folded) bool { return covers(general.words, f.words) })
		if at < 0 {
			kept = append(kept, f)
			continue
		}
		into[f.index] = kept[at].index
	}
}

// foldKey divides a template's text into words and a name of all else. A wildcard is a word that differs, also where it was
// masked by its look: what one line has for a value another may have for a word.
func foldKey(text string) (shape uint64, words []string) {
	var h xxhash.Digest
	h.Reset()
	from := 0
	for start := 0; start < len(text); {
		end := start
		switch {
		case strings.HasPrefix(text[start:], Wildcard):
			end += len(Wildcard)
		case classes[text[start]] == isSeparator:
			start++
			continue
		default:
			for end < len(text) && classes[text[end]] != isSeparator {
				end++
			}
		}
		word := text[start:end]
		if word != Wildcard && namesValue(text, start, end) {
			start = end
			continue
		}
		_, _ = h.WriteString(text[from:start])
		_, _ = h.WriteString("\x00")
		if word == Wildcard {
			word = ""
		}
		words = append(words, word)
		start, from = end, end
	}
	_, _ = h.WriteString(text[from:])
	return h.Sum64(), words
}
