package gram_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/store/gram"
)

func TestSetHasEveryPartOfItsLines(t *testing.T) {
	lines := []string{"", "abc", "GET /healthz 200", "4bf92f3577b34da6a3ce929d0e0e4736", "ünïcode 世界", "\x00\xff\xfe\x80 broken"}
	var s gram.Set
	for _, line := range lines {
		s.Add(line)
	}
	for _, line := range lines {
		for from := range line {
			for to := from; to <= len(line); to++ {
				require.True(t, s.Has(gram.Of(line[from:to])), "%q", line[from:to])
			}
		}
	}
	require.True(t, s.Has(gram.Of("get /HEALTHZ")), "case does not matter")
	require.False(t, s.Has(gram.Of("quicksilver")))
}

func TestShortTextsHaveNoGrams(t *testing.T) {
	require.Empty(t, gram.Of("abcd"))
	require.Len(t, gram.Of("abcde"), 1)
	require.Len(t, gram.Of("aaaaaaaa"), 1)
	var s gram.Set
	s.Add("abcd")
	require.Zero(t, s.Len())
}

func FuzzSet(f *testing.F) {
	f.Add("a line of text", "ne of", 3)
	f.Add("\xff\x80\x00abcd", "b", 0)
	f.Fuzz(func(t *testing.T, before, text string, n int) {
		var s gram.Set
		s.Add(strings.Repeat(before, n&3) + text + before)
		if !s.Has(gram.Of(text)) {
			t.Fatalf("%q is not found", text)
		}
		if len(gram.Of(text)) > s.Len() {
			t.Fatalf("%d grams of %d", len(gram.Of(text)), s.Len())
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	line := `{"ts":"2026-11-20T10:11:12.123456789Z","level":"info","msg":"request served","method":"GET","path":"/api/v1/orders","status":200,"duration_ms":431}`
	var s gram.Set
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		s.Add(line)
	}
}
