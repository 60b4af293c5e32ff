package lineformat

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// labels are a line's labels in tests.
type labels map[string]string

func (l labels) Value(name string) string { return l[name] }

func (l labels) Each(fn func(name, value string)) {
	for name, value := range l {
		fn(name, value)
	}
}

var (
	testTime = time.Date(2026, 11, 20, 23, 59, 0, 123456789, time.UTC)
	testLine = `level=info msg="Hello World"`
	testSet  = labels{"app": "api", "path": "/a b/c", "n": "3000", "took": "1m30s", "size": "5MB", "empty": "",
		"json": `{"foo":55,"list":[{"q":"x"},{"q":"y"}]}`, "from": "1679577215", "date": "2021-11-02", "xss": "<a>&b"}
)

func execute(text string, values Labels) (string, error) {
	t, err := Parse(text)
	if err != nil {
		return "", err
	}
	e, err := t.NewExecutor(func() time.Time { return testTime.Add(time.Hour) })
	if err != nil {
		return "", err
	}
	first, firstErr := e.Execute(testLine, testTime.UnixNano(), values)
	again, againErr := e.Execute(testLine, testTime.UnixNano(), values) // an executor runs for line after line
	if first != again || (firstErr == nil) != (againErr == nil) {
		return again, againErr
	}
	return first, firstErr
}

