package httpx

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"sort"
	"strconv"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Entries of a page: what a request gets that names no limit, and the most that it may name.
const (
	DefaultPageEntries = 100
	MaxPageEntries     = 1000
)

// List is the answer of every list that can grow: a page of it, and the cursor of the next one, "" after the last.
type List[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// Page is which part of a list a request asks for.
type Page struct {
	Limit int
	After string // position of the last entry that the caller has; "" at the start
	bound []byte // what a cursor belongs to
}

// Page reads the parameters limit and cursor. A limit that is not named is fallback, and the most is Max entries. A cursor
// belongs to its tenant, route and filter: with another one it is Invalid.
func (r *Request) Page(fallback, most int) (Page, error) {
	p, err := r.PageAfter()
	if err != nil {
		return Page{}, err
	}
	p.Limit = fallback
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return Page{}, seamark.Errorf(seamark.Invalid, "seamark-page-limit", "Parameter limit is %.32q; use a number from 1 to %d.", text, most)
		}
		p.Limit = n
	}
	return p, nil
}

// PageAfter reads the parameter cursor alone, for lists whose limit is read elsewhere.
func (r *Request) PageAfter() (Page, error) {
	query := r.URL.Query()
	p := Page{bound: r.pageBound(query)}
	text := query.Get("cursor")
	if text == "" {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) <= cursorSumBytes || p.Cursor(string(raw[cursorSumBytes:])) != text {
		return Page{}, seamark.Errorf(seamark.Invalid, "seamark-page-cursor",
			"Parameter cursor is not one of this list with this filter. Take next_cursor of the page before as it is, and change no other parameter but limit.")
	}
	p.After = string(raw[cursorSumBytes:])
	return p, nil
}

// cursorSumBytes is how much of a checksum a cursor carries. It finds mistakes: a cursor grants nothing, so nobody gains by
// forging one.
const cursorSumBytes = 8

// Cursor returns the cursor of the page after the given position, which tells an entry from all others and keeps its place
// in the list's order when entries come and go.
func (p *Page) Cursor(position string) string {
	sum := sha256.Sum256(append(append([]byte{}, p.bound...), position...))
	return base64.RawURLEncoding.EncodeToString(append(sum[:cursorSumBytes:cursorSumBytes], position...))
}

// pageBound returns the parts of a request that a cursor belongs to.
func (r *Request) pageBound(query url.Values) []byte {
	filter := url.Values{}
	for name, values := range query {
		if name != "limit" && name != "cursor" {
			filter[name] = values
		}
	}
	return []byte(string(r.Principal.Tenant) + "\x00" + r.URL.Path + "\x00" + filter.Encode() + "\x00")
}

// Paginate answers the page that a request asks for out of a whole list. The list is sorted by key, ascending byte by byte,
// and no two entries have the same.
func Paginate[T any](r *Request, sorted []T, key func(*T) string) (List[T], error) {
	p, err := r.Page(DefaultPageEntries, MaxPageEntries)
	if err != nil {
		return List[T]{}, err
	}
	from := 0
	if p.After != "" {
		from = sort.Search(len(sorted), func(i int) bool { return key(&sorted[i]) > p.After })
	}
	to := min(len(sorted), from+p.Limit)
	list := List[T]{Items: append([]T{}, sorted[from:to]...)}
	if to < len(sorted) {
		list.NextCursor = p.Cursor(key(&sorted[to-1]))
	}
	return list, nil
}
