package gram_test

import (
	"fmt"
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

func TestStates(t *testing.T) {
	for n := range 200 {
		var s, got gram.Set
		for i := range n * n {
			s.Add(fmt.Sprint("line ", i*7919))
		}
		got.Add("something else")
		require.NoError(t, got.ParseState(string(s.AppendState(nil))))
		require.Equal(t, s, got)
	}
	var s gram.Set
	require.NoError(t, s.ParseState("\x00\x02\x07\x00\x09\x00"), "a list")
	require.Equal(t, []uint16{7, 9}, s.List())
	require.NoError(t, s.ParseState("\x01\x0f\x3b\x30\x00\x00\x01\x00\x00\x02\x00\x01\x00\x05\x00\x02\x00"), "runs")
	require.Equal(t, []uint16{5, 6, 7}, s.List())
}

func FuzzParseState(f *testing.F) {
	var s gram.Set
	s.Add("a line of text")
	f.Add(string(s.AppendState(nil)))
	f.Add("\x00\x02\x07\x00\x09\x00")
	f.Add("\x01\x0f\x3b\x30\x00\x00\x01\x00\x00\x02\x00\x01\x00\x05\x00\x02\x00")
	f.Fuzz(func(t *testing.T, state string) {
		var s, again gram.Set
		if s.ParseState(state) != nil {
			return
		}
		if err := again.ParseState(string(s.AppendState(nil))); err != nil || again != s {
			t.Fatalf("%q does not survive: %v", state, err)
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
