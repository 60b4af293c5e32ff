package ledger_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/ingest/ledger"
)

func TestRedact(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{`level=info msg="cart 17 saved" took=3.5ms`, `level=info msg="cart 17 saved" took=3.5ms`},
		{"2026-11-21T04:13:34.123456789Z GET /a/b?x=1 200", "2026-11-21T04:13:34.123456789Z GET /a/b?x=1 200"},
		{"10.0.0.1 - - [21/Nov/2026]", "10.0.0.1 - - [21/Nov/2026]"},
		{"user smk_ingest_abcDEF012345_0123456789 refused", "user smk_*** refused"},
		{"Authorization: Bearer abcdef.ghi-jkl", "Authorization: Bearer ***"},
		{"Authorization: Basic dXNlcjpwYXNz==", "Authorization: Basic ***=="},
		{"sent Bearer abcdefgh12345678 to them", "sent Bearer *** to them"},
		{"got Basic dXNlcjpwYXNz", "got Basic ***"},
		{"use basic authentication", "use basic authentication"},
		{`{"password":"hunter2","user":"ann"}`, `{"password":"***","user":"ann"}`},
		{`{"password": "a\"b", "x": 1}`, `{"password": "***", "x": 1}`},
		{`{"db_password":12345,"x":"y"}`, `{"db_password":***,"x":"y"}`},
		{`{"secrets":{"a":"b","c":["d","e"]},"x":"y"}`, `{"secrets":{"***":"***","***":["***","***"]},"x":"y"}`},
		{`{"api_keys":["one","two"],"x":"y"}`, `{"api_keys":["***","***"],"x":"y"}`},
		{`{"message":"{\"password\":\"hunter2\"}"}`, `{"message":"{\"password\":\"***"}`},
		{"password=pa$$word&x=1", "password=***$$***&x=1"},
		{"password='it is long' x=1", "password='***' x=1"},
		{`password="never closed`, `password="***`},
		{"X-Api-Key: 12ab", "X-Api-Key: ***"},
		{"https://ann:hunter2@example.com/path", "https://ann:***@***/path"},
		{"mail to ann.lee+x@example.com now", "mail to ***@*** now"},
		{"card 4111111111111111 used", "card *** used"},
		{"card 4111 1111 1111 1111 used", "card *** used"},
		{"card 4111-1111-1111-1111 used", "card *** used"},
		{"numbers 12 34 56 78 90 12 34", "numbers 12 34 56 78 90 12 34"},
		{"jwt eyJhbGciOi.eyJzdWIi.c2ln end", "jwt *** end"},
		{"access_token=abc&refresh_token=def&n=1", "access_token=***&refresh_token=***&n=1"},
		{"a\xffb", "a\uFFFDb"},
	} {
		if got := ledger.Redact(c.in); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

// TestRedactCuts puts a secret over every edge that a text is cut at: no part of it is shown.
func TestRedactCuts(t *testing.T) {
	const card = "4111111111111111"
	for before := range 300 {
		if got := ledger.Redact(strings.Repeat("x", before) + " " + card); strings.Contains(got, "411") {
			t.Fatalf("after %d bytes part of a card is shown: %q", before, got)
		}
	}
	long := strings.Repeat("4111111111111111", 1000) + " tail"
	if got := ledger.Redact(long); strings.Contains(got, "1") {
		t.Errorf("part of a run that is longer than what is looked at is shown: %q", got)
	}
	for n := range 8 {
		got := ledger.Redact(strings.Repeat("y ", 120) + strings.Repeat("z", n) + strings.Repeat("é", 100))
		if !utf8.ValidString(got) || len(got) > 256 || !strings.HasSuffix(got, "...") {
			t.Errorf("got %d bytes %q, want at most 256 of UTF-8 that say they were cut", len(got), got)
		}
	}
}

func FuzzRedact(f *testing.F) {
	for _, seed := range []string{`{"password":"x"}`, "Bearer abcdefgh1", "a@b.c", "smk_query_x", "4111 1111 1111 1111", `"'\`, "token=[{(", "\xff\xfe"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := ledger.Redact(s)
		if len(got) > 256 || !utf8.ValidString(got) {
			t.Fatalf("%q became %d bytes, valid %v", s, len(got), utf8.ValidString(got))
		}
		if i := strings.Index(got, "smk_"); i >= 0 && !strings.HasPrefix(got[i:], "smk_***") && i+len("smk_***...") < 256 {
			t.Fatalf("%q became %q with a token in it", s, got)
		}
		run := 0
		for i := range len(got) {
			if got[i] < '0' || got[i] > '9' {
				run = 0
			} else if run++; run >= 12 {
				t.Fatalf("%q became %q with a long number in it", s, got)
			}
		}
		withSecret := `{"password":"` + strings.ReplaceAll(strings.ReplaceAll(s, `\`, ""), `"`, "") + `Zq7","n":1}`
		if got := ledger.Redact(withSecret); strings.Contains(got, "Zq7") {
			t.Fatalf("%q became %q with the password in it", withSecret, got)
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	line := `{"time":"2026-11-21T04:13:34Z","level":"info","user":"ann@example.com","password":"hunter2","msg":"` + strings.Repeat("some words ", 100) + `"}`
	b.ReportAllocs()
	for range b.N {
		ledger.Redact(line)
	}
}
