package patterns_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/querier/patterns"
)

func learn(t *testing.T, o patterns.Options, lines ...string) *patterns.Miner {
	t.Helper()
	m, err := patterns.New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		m.Learn(line)
	}
	return m
}

// listed returns the templates with their counts.
func listed(m *patterns.Miner) []string {
	var list []string
	for _, p := range m.Patterns() {
		list = append(list, fmt.Sprint(p.Lines(), " ", p))
	}
	return list
}

func TestTemplates(t *testing.T) {
	for name, c := range map[string]struct{ lines, want []string }{
		"numbers differ": {
			[]string{"took 15 ms", "took 2 ms", "took 3.5 ms"}, []string{"3 took <_> ms"},
		},
		"a constant number stays": {[]string{"listening on port 8080 of a", "listening on port 8080 of b"}, []string{"2 listening on port 8080 of <_>"}},
		"different messages": {
			[]string{"user ann logged in", "user bob logged in", "disk almost full now"}, []string{"2 user <_> logged in", "1 disk almost full now"},
		},
		"logfmt keys are kept, and others are others": {
			[]string{`level=info msg="got it" user=ann`, `level=info msg="got it" user=bob`, `level=info msg="got it" host=web`},
			[]string{`2 level=info msg="got it" user=<_>`, `1 level=info msg="got it" host=web`},
		},
		"messages with the same keys": {
			[]string{`level=info msg="the server has started" took=1ms`, `level=error msg="no route to host" took=2ms`, `level=info msg="the server has started" took=9ms`},
			[]string{`2 level=info msg="the server has started" took=<_>`, `1 level=error msg="no route to host" took=2ms`},
		},
		"JSON": {
			[]string{`{"msg":"request done","status":200,"user":{"name":"ann"}}`, `{"msg":"request done","status":404,"user":{"name":"bob"}}`},
			[]string{`2 {"msg":"request done","status":<_>,"user":{"name":"<_>"}}`},
		},
		"blanks stay as they are": {[]string{"a  b\tc 1", "a  b\tc 2"}, []string{"2 a  b\tc <_>"}},
		"an address":              {[]string{"GET /a/1 from 10.0.0.1:80", "GET /b/2 from 10.0.0.2:81"}, []string{"2 GET <_> from <_>:<_>"}},
		"words are no template":   {[]string{"alpha", "beta"}, []string{"1 alpha", "1 beta"}},
		"nothing":                 {[]string{"", "  ", "==="}, nil},
		"ends of lines":           {[]string{"end 1\n", "end 2\r\n", "end 3"}, []string{"3 end <_>"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, listed(learn(t, patterns.Options{}, c.lines...))); diff != "" {
				t.Errorf("templates (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLongLines(t *testing.T) {
	m := learn(t, patterns.Options{MaxWords: 3}, "a b c d e", "a b c x y z", "a b c")
	if diff := cmp.Diff([]string{"2 a b c <_>", "1 a b c"}, listed(m)); diff != "" {
		t.Errorf("templates (-want +got):\n%s", diff)
	}
}

// TestEviction keeps what is seen, and forgets what was seen longest ago.
func TestEviction(t *testing.T) {
	m := learn(t, patterns.Options{MaxPatterns: 2}, "first thing", "second matter", "first thing", "third item")
	if diff := cmp.Diff([]string{"2 first thing", "1 third item"}, listed(m)); diff != "" {
		t.Errorf("templates (-want +got):\n%s", diff)
	}
}

func TestLearnNamesTheTemplate(t *testing.T) {
	m := learn(t, patterns.Options{})
	first, second, other := m.Learn("job 1 done"), m.Learn("job 2 done"), m.Learn("all quiet here")
	if first != second || first == other || m.Learn(" ") != nil {
		t.Errorf("got %v, %v, %v", first, second, other)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []patterns.Options{{Similarity: -1}, {Similarity: 2}, {MaxPatterns: -1}, {MaxWords: -1}} {
		if _, err := patterns.New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// matches reports whether a line has the parts of a template between its wildcards, in order.
func matches(template, line string) bool {
	parts := strings.Split(template, patterns.Wildcard)
	last := len(parts) - 1
	if last == 0 {
		return line == template
	}
	rest, ok := strings.CutPrefix(line, parts[0])
	if !ok || !strings.HasSuffix(rest, parts[last]) {
		return false
	}
	rest = strings.TrimSuffix(rest, parts[last])
	for _, part := range parts[1:last] {
		if _, rest, ok = strings.Cut(rest, part); !ok {
			return false
		}
	}
	return true
}

// FuzzLearn wants every line to match the template it has joined, then and after others have joined it, without two
// wildcards side by side.
func FuzzLearn(f *testing.F) {
	f.Add("a b 1\na b 2\nb a\nx=1 y=\"z\"\nx=2 y=\"w\"")
	f.Add("{\"a\":1}\n{\"a\":2}\n\xff\xfe 1\n\xff\xfe 2\n= = =\n")
	f.Add(strings.Repeat("w ", 200) + "\n" + strings.Repeat("w ", 201))
	f.Fuzz(func(t *testing.T, text string) {
		m := learn(t, patterns.Options{})
		type joined struct {
			line string
			p    *patterns.Pattern
		}
		var all []joined
		for line := range strings.SplitSeq(text, "\n") {
			if p := m.Learn(line); p != nil {
				all = append(all, joined{strings.TrimRight(line, " \t\r\n"), p})
			}
		}
		kept := m.Patterns()
		for _, j := range all {
			template := j.p.String()
			if strings.Contains(template, "<_><_>") && !strings.Contains(j.line, "<_>") {
				t.Errorf("%q has two wildcards side by side", template)
			}
			if slices.Contains(kept, j.p) && !matches(template, j.line) {
				t.Errorf("%q does not match its line %q", template, j.line)
			}
		}
	})
}

func BenchmarkLearn(b *testing.B) {
	m, err := patterns.New(patterns.Options{})
	if err != nil {
		b.Fatal(err)
	}
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = fmt.Sprintf(`level=info ts=2026-11-20T12:00:%02d.%03dZ caller=handler.go:%d msg="request %d done" path=/api/v1/%d status=200 took=%dms`, i%60, i, i%20, i, i%7, i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Learn(lines[i%len(lines)])
	}
}
