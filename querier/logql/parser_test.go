package logql

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestParse(t *testing.T) {
	ok := func(query, want string) {
		t.Helper()
		e, err := Parse(query)
		if err != nil {
			t.Errorf("Parse(%s): %v", query, err)
			return
		}
		if got := e.String(); got != want {
			t.Errorf("Parse(%s)\n got %s\nwant %s", query, got, want)
		}
		again, err := Parse(e.String())
		if err != nil {
			t.Errorf("Parse of the printed %s: %v", e, err)
			return
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Errorf("%s does not survive printing (-first +second):\n%s", query, diff)
		}
	}
	same := func(query string) { t.Helper(); ok(query, query) }

	// Stream selectors.
	same(`{}`)
	same(`{app="api", ns!="kube-system", pod=~"a.*", node!~"b|c"}`)
	ok("{app=`a\\d`,}", `{app="a\\d"}`)
	ok("{ app = \"a\" } # the api\n |= \"x\" # and x", `{app="a"} |= "x"`)
	ok(`{app="ä\n\x00\"q\""}`, `{app="ä\n\x00\"q\""}`)

	// Line filters.
	same(`{app="a"} |= "error" != "timeout" |~ "a.*b" !~ "c|d"`)
	same(`{app="a"} |= "error" or "warn" or "fatal" != "x" or "y"`)
	ok(`{app="a"}|="a|b"|json`, `{app="a"} |= "a|b" | json`)

	// Parsers.
	same(`{app="a"} | json`)
	ok(`{app="a"} | json first="servers[0]", ua="request.headers[\"User-Agent\"]", x="a[\"b.c\"][1].d"`,
		`{app="a"} | json first="servers[0]", ua="request.headers.User-Agent", x="a[\"b.c\"][1].d"`)
	ok(`{app="a"} | json servers, b="c"`, `{app="a"} | json servers="servers", b="c"`)
	ok(`{app="a"} | json != "x"`, `{app="a"} | json != "x"`)
	same(`{app="a"} | logfmt`)
	ok(`{app="a"} | logfmt --keep-empty --strict host, ip="fwd"`, `{app="a"} | logfmt --strict --keep-empty host="host", ip="fwd"`)
	same(`{app="a"} | regexp "(?P<method>\\w+) (?P<path>\\S+)"`)

	// Label filters.
	same(`{app="a"} | level="error"`)
	ok("{app=\"a\"} | duration >= 20ms or size == 20KB and method!~`2..`",
		`{app="a"} | duration >= 20ms or size == 20000B and method!~"2.."`)
	ok(`{app="a"} | a="1", b="2" c="3"`, `{app="a"} | a="1" and b="2" and c="3"`)
	ok(`{app="a"} | a="1" or (b="2" and (c="3"))`, `{app="a"} | a="1" or (b="2" and c="3")`)
	ok(`{app="a"} | (a="1" or b="2") and c="3"`, `{app="a"} | a="1" or b="2" and c="3"`)
	ok(`{app="a"} | x=5 | y>1.5e3 | z!=-1 | d<1h30m | b<=1.5KiB | w==.5`,
		`{app="a"} | x == 5 | y > 1500 | z != -1 | d < 1h30m | b <= 1536B | w == 0.5`)
	ok(`{app="a"} | level="a" != "b" | by="x"`, `{app="a"} | level="a" != "b" | by="x"`)

	// Labels.
	same(`{app="a"} | json | drop level, method="GET", app=~"some.*"`)
	same(`{app="a"} | json | keep level, x!="y"`)

	same(`{app="a"} |> "<_> level=debug <_>" !> "<_>x"`)
	same(`{app="a"} |= ip("192.168.4.5/16") != "x" or ip("::1")`)
	same(`{app="a"} | pattern "<ip> - <_>" | unpack | decolorize |= "x"`)
	same(`{app="a"} | decolorize != "x" | unpack !~ "y"`)
	same(`{app="a"} | line_format "{{.a}} {{ __line__ | upper }}" | label_format a=b, c="{{.d}}"`)
	ok("{app=\"a\"} | label_format a=`{{ if eq .b \"c\" }}x{{ end }}`,b=a|json",
		`{app="a"} | label_format a="{{ if eq .b \"c\" }}x{{ end }}", b=a | json`)
	ok(`{app="a"} | addr = ip("10.0.0.0/8") or addr!=ip("::1-::2"),b="c"`,
		`{app="a"} | addr = ip("10.0.0.0/8") or addr != ip("::1-::2") and b="c"`)
	ok(`{app="a"} | pattern="x" | json=~"y" | ip>5`, `{app="a"} | pattern="x" | json=~"y" | ip > 5`)

	// Range aggregations.
	ok(`rate_counter({app="a"} | json | unwrap n [5m])`, `rate_counter({app="a"} | json | unwrap n [5m])`)
	ok(`count_over_time(({app="a"} |= "x")[5m])`, `count_over_time({app="a"} |= "x" [5m])`)
	ok(`max_over_time((({app="a"} | json | unwrap n)[5m] offset 1m))`, `max_over_time({app="a"} | json | unwrap n [5m] offset 1m)`)
	ok(`count_over_time(({app="a"}[5m] |= "x"))`, `count_over_time({app="a"} |= "x" [5m])`)
	ok(`rate({app="a"}[5m])`, `rate({app="a"} [5m])`)
	ok(`count_over_time({app="a"}[1h30m] offset 1d |= "x" | json)`, `count_over_time({app="a"} |= "x" | json [1h30m] offset 1d)`)
	ok(`bytes_rate({app="a"} |= "x" [90s] offset -5m)`, `bytes_rate({app="a"} |= "x" [1m30s] offset -5m)`)
	ok(`sum_over_time({app="a"} | json | unwrap duration(took) | __error__="" [5m])`,
		`sum_over_time({app="a"} | json | unwrap duration_seconds(took) | __error__="" [5m])`)
	ok(`quantile_over_time(0.99, {app="a"} | logfmt | unwrap bytes(size) [5m]) by (app, host)`,
		`quantile_over_time(0.99, {app="a"} | logfmt | unwrap bytes(size) [5m]) by (app, host)`)
	ok(`max_over_time({app="a"} | logfmt | unwrap x [1w]) without ()`, `max_over_time({app="a"} | logfmt | unwrap x [7d]) without ()`)

	// Vector aggregations.
	ok(`sum by(a,b)(rate({app="a"}[1m]))`, `sum by (a, b) (rate({app="a"} [1m]))`)
	ok(`sum(rate({app="a"}[1m])) without (a)`, `sum without (a) (rate({app="a"} [1m]))`)
	ok(`topk(5,sum(rate({app="a"}[1m]))by(x))`, `topk(5, sum by (x) (rate({app="a"} [1m])))`)
	ok(`sort_desc(count by () (rate({app="a"}[1m])))`, `sort_desc(count by () (rate({app="a"} [1m])))`)

	ok(`approx_topk(3, rate({app="a"}[1m]))`, `approx_topk(3, rate({app="a"} [1m]))`)
	same(`label_replace(rate({app="a"} [1m]), "b", "$1", "a", "(.*):.*")`)

	// Binary operations.
	same(`vector(1) + vector(1)`)
	ok(`vector(1)+vector(1)*vector(2)^vector(3)^vector(4)`,
		`vector(1) + vector(1) * vector(2) ^ vector(3) ^ vector(4)`)
	same(`1 - 2 - 3`)
	ok(`1 - (2 - 3) * (4 * 5)`, `1 - (2 - 3) * (4 * 5)`)
	ok(`(1 ^ 2) ^ (3 ^ 4)`, `(1 ^ 2) ^ 3 ^ 4`)
	ok(`-1 + +2 - -3`, `-1 + 2 - -3`)
	ok(`vector(-1.5) or vector(1) and vector(2) unless vector(3)`, `vector(-1.5) or vector(1) and vector(2) unless vector(3)`)
	ok(`rate({a="b"}[1m]) > bool 5`, `rate({a="b"} [1m]) > bool 5`)
	ok(`rate({a="b"}[1m]) / on(x,y) group_left(z) rate({c="d"}[1m])`,
		`rate({a="b"} [1m]) / on (x, y) group_left (z) rate({c="d"} [1m])`)
	ok(`vector(1) * ignoring(x) group_right vector(2)`, `vector(1) * ignoring (x) group_right () vector(2)`)
	ok(`vector(1) * on() group_left (vector(2) + vector(3))`, `vector(1) * on () group_left () (vector(2) + vector(3))`)
	ok(`(sum(rate({app="a"} |= "e" [1m])) / sum(rate({app="a"}[1m]))) * 100`,
		`sum(rate({app="a"} |= "e" [1m])) / sum(rate({app="a"} [1m])) * 100`)
}

