// Package bound is what the query languages share to keep one answer small: the check of how many things a request asks for. It
// knows no language and no store. When queries run is package admit's.
package bound

import "github.com/seamarkhq/seamark/internal/seamark"

// Count is how many things a request may ask for.
type Count struct {
	Of       string // the things, in the plural
	Standard int    // what stands for no limit, unless it is above Most
	Most     int
	Flag     string // that sets Most
}

// Check puts the standard in the place of no limit, which is 0, and refuses one out of bounds with kind Invalid.
func Check(limit *int, id string, c Count) error {
	if *limit == 0 {
		*limit = min(c.Standard, c.Most)
	}
	if *limit < 1 || *limit > c.Most {
		return seamark.Errorf(seamark.Invalid, id, "The limit of %d %s is not between 1 and %d (--%s).", *limit, c.Of, c.Most, c.Flag)
	}
	return nil
}

// Cut cuts a list that was read to one more than the limit, and reports whether there was more.
func Cut[T any](list []T, limit int) (cut []T, truncated bool) {
	return list[:min(len(list), limit)], len(list) > limit
}
