package syslog

import (
	"slices"
	"strings"
	"testing"
)

// cutAll cuts input that arrives step bytes at a time, as a connection does it.
func cutAll(input string, limit, step int) (messages []string, long int, lost bool) {
	f := framer{max: limit}
	var unread []byte
	for len(input) > 0 {
		n := min(step, len(input))
		unread = append(unread, input[:n]...)
		input = input[n:]
		for {
			c := f.next(unread)
			if len(c.message) > 0 {
				messages = append(messages, string(c.message))
			}
			unread = unread[c.used:]
			if c.long {
				long++
			}
			if c.lost {
				return messages, long, true
			}
			if c.more {
				break
			}
		}
	}
	return messages, long, false
}

// TestFramer cuts each input at every place: how bytes arrive must not matter.
func TestFramer(t *testing.T) {
	const limit = 40
	huge := strings.Repeat("x", 100)
	for name, c := range map[string]struct {
		input string
		want  []string
		long  int
		lost  bool
	}{
		"counted":                           {input: "5 <1>ab6 <2>abc", want: []string{"<1>ab", "<2>abc"}},
		"counted, with newlines inside":     {input: "7 <1>a\nbc5 <2>de", want: []string{"<1>a\nbc", "<2>de"}},
		"counted, newlines between":         {input: "5 <1>ab\n5 <2>cd\r\n", want: []string{"<1>ab", "<2>cd"}},
		"counted, one too long":             {input: "5 <1>ab100 " + huge + "5 <2>cd", want: []string{"<1>ab", "<2>cd"}, long: 1},
		"counted, then lost":                {input: "5 <1>ab<2>cd\n", want: []string{"<1>ab"}, lost: true},
		"counted, then a count of nothing":  {input: "5 <1>ab0 <2>cd", want: []string{"<1>ab"}, lost: true},
		"counted, then a count too long":    {input: "5 <1>ab12345678901 <", want: []string{"<1>ab"}, lost: true},
		"lines":                             {input: "<1>ab\n<2>cd\n", want: []string{"<1>ab", "<2>cd"}},
		"lines, ended by CR LF and NUL":     {input: "<1>ab\r\n<2>cd\x00<3>ef\n", want: []string{"<1>ab\r", "<2>cd", "<3>ef"}},
		"lines, empty ones":                 {input: "<1>ab\n\n\n<2>cd\n", want: []string{"<1>ab", "<2>cd"}},
		"lines, one too long":               {input: "<1>ab\n<2>" + huge + "\n<3>cd\n", want: []string{"<1>ab", "<3>cd"}, long: 1},
		"lines, without priorities":         {input: "2026-08-11 hello\nworld\n", want: []string{"2026-08-11 hello", "world"}},
		"lines that begin with a number":    {input: "42 is the answer\n43 <is> not\n", want: []string{"42 is the answer", "43 <is> not"}},
		"lines, a digit and nothing behind": {input: "1\n22\n", want: []string{"1", "22"}},
	} {
		for step := 1; step <= len(c.input); step++ {
			got, long, lost := cutAll(c.input, limit, step)
			if !slices.Equal(got, c.want) || long != c.long || lost != c.lost {
				t.Errorf("%s, %d bytes at a time: got %q, %d too long, lost %v; want %q, %d, %v", name, step, got, long, lost, c.want, c.long, c.lost)
			}
		}
	}
}

func FuzzFramer(f *testing.F) {
	for _, s := range []string{"5 <1>ab6 <2>abc", "<1>ab\n<2>cd\x00", "12 <1>\n\n", "100 <1>x", "1234567890 <", "5 <1>ab\n5 <2>cd"} {
		f.Add(s, uint8(1))
		f.Add(s, uint8(7))
	}
	f.Fuzz(func(t *testing.T, input string, step uint8) {
		const limit = 64
		whole, longWhole, lostWhole := cutAll(input, limit, max(len(input), 1))
		parts, longParts, lostParts := cutAll(input, limit, int(step)+1)
		if !slices.Equal(whole, parts) || longWhole != longParts || lostWhole != lostParts {
			t.Fatalf("%q at once gives %q %d %v, in steps of %d %q %d %v", input, whole, longWhole, lostWhole, int(step)+1, parts, longParts, lostParts)
		}
		total := 0
		for _, m := range whole {
			if len(m) > limit {
				t.Fatalf("a message of %d bytes over the limit of %d", len(m), limit)
			}
			total += len(m)
		}
		if total > len(input) {
			t.Fatalf("%d bytes gave %d", len(input), total)
		}
	})
}