func TestParseErrors(t *testing.T) {
	fails := func(query, want string) {
		t.Helper()
		e, err := Parse(query)
		if err == nil {
			t.Errorf("Parse(%s) = %s, want an error", query, e)
			return
		}
		if seamark.KindOf(err) != seamark.Invalid {
			t.Errorf("Parse(%s): kind %s, want invalid", query, seamark.KindOf(err))
		}
		if got := err.Error(); !strings.Contains(got, want) {
			t.Errorf("Parse(%s)\n got error %s\nwant one with %s", query, got, want)
		}
	}
	fails(``, `1:1: expected a stream selector, a function, an aggregation or a number, found the end of the query`)
	fails(`{app="a"`, `1:9: expected "," or "}", found the end of the query`)
	fails(`{app~"a"}`, `unexpected character '~'`)
	fails("{\n  app=x}", `2:7: expected a string in quotes or backticks, found "x"`)
	fails("{ä=\"x\"}", `1:2: unexpected character 'ä'`)
	fails(`{app=~"a("}`, `1:7: the regular expression is not RE2`)
	fails(`{app="a"} |= "x`, `1:14: the string is not closed`)
	fails(`{app="a"} |~ "\d"`, `1:14: the string "\d" has an unknown escape; double the backslashes or use backticks`)
	fails(`{app="a"} | jsn`, `expected a comparison of the label "jsn", found the end of the query`)
	fails(`{app="a"} | json a="b["`, `the JSON path "b[" is malformed`)
	fails(`{app="a"} | json a="b",`, `expected a label name, found the end of the query`)
	fails(`{app="a"} | regexp "(a)"`, `needs a named group`)
	fails(`{app="a"} | logfmt --lenient`, `expected --strict or --keep-empty, found "--lenient"`)
	fails(`{app="a"} | unwrap x`, `unwrap stands only inside a range aggregation`)
	fails(`{app="a"} | x > "1"`, `expected one of = != =~ !~, found ">"`)
	fails(`{app="a"} | x > 5x`, `expected a number, a duration such as 1m30s or an amount of bytes such as 20KB, found "5x"`)
	fails(`rate({app="a"})`, `1:15: expected "[", found ")"`)
	fails(`rate({app="a"}[5x])`, `1:16: expected a duration such as 5m, found "5x"`)
	fails(`rate({app="a"}[0s])`, `the range must be longer than zero`)
	fails(`rate({app="a"}[5m]) offset 5m`, `1:21: expected an operator or the end of the query, found "offset"`)
	fails(`rate({app="a"}[5m]) by (x)`, `rate takes no by or without; put it into sum by (...)`)
	fails(`sum_over_time({app="a"}[5m])`, `1:1: sum_over_time needs values: end its pipeline with unwrap`)
	fails(`count_over_time({app="a"} | unwrap x [5m])`, `count_over_time counts lines and takes no unwrap`)
	fails(`sum_over_time({app="a"} | unwrap x | json [5m])`, `only label filters may follow unwrap`)
	fails(`sum_over_time({app="a"} | unwrap x |= "y" [5m])`, `only label filters may follow unwrap`)
	fails(`rate({app="a"}[5m]`, `1:19: expected ")", found the end of the query`)
	fails(`rate(({app="a"}))`, `expected "[", found ")"`)
	fails(`rate_counter({app="a"}[5m])`, `rate_counter needs values`)
	fails(`{app="a"} |> "<a>"`, `1:14: the pattern is malformed: a line filter takes no named capture`)
	fails(`{app="a"} | pattern "<_>"`, `1:21: the pattern is malformed: it needs a named capture`)
	fails(`{app="a"} | pattern x`, `expected a pattern in quotes or backticks, found "x"`)
	fails(`{app="a"} |~ ip("10.0.0.1")`, `ip(...) follows |= or !=, not |~`)
	fails(`{app="a"} |= ip("10.0.0.999")`, `1:17: the IP addresses are malformed: "10.0.0.999" is no IP address`)
	fails(`{app="a"} | addr >= ip("10.0.0.1")`, `ip(...) follows = or !=, not >=`)
	fails(`{app="a"} | line_format "{{.a"`, `1:25: the template is malformed: 1: unclosed action`)
	fails(`{app="a"} | line_format "{{ nothing .a }}"`, `function "nothing" not defined`)
	fails(`{app="a"} | line_format`, `expected a template in quotes or backticks, found the end of the query`)
	fails(`{app="a"} | label_format a="b", a=c`, `the label a is formatted twice`)
	fails(`{app="a"} | label_format __error__=c`, `__error__ cannot be formatted`)
	fails(`{app="a"} | label_format c=__error__`, `__error__ cannot be renamed`)
	fails(`{app="a"} | label_format c>5`, `expected "=", found ">"`)
	fails(`{app="a"} |`, `expected a parser, line_format`)
	fails(`approx_topk(2, vector(1)) by (a)`, `approx_topk takes no by or without`)
	fails(`label_replace(vector(1), "0", "x", "a", "b")`, `1:26: the target "0" is not a label name`)
	fails(`label_replace(vector(1), "a", "x", "a", "(")`, `1:41: the regular expression is not RE2`)
	fails(`label_replace(vector(1), "a", "x")`, `expected ",", found ")"`)
	fails(`label_replace(1, "a", "x", "b", "c")`, `label_replace takes a vector, not a number`)
	fails(`sum({app="a"})`, `1:5: sum takes a metric query; wrap the log query`)
	fails(`sum(1)`, `sum takes a vector, not a number`)
	fails(`topk(0, vector(1))`, `expected how many series topk keeps, a whole number from 1, found "0"`)
	fails(`{app="a"} + 1`, `1:1: + joins metric queries`)
	fails(`1 and 2`, `and joins vectors, not numbers`)
	fails(`1 + bool 2`, `bool follows comparisons only`)
	fails(`vector(1) + on(x) 2`, `on and ignoring need a vector on both sides`)
	fails(`vector(1) or on(x) group_left vector(2)`, `or does not take group_left`)
	fails(strings.Repeat("(", 200), `the query nests deeper than the limit of 100 levels`)
	fails(`1`+strings.Repeat("+1", 1001), `the query joins more than the limit of 1000 operands`)
	fails(`{a="b"} | a="b"`+strings.Repeat(` or a="b"`, 1001), `the query joins more than the limit of 1000 operands`)
	fails(strings.Repeat(" ", maxQueryBytes+1), `more than the limit of 131072`)
	fails(`{a=~"`+strings.Repeat("x", maxRegexpBytes+1)+`"}`, `more than the limit of 8192`)
}

