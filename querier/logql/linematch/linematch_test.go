package linematch

import (
	"slices"
	"strings"
	"testing"
)

func TestCapture(t *testing.T) {
	captures := func(pattern, line string, want ...string) {
		t.Helper()
		p, err := ParseExtractor(pattern)
		if err != nil {
			t.Errorf("ParseExtractor(%s): %v", pattern, err)
			return
		}
		if got := p.Capture(nil, line); !slices.Equal(got, want) {
			t.Errorf("%s on %s\n got %q\nwant %q", pattern, line, got, want)
		}
	}
	captures(`<ip> - - <_> "<method> <uri> <_>" <status> <size> <_> "<agent>" <_>`,
		`0.191.12.2 - - [10/Jun/2021:09:14:29 +0000] "GET /api/plugins/versioncheck HTTP/1.1" 200 2 "-" "Go-http-client/2.0" "13.76.247.102" "US" ""`,
		"0.191.12.2", "GET", "/api/plugins/versioncheck", "200", "2", "Go-http-client/2.0")
	captures(`<_> msg="<method> <path> (<status>) <latency>"`, `level=debug msg="POST /push (204) 16.6ms"`, "POST", "/push", "204", "16.6ms")
	captures(`status:<status>`, `status:200`, "200")
	captures(`status:<status>`, `a status:200`)
	captures(`status:<status>`, ``)
	captures(`<prefix>:<_>`, `abc`, "abc")
	captures(`<a> <b> <c>`, `one two`, "one", "two")
	captures(`<all>`, ` bar `, " bar ")
	captures(`<a>, <b>`, `, x`, "", "x")
	captures(`<b<a>>`, `<bx>`, "x")
	captures(`<a>é<b>`, `xéy`, "x", "y")
	captures(`<1> <a>`, `<1> x`, "x")
}

func TestMatch(t *testing.T) {
	matches := func(pattern, line string, want bool) {
		t.Helper()
		p, err := ParseFilter(pattern)
		if err != nil {
			t.Errorf("ParseFilter(%s): %v", pattern, err)
			return
		}
		if got := p.Match(line); got != want {
			t.Errorf("%q on %q = %v, want %v", pattern, line, got, want)
		}
		if p.Match(line) && slices.ContainsFunc(p.Literals(), func(l string) bool { return !strings.Contains(line, l) }) {
			t.Errorf("%q matches %q, which lacks one of %q", pattern, line, p.Literals())
		}
	}
	matches(``, ``, true)
	matches(``, `x`, false)
	matches(`<_>`, ``, false)
	matches(`<_>`, `x`, true)
	matches(`foo`, `foo`, true)
	matches(`foo`, `foo bar`, false)
	matches(`foo <_>`, `foo bar baz`, true)
	matches(`foo <_>`, `a foo bar`, false)
	matches(`<_> bar`, `foo bar baz`, false)
	matches(`<_> baz`, `foo bar baz`, true)
	matches(`<_> bar <_>`, ` bar `, false)
	matches(`<_>bar<_>`, ` bar `, true)
	matches(`<_>a<_>`, `ab`, false)
	matches(`<_> level=debug <_> msg="POST <_>`, `ts=1 level=debug traceID=2 msg="POST /push (200) 12ms"`, true)
}

func TestPatternErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		`no capture`: "needs a named capture", `<_> <_>`: "needs a named capture", `<a><b>`: "without a text between", `<a> <a>`: "<a> twice",
	} {
		if _, err := ParseExtractor(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseExtractor(%s) error = %v, want one with %q", pattern, err, want)
		}
	}
	if _, err := ParseFilter(`a <b>`); err == nil || !strings.Contains(err.Error(), "instead of <b>") {
		t.Errorf("ParseFilter with a name: error = %v", err)
	}
	if _, err := ParseFilter(`<_><_>`); err == nil {
		t.Error("ParseFilter takes captures side by side")
	}
}

func TestIP(t *testing.T) {
	contains := func(pattern, text string, want bool) {
		t.Helper()
		ip, err := ParseIP(pattern)
		if err != nil {
			t.Errorf("ParseIP(%s): %v", pattern, err)
			return
		}
		if got := ip.Contains(text); got != want {
			t.Errorf("%s in %q = %v, want %v", pattern, text, got, want)
		}
	}
	contains("3.180.71.3", `3.180.71.3 - - "GET /"`, true)
	contains("3.180.71.3", `93.180.71.3 - - "GET /"`, false)
	contains("3.180.71.3", `from 3.180.71.3:8080`, true)
	contains("3.180.71.3", `it was 3.180.71.3.`, true)
	contains("3.180.71.3", `version 3.180.71.3.1`, false)
	contains("3.180.71.3", ``, false)
	contains("192.168.4.5/16", `peer=192.168.255.255`, true)
	contains("192.168.4.5/16", `peer=192.169.0.0`, false)
	contains("192.168.4.5/16", `10.0.0.1, 192.168.0.0`, true)
	contains("192.168.4.5-192.168.4.20", `192.168.4.5`, true)
	contains("192.168.4.5-192.168.4.20", `192.168.4.20`, true)
	contains("192.168.4.5-192.168.4.20", `192.168.4.21`, false)
	contains("0.0.0.0/0", `1.2.3.400`, false)
	contains("::1", `[::1]:80`, true)
	contains("::1", `127.0.0.1`, false)
	contains("2001:db8::/32", `addr:2001:db8::ff, next`, true)
	contains("2001:db8::/32", `2001:DB8:1::5: bad`, true)
	contains("2001:db8::/32", `2001:db9::1`, false)
	contains("2001:db8::1-2001:db8::8", `2001:db8::8.`, true)
	contains("2001:db8::1-2001:db8::8", `12:30:45`, false)
	for _, bad := range []string{"", "x", "1.2.3", "1.2.3.4/33", "1.2.3.4-", "1.2.3.9-1.2.3.4", "1.2.3.4-::1", "fe80::1%eth0"} {
		if _, err := ParseIP(bad); err == nil {
			t.Errorf("ParseIP(%q) succeeds", bad)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("<a> - <_>", "x - y")
	f.Add("a<b>c", "abc")
	f.Fuzz(func(t *testing.T, pattern, line string) {
		if p, err := ParseExtractor(pattern); err == nil {
			if got := p.Capture(nil, line); len(got) > len(p.Names()) {
				t.Fatalf("%d values for %d names", len(got), len(p.Names()))
			}
		}
		if p, err := ParseFilter(pattern); err == nil && p.Match(line) {
			for _, l := range p.Literals() {
				if !strings.Contains(line, l) {
					t.Fatalf("%q matches %q, which lacks %q", pattern, line, l)
				}
			}
		}
		if ip, err := ParseIP(pattern); err == nil && !ip.Contains(ip.first.String()) {
			t.Fatalf("%q does not contain its first address", pattern)
		}
	})
}