func TestExecute(t *testing.T) {
	covered := map[string]bool{}
	yields := func(text, want string) {
		t.Helper()
		got, err := execute(text, testSet)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got != want {
			t.Errorf("%s\n got %q\nwant %q", text, got, want)
		}
		for _, f := range functionNames() {
			covered[f] = covered[f] || strings.Contains(text, f)
		}
	}
	// Labels and lines.
	yields(``, "")
	yields(`plain`, "plain")
	yields(`{{.app}} at {{ .path }}{{.missing}}!`, "api at /a b/c!")
	yields(`{{__line__}}|{{ __line__ | lower }}`, testLine+`|level=info msg="hello world"`)
	yields(`{{ .app }}{{/* nothing */}}{{- " x" }}`, "api x")
	yields(`{{ if .missing }}a{{ else if eq .app "api" }}b{{ else }}c{{ end }}`, "b")
	yields(`{{ with .app }}{{ . }}{{ $.n }}{{ end }}`, "api3000")
	yields(`{{ $x := .app }}{{ $x }}{{ index . "n" }}`, "api3000")
	yields(`{{ .path | replace " " "_" | trunc 4 | upper }}`, "/A_B")
	// Text.
	yields(`{{ alignLeft 5 "hello world" }}|{{ alignLeft 5 "hi" }}|{{ alignLeft 3 "хлеб" }}|{{ alignLeft -1 "x" }}`, "hello|hi   |хле|x")
	yields(`{{ alignRight 5 "hello world" }}|{{ alignRight 5 "hi" }}|{{ alignRight 3 "хлеб" }}|{{ alignRight 0 "x" }}|{{ alignRight -1 "x" }}`, "world|   hi|леб||x")
	yields(`{{ b64enc "foo" }} {{ "Zm9v" | b64dec }}`, "Zm9v foo")
	yields(`{{ bytes .size }} {{ bytes "2 KiB" }}`, "5e+06 2048")
	yields(`{{ default "-" "" }}{{ default "-" "foo" }}{{ .empty | default "?" }}{{ .missing | default "!" }}{{ default 1 0 }}{{ default 1 (fromJson "[]") }}`, "-foo?!11")
	yields(`{{ fromJson "{\"foo\": 55}" }} {{ (fromJson .json).foo }} {{ fromJson "x" }}`, "map[foo:55] 55 ")
	yields(`{{ range $q := (fromJson .json).list }}<{{ $q.q }}>{{ end }}`, "<x><y>")
	yields(`{{ lower "HELLO" }} {{ upper "hello" }} {{ title "hello wide-world don't" }} {{ ToLower "A" }} {{ ToUpper "b" }}`, "hello HELLO Hello Wide-World Don't a B")
	yields(`{{ indent 2 "a\nb" }}{{ nindent 1 "c\nd" }}`, "  a\n  b\n c\n d")
	yields(`{{ repeat 3 "ab" }}{{ repeat 0 "x" }}`, "ababab")
	yields(`{{ printf "%-6.3s|%5d" .path 42 }}`, "/a    |   42")
	yields(`{{ replace "hello" "world" "hello world hello" }} {{ Replace "aaa" "a" "b" 2 }}`, "world world world bba")
	yields(`{{ substr 0 5 "hello world" }} {{ substr 6 11 "hello world" }} {{ substr -1 2 "hello" }} {{ substr 2 -1 "hello" }} {{ substr 2 99 "hello" }} {{ substr 3 1 "hello" }} {{ .path | substr 2 5 }}`,
		"hello world he llo llo   b/")
	yields(`[{{ trim "  x " }}] {{ trimAll "$" "$5.00$" }} {{ trimPrefix "-" "-hello" }} {{ trimSuffix "-" "hello-" }}`, "[x] 5.00 hello hello")
	yields(`[{{ Trim "xax" "x" }}] {{ TrimLeft "xax" "x" }} {{ TrimRight "xax" "x" }} {{ TrimPrefix "abc" "a" }} {{ TrimSuffix "abc" "c" }} {{ TrimSpace " y " }}`, "[a] ax xa bc ab y")
	yields(`{{ trunc 5 "hello world" }} {{ trunc -5 "hello world" }} {{ trunc 9 "хлеб" }} {{ trunc -9 "x" }}`, "hello world хлеб x")
	yields(`{{ urlencode "a b&c" }} {{ urldecode "a%20b%26c" }}`, "a+b%26c a b&c")
	yields(`{{ html .xss }}`, "&lt;a&gt;&amp;b")
	// Conditions.
	yields(`{{ if and (contains "he" "hello") (contains "llo" "hello") }}yes{{ end }}`, "yes")
	yields(`{{ hasPrefix "he" "hello" }} {{ hasSuffix "he" "hello" }} {{ eq "a" "a" }} {{ not (eq .app "x") }} {{ or .missing "z" }} {{ len .app }}`, "true false true true z 3")
	// Numbers.
	yields(`{{ add 3 2 5 }} {{ addf 3.5 2 5 }} {{ sub 5 2 }} {{ subf 5.5 2 1.5 }} {{ mul 5 2 3 }} {{ mulf 5.5 2 2.5 }}`, "10 10.5 3 2 30 27.5")
	yields(`{{ div 10 2 }} {{ div .n 1000 }} {{ divf 10 2 4 }} {{ mod 10 3 }} {{ mod -7 3 }}`, "5 3 1.25 1 -1")
	yields(`{{ ceil 123.001 }} {{ floor 123.9999 }} {{ round 123.555555 3 }} {{ round 123.88571428571 5 .2 }} {{ round 123.88571428571 5 }} {{ round -1.25 1 }}`,
		"124 123 123.556 123.88572 123.88571 -1.3")
	yields(`{{ max 1 2 3 }} {{ maxf 1 2.5 3 }} {{ min 1 2 3 }} {{ minf 1.5 2.5 3 }}`, "3 3 1 1.5")
	yields(`{{ "3" | int }} {{ int "3.9" }} {{ int "x" }} {{ "3.5" | float64 }} {{ float64 "x" }} {{ add "2" 1.9 true }}`, "3 3 0 3.5 0 4")
	// Times.
	yields(`{{ __timestamp__ }}`, "2026-11-20 23:59:00.123456789 +0000 UTC")
	yields(`{{ __timestamp__ | date "2006-01-02T15:04:05.00Z07:00" }} {{ __timestamp__ | unixEpoch }}`, "2026-11-20T23:59:00.12Z 1795219140")
	yields(`{{ __timestamp__ | unixEpochMillis }} {{ __timestamp__ | unixEpochNanos }}`, "1795219140123 1795219140123456789")
	yields(`{{ date "2006-01-02 15" now }} {{ date "2006-01-02" 0 }}`, "2026-11-21 00 1970-01-01")
	yields(`{{ toDate "2006-01-02" .date | unixEpoch }} {{ toDateInZone "2006-01-02" "UTC" .date | unixEpoch }} {{ toDateInZone "2006-01-02" "Local" .date | unixEpoch }}`,
		"1635811200 1635811200 1635811200")
	yields(`{{ (toDate "2006-01-02" "no date").Year }} {{ toDateInZone "2006-01-02" "No/Where" .date | unixEpoch }}`, "1 1635811200")
	yields(`{{ date "2006-01-02" (unixToTime .from) }} {{ unixToTime "19682" | unixEpoch }} {{ unixToTime "1679577215123" | unixEpochMillis }}`, "2023-03-23 1700524800 1679577215123")
	yields(`{{ unixToTime "1679577215123456" | unixEpochNanos }} {{ unixToTime "1679577215123456789" | unixEpochNanos }}`, "1679577215123456000 1679577215123456789")
	yields(`{{ duration .took }} {{ .took | duration_seconds }} {{ duration "1.5ms" }}`, "90 90 0.0015")
	// Regular expressions.
	yields(`{{ count "a|b" "abab" }} {{ count "o" "foo" }} {{ __line__ | count "[A-Z]" }}`, "4 2 2")
	yields(`{{ regexReplaceAll "(a*)bc" "aabc xbc" "${1}d" }} {{ regexReplaceAll "x*" "ab" "-" }}`, "aad xd -a-b-")
	yields(`{{ regexReplaceAllLiteral "(ts=)" "ts=1 ts=2" "$1" }}`, "$11 $12")
	for _, f := range functionNames() {
		if !covered[f] {
			t.Errorf("no case calls %s", f)
		}
	}
}