func TestParseMatchers(t *testing.T) {
	got, err := ParseMatchers(`{a="b", c=~"d"}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Matcher{{Name: "a", Value: "b"}, {Name: "c", Op: MatchRegexp, Value: "d"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{`{a="b"} |= "x"`, `vector(1)`, `{`} {
		if _, err := ParseMatchers(bad); seamark.KindOf(err) != seamark.Invalid {
			t.Errorf("ParseMatchers(%s) error = %v, want kind invalid", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{app="a", b!~"c"} |= "x" or "y" | json a="b[0].c" | (d>1h or e==1.5KiB) and f=~"g" | drop h, i="j"`,
		`sum by (a) (rate({app="a"} | logfmt --strict x, y="z" | unwrap duration(t) | __error__="" [1h5m] offset 3s))`,
		"topk(3, quantile_over_time(.9, {a=`b`} | regexp \"(?P<x>y)\" | unwrap bytes(z)[1d]) without (c)) # d",
		"{a=`b`} |> `<_>x` | pattern `<y> z` | unpack | line_format `{{.a}}{{range fromJson .b}}{{.}}{{end}}` != ip(`::1`) or `q` | c != ip(`1.2.3.4`)",
		"label_replace(approx_topk(2, rate_counter(({} | label_format a=b, c=`{{d}}` | decolorize | unwrap n) [1m])), `a`, `$1`, `b`, `(.*)`)",
		`-1 ^ 2 ^ 3 > bool vector(1e-5) or vector(1) * on(a) group_left(b) vector(2)`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		e, err := Parse(query)
		if err != nil {
			if seamark.KindOf(err) != seamark.Invalid {
				t.Fatalf("Parse(%q): kind %s of %v, want invalid", query, seamark.KindOf(err), err)
			}
			return
		}
		again, err := Parse(e.String())
		if err != nil {
			t.Fatalf("Parse(%q) printed %q, which does not parse: %v", query, e, err)
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Fatalf("Parse(%q) printed %q, which differs:\n%s", query, e, diff)
		}
	})
}
