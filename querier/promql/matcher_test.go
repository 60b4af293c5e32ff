package promql_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"
)

// TestMatchersAgreeWithPrometheus asks ClickHouse and Prometheus which of many texts each of many matchers matches.
func TestMatchersAgreeWithPrometheus(t *testing.T) {
	texts := []string{
		"", "a", "A", "ab", "abc", "b", "c", "x.y", "xzy", "a|b", "line\nbreak", "line\n", "\n", "é", "éa", "世界", "10.0.0.1:9100", "prod-eu-1", "PROD",
		"a\\b", "a'b", "(", "[x]", "^a$", "$", "aaa", "tab\tx", "nul\x00x", "foo-bar", "foo_bar", "foobar", "barfoo",
	}
	patterns := []string{
		"", ".*", ".+", "a", "a|b", "a|b|", "(a|b)", "a.*", ".*c", "a.c", "x.y", `x\.y`, "a+", "a*", "a{2,3}", "[abc]", "[^abc]", "^a$", "^a|b$", `\^a\$`,
		"line.break", "line.*", "(?-s)line.*", "(?s)line.*", "(?i)prod", "(?i:a)b", "é", "é.", ".", "..", `\p{Han}+`, "[[:upper:]]+", `\w+`, `\d+\.\d+\.\d+\.\d+:\d+`,
		"prod-(eu|us)-[0-9]+", `a\\b`, "a'b", `\(`, `\[x\]`, `\Qx.y\E`, `\x61`, "foo.bar", "(foo|bar).+", ".*foo", ".*foo.*", "foo(-|_)?bar", "(?m)line$", "(?m)^break", `\bfoo\b.*`,
		"a??b?", "(?P<n>a)b", "()", "(|a)", "[\\s\\S]*", "(?i)É", `nul\x00x`, "tab\tx",
	}
	s, ctx, base := openStore(t, 2), context.Background(), time.Now().Add(-time.Hour).UnixMilli()
	var list []float
	for i, text := range texts {
		list = append(list, float{labels.FromStrings("__name__", "m", "i", fmt.Sprint(i), "text", text), base, 1, ""})
		if text == "" {
			list[i].labels = labels.FromStrings("__name__", "m", "i", fmt.Sprint(i))
		}
	}
	require.NoError(t, insertFloats(ctx, s, 1, 0, list))
	e := newEngine(t, s)
	for _, pattern := range patterns {
		for _, op := range []labels.MatchType{labels.MatchEqual, labels.MatchNotEqual, labels.MatchRegexp, labels.MatchNotRegexp} {
			m, err := labels.NewMatcher(op, "text", pattern)
			require.NoError(t, err)
			found, _, err := e.LabelValues(ctx, tenantA, "i", &storage.SelectHints{Start: base, End: base}, [][]*labels.Matcher{{m}})
			require.NoError(t, err)
			want := []string{}
			for i, text := range texts {
				if m.Matches(text) {
					want = append(want, fmt.Sprint(i))
				}
			}
			slices.Sort(want)
			require.Equal(t, want, found, "%s", m)
		}
	}
}
