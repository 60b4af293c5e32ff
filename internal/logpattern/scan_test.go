package logpattern

import (
	"hash/maphash"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMasking(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"numbers":             {"took 15 ms, 3.5 MB", "took <_> ms, <_> MB"},
		"ids":                 {"req 4d02b3 user 6f9619ff-8b86-d011-b42d-00cf4fc964ff", "req <_> user <_>"},
		"an id of letters":    {"commit deadbeef of facade", "commit <_> of facade"},
		"an address":          {"GET /a/1 from 10.0.0.1:80", "GET <_> from <_>"},
		"IPv6":                {"from [2001:db8::1]:443 now", "from [<_>::<_>]:<_> now"},
		"a timestamp":         {"2026-11-20T12:00:00.123Z ready", "<_> ready"},
		"klog":                {`I1120 12:00:00.000000       1 controller.go:123] "Started" worker="a"`, `<_> <_> <_> controller.go:<_>] "Started" worker="a"`},
		"an aligned word":     {"12:00:01   INFO  start", "<_> INFO  start"},
		"a list":              {"ports [80, 443, 8080]", "ports [<_>]"},
		"a JSON list":         {`{"ids":["a1","b2"],"n":null}`, `{"ids":["<_>"],"n":null}`},
		"a key with a digit":  {"p99=17ms http2=true", "p99=<_> http2=true"},
		"a JSON key":          {`{"p99":17,"a9b8c7":1}`, `{"p99":<_>,"<_>":<_>}`},
		"a value of a key":    {"level=info user=u17", "level=info user=<_>"},
		"encoded data":        {"body " + strings.Repeat("xY", 40) + " end", "body <_> end"},
		"only the first line": {"panic in main\n  at x.go:1\n", "panic in main<_>"},
		"masked at the break": {"panic 17\n  at x.go:1\n", "panic <_>"},
		"ends of lines":       {"end 3\r\n", "end <_>"},
		"the first word":      {"17 left", "<_> left"},
		"leading blanks":      {"   17 left", " <_> left"},
		"a long line":         {strings.Repeat("word ", 20) + strings.Repeat("x", 5000), strings.Repeat("word ", 20) + Wildcard},
		"a word that is cut":  {strings.Repeat("longer ", 200), strings.Repeat("longer ", 146)[:146*7-1] + Wildcard},
		"no UTF-8":            {"a\xffb 1", "a\uFFFDb <_>"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := scanned(c.line).text(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// scanned masks a line as a tree does.
func scanned(line string) *scanner {
	s := &scanner{}
	s.scan(line)
	s.refine()
	return s
}

// matches reports whether a line has the parts of a template between its wildcards, in order.
func matches(template, line string) bool {
	parts := strings.Split(template, Wildcard)
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

// FuzzScan wants a template that the line matches, that is text, and that says the same when it is scanned again in two pieces:
// equal sums for equal texts, and the parts of a split that put the text together.
func FuzzScan(f *testing.F) {
	for _, line := range []string{
		"a b 1", `{"a":1,"b":"x"}`, `k=v k2="v 2"`, "\xff\xfe 1", strings.Repeat("w1 ", 300), "a\n\tb", "1:2,3, 4", "a   1   b", `["a1","b2"]`, "<_> 1 <_>",
	} {
		f.Add(line)
	}
	seed := maphash.MakeSeed()
	f.Fuzz(func(t *testing.T, line string) {
		s := scanned(line)
		var p splitter
		text, sum := s.text(), s.sum(seed)
		if !utf8.ValidString(text) {
			t.Fatalf("%q is no text", text)
		}
		clean := strings.ToValidUTF8(strings.TrimRight(line, " \t\r\n"), "\uFFFD")
		if utf8.ValidString(line) && !matches(text, clean) {
			t.Errorf("%q does not match its line %q", text, line)
		}
		if len(text) > 3*maxScanBytes {
			t.Errorf("the template has %d bytes", len(text))
		}
		if p.split(s, seed) {
			t.Errorf("%q has odd words", text)
		}
		skeleton := p.skeleton(s)
		if again := render(skeleton, p.words.texts); again != text {
			t.Errorf("split %q gives %q", text, again)
		}
		if scanned(strings.Clone(line)).sum(seed) != sum {
			t.Errorf("two sums of %q", line)
		}
		if into := Fold([]string{text, text}); text != Wildcard && into[0] != into[1] {
			t.Errorf("%q does not fold into itself", text)
		}
	})
}