func TestExecuteErrors(t *testing.T) {
	fails := func(text, want string) {
		t.Helper()
		got, err := execute(text, testSet)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s = %.40q, error %v, want one with %q", text, got, err, want)
		}
	}
	fails(`{{ div 1 0 }}`, "division by zero")
	fails(`{{ mod 1 .missing }}`, "division by zero")
	fails(`{{ divf 1 0 }}`, "division by zero")
	fails(`{{ duration "soon" }}`, `"soon" is no duration`)
	fails(`{{ bytes "many" }}`, `"many" is no amount of bytes`)
	fails(`{{ unixToTime "123" }}`, `"123" is no time`)
	fails(`{{ date "2006" .app }}`, `date takes a time`)
	fails(`{{ b64dec "!" }}`, "illegal base64")
	fails(`{{ urldecode "%zz" }}`, "invalid URL escape")
	fails(`{{ count "(" "x" }}`, "missing closing )")
	fails(`{{ regexReplaceAll "(" "x" "" }}`, "missing closing )")
	fails(`{{ regexReplaceAllLiteral "(" "x" "" }}`, "missing closing )")
	fails(`{{ .app.field }}`, "can't evaluate field")
	fails(`{{ lower 5 }}`, "expected string; found 5")
	fails(`{{ repeat -1 "x" }}`, "negative count")
	// What a template may cost.
	fails(`{{ repeat 524289 "x" }}`, "limit of 524288 bytes")
	fails(`{{ $x := repeat 1000 "x" }}{{ replace "x" $x $x }}`, "limit of 524288 bytes")
	fails(`{{ $x := repeat 1000 "x" }}{{ regexReplaceAll "x+" $x (repeat 600 "$0") }}`, "limit of 524288 bytes")
	fails(`{{ $x := repeat 1000 "x" }}{{ regexReplaceAllLiteral "x" $x $x }}`, "limit of 524288 bytes")
	fails(`{{ indent 500000 "a\nb" }}`, "limit of 524288 bytes")
	fails(`{{ alignRight 2000000 "a" }}{{ alignLeft 2000000 "a" }}`, "limit of 524288 bytes")
	fails(`{{ $x := repeat 300000 "x" }}{{ $x }}{{ $x }}`, "limit of 524288 bytes")
	fails(`{{ count (repeat 8193 "x") "x" }}`, "limit of 8192")
	fails(`{{ range 1000000 }}{{ end }}`, "limit of 100000 rounds")
	fails(`{{ range 1000 }}{{ range 1000 }}{{ end }}{{ end }}`, "limit of 100000 rounds")
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{{ .app`: "1: unclosed action", `{{ nothing }}`: `function "nothing" not defined`, `{{ __seamark_round__ }}`: "not defined",
		`{{ define "a" }}{{ end }}`: "define and block", `{{ template "a" }}`: "template is not taken", `{{ end }}`: "unexpected {{end}}",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%s) error = %v, want one with %q", text, err, want)
		}
	}
}

func TestLabels(t *testing.T) {
	for text, want := range map[string]string{
		`plain`: "", `{{.b}} {{.a | lower}}`: "a b", `{{ if eq .x "y" }}{{ else }}{{ .z }}{{ end }}`: "x z", `{{ with .a }}{{ $.b }}{{ end }}`: "a b",
		`{{ . }}`: "all", `{{ range $k, $v := . }}{{ end }}`: "all", `{{ $ }}`: "all", `{{ (index . "a") }}`: "all", `{{ lower (print .q) }}`: "q",
		`{{ (fromJson .a).b }}`: "a", `{{ $x := .c }}{{ $x }}`: "c",
	} {
		parsed, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		list, all := parsed.Labels()
		got := strings.Join(list, " ")
		if all {
			got = "all"
		}
		if got != want {
			t.Errorf("Labels of %s = %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]bool{`{{ __line__ }}`: true, `{{ lower __line__ }}`: true, `{{ unixEpoch __timestamp__ }}`: true, `{{ .a }}`: false, `{{ now }}`: false} {
		if parsed, err := Parse(text); err != nil || parsed.ReadsRow() != want {
			t.Errorf("ReadsRow of %s = %v, want %v", text, !want, want)
		}
	}
	for text, want := range map[string]bool{`a {{ .b }} {{ __line__ }}`: true, `{{ .a | lower }}`: false, `{{ if .a }}{{ end }}`: false} {
		if parsed, err := Parse(text); err != nil || parsed.NeverFails() != want {
			t.Errorf("NeverFails of %s = %v, want %v", text, !want, want)
		}
	}
}

func FuzzExecute(f *testing.F) {
	f.Add(`{{ .app | upper | trunc 2 }}{{ range fromJson .json }}{{ . }}{{ end }}`, "x")
	f.Add(`{{ substr 1 -1 .app }}{{ alignLeft 3 .app }}{{ regexReplaceAll .app "a" "$1" }}`, "(")
	f.Fuzz(func(t *testing.T, text, value string) {
		set := labels{}
		for name := range maps.Keys(testSet) {
			set[name] = value
		}
		got, err := execute(text, set)
		if err == nil && len(got) > maxResultBytes {
			t.Fatalf("%d bytes", len(got))
		}
	})
}

func BenchmarkExecute(b *testing.B) {
	for name, text := range map[string]string{"simple": `{{.app}} {{.path}} took {{.took}}`, "functions": `{{.app | upper}} {{regexReplaceAll "a" .path "b"}}`} {
		b.Run(name, func(b *testing.B) {
			parsed, err := Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			e, err := parsed.NewExecutor(time.Now)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Execute(testLine, 0, testSet); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestFunctionNamesAreThose(t *testing.T) {
	names := functionNames()
	if slices.Contains(names, roundFunction) || !slices.Contains(names, "__timestamp__") || len(names) < 65 {
		t.Errorf("functions: %q", names)
	}
}
