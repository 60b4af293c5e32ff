package pipeline_test

import (
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/pipeline"
)

const jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

func redacted(t *testing.T, step, body string) string {
	t.Helper()
	return run(t, one(`"kind":"redact",`+step), line{body: body}).Logs.Body[0]
}

func allPatterns() string {
	return `"patterns":["` + strings.Join(pipeline.PatternNames(), `","`) + `"]`
}

func TestRedactFinds(t *testing.T) {
	for in, want := range map[string]string{
		"mail ann.lee+x@shop.example.org.":                 "mail [redacted:email].",
		"<a@b.co>,c_d@e-f.io":                              "<[redacted:email]>,[redacted:email]",
		"4111111111111111":                                 "[redacted:credit_card]",
		"card=4111-1111-1111-1111 ok":                      "card=[redacted:credit_card] ok",
		"card 5500 0055 5555 5559, next":                   "card [redacted:credit_card], next",
		"amex 3782 822463 10005":                           "amex [redacted:credit_card]",
		"from 10.0.0.1:8080 to 255.255.255.255":            "from [redacted:ipv4]:8080 to [redacted:ipv4]",
		"ip-10.1.2.3.":                                     "ip-[redacted:ipv4].",
		"jwt " + jwt + " end":                              "jwt [redacted:jwt] end",
		"Authorization: Bearer " + jwt:                     "Authorization: Bearer [redacted:token]",
		"push ghp_abcdefghijklmnopqrstuvwxyz0123456789 ok": "push [redacted:token] ok",
		"AKIAIOSFODNN7EXAMPLE":                             "[redacted:token]",
		"Basic dXNlcjpwYXNz":                               "Basic [redacted:token]",
		"smk_ingest_0123456789abcdefghijkl":                "[redacted:token]",
		"user=ann password=hunter2 ok":                     "user=ann password=[redacted:secret] ok",
		`{"Password": "a b c","x":1}`:                      `{"Password": "[redacted:secret]","x":1}`,
		`{"api_key":"abc","client-secret":"d"}`:            `{"api_key":"[redacted:secret]","client-secret":"[redacted:secret]"}`,
		`msg="{\"access_token\":\"abc\"}"`:                 `msg="{\"access_token\":\"[redacted:secret]\"}"`,
		"https://x.example/?token=abc&a=b":                 "https://x.example/?token=[redacted:secret]&a=b",
		"password: hunter2":                                "password: [redacted:secret]",
		"a@b.co 1.2.3.4 a@b.co":                            "[redacted:email] [redacted:ipv4] [redacted:email]",
		"é ünï a@b.co 漢":                                   "é ünï [redacted:email] 漢",
	} {
		if got := redacted(t, allPatterns(), in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestRedactLeavesAlone(t *testing.T) {
	for _, in := range []string{
		"", "plain text", "user@host", "@", "a@b", "a@b.", "a@.co", "x@1.2", "4111111111111112", "41111111111111111111111", "0.4111111111111111",
		"id4111111111111111", "1730462400000", "1730462400000000000", "4111-1111 1111-1111", "256.1.1.1", "1.2.3", "1.2.3.4.5", "v1.2.3.4", "01.2.3.4",
		"1.2.3.4a", "eyJ", "eyJhbGciOiJIUzI1NiJ9", "eyJub3QiOiJqd3QifQ.e30.abc", "xeyJhbGciOiJub25lIn0.e30.abc", "Bearer token missing", "Basic authentication",
		"unexpected token: end", "unexpected token: }", "token=", "password=***", "secret=\"kube-system/ca\"", "ghp_short", "AKIAshort", "sk-learn", "mytoken",
		"2026-11-01T12:00:00.123456789Z", "550e8400-e29b-41d4-a716-446655440000", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	} {
		if got := redacted(t, allPatterns(), in); got != in {
			t.Errorf("%q became %q", in, got)
		}
	}
}

func TestRedactOnlyWhatIsAsked(t *testing.T) {
	if got, want := redacted(t, `"patterns":["ipv4"]`, "a@b.co 1.2.3.4"), "a@b.co [redacted:ipv4]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRedactExpressionsAndAttributes(t *testing.T) {
	b := run(t, one(`"kind":"redact","patterns":["email","secret"],"expressions":[{"name":"order","regex":"ord-[0-9]+"}]`),
		line{body: "ord-12 of a@b.co", attrs: "password=x,who=a@b.co,ref=ord-7,k=v"}, line{body: "clean", attrs: "k=v"})
	wantRows(t, b,
		"{app=shop} unknown [redacted:order] of [redacted:email] [password=[redacted:secret],who=[redacted:email],ref=[redacted:order],k=v]",
		"{app=shop} unknown clean [k=v]")
}

// A finder that went back over what it has read would take hours for these.
func TestRedactTakesLinearTime(t *testing.T) {
	const n = 200 << 10
	for _, part := range []string{"@", "a@", "1", "1.", "1 ", "eyJ", "eyJ.", "a", "Bearer ", "password=", "=", "\"", "4111 ", "ghp_", "a.b@c."} {
		body := strings.Repeat(part, n/len(part))
		run(t, one(`"kind":"redact",`+allPatterns()), line{body: body})
	}
}
