package store

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// bodyIndex is the optional index of the logs table: per granule a bloom filter of the texts of five characters that stand in
// its lines, so that a word or an id that few lines have is found without reading the others. One hash is enough, because a
// word has many such texts. It stands on the repaired body: the filter walks over characters, and in a body that is not valid
// UTF-8 it would step over the beginning of a word behind a broken one, which then is not found.
const bodyIndex = "i_body toValidUTF8(body) TYPE ngrambf_v1(5, 49152, 1, 0) GRANULARITY 1"

// SetLogBodyIndex switches the index of a tenant's log lines on or off. It holds for what is stored from then on and for older
// parts as they are merged; queries answer the same with and without. It costs 6 bytes per row on disk and about 2.5 CPU
// seconds per million rows, once when they are inserted and each time they are merged.
func (s *Store) SetLogBodyIndex(ctx context.Context, tenant seamark.TenantID, on bool) error {
	n, err := s.EnsureTenant(ctx, tenant)
	if err != nil {
		return err
	}
	change := " DROP INDEX IF EXISTS i_body"
	if on {
		change = " ADD INDEX IF NOT EXISTS " + bodyIndex
	}
	return queryError(ctx, s.admin.Exec(ctx, "ALTER TABLE "+database(n)+".logs"+change))
}

// bodyHint returns a condition that only the index of bodies is asked for, where a table has it, and "" when f says nothing
// of it. A text that is not valid UTF-8 stands in no repaired body, so it asks for nothing.
func (b *logSQL) bodyHint(f *LogFilter) string {
	if f.Field != LogBody || f.Not || f.Op != LogContains && f.Op != LogSearch || len(f.Texts) == 0 {
		return ""
	}
	var likes []string
	for _, text := range f.Texts {
		literals := []string{text}
		if f.Op == LogSearch {
			if literals, _ = requiredLiterals(text); len(literals) == 0 {
				return ""
			}
		}
		for _, l := range literals {
			pattern := "%"
			if utf8.ValidString(l) {
				pattern = likePattern(l)
			}
			likes = append(likes, "toValidUTF8(body) LIKE "+b.string(pattern))
		}
	}
	return "indexHint(" + strings.Join(likes, " OR ") + ")"
}
