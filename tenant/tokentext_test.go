package tenant

import (
	"crypto/rand"
	"hash/crc32"
	"regexp"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestTokenTextRoundTrip(t *testing.T) {
	pattern := regexp.MustCompile(`^` + TokenPattern + `$`)
	for _, kind := range []seamark.CredentialKind{seamark.IngestToken, seamark.QueryToken, seamark.AdminToken} {
		for range 100 {
			keyID, err := randomText(rand.Reader, keyIDLength)
			if err != nil {
				t.Fatal(err)
			}
			secret, err := randomText(rand.Reader, secretLength)
			if err != nil {
				t.Fatal(err)
			}
			text := formatToken(kind, keyID, secret)
			if got, ok := parseToken(text); !ok || got != (parsedToken{kind, keyID, secret}) {
				t.Fatalf("%s is parsed as %+v, %t", text, got, ok)
			}
			if !pattern.MatchString(text) || len(text) > maxTokenBytes {
				t.Fatalf("%s does not match the pattern", text)
			}
		}
	}
}

func TestTokenCRCIsTheOneInTheLibrary(t *testing.T) {
	for _, text := range []string{"", "a", "smk_query_AAAAAAAAAAAA_", strings.Repeat("z", 100)} {
		digits := tokenCRC(text)
		value := uint64(0)
		for _, c := range digits {
			value = value*62 + uint64(strings.IndexByte(base62Digits, c))
		}
		if want := uint64(crc32.ChecksumIEEE([]byte(text))); value != want {
			t.Errorf("%q: got %d, want %d", text, value, want)
		}
	}
}

func TestEveryChangedCharacterIsNoticed(t *testing.T) {
	text := formatToken(seamark.IngestToken, "abcDEF012345", strings.Repeat("Zz9", 10))
	for i := range len(text) {
		for _, c := range []byte("a0Z_= \x00\xff") {
			if text[i] == c {
				continue
			}
			changed := text[:i] + string(c) + text[i+1:]
			if _, ok := parseToken(changed); ok {
				t.Errorf("%q is accepted", changed)
			}
		}
	}
}

func TestRandomTextIsEvenlySpread(t *testing.T) {
	const draws = 62 * 2000
	text, err := randomText(rand.Reader, draws)
	if err != nil {
		t.Fatal(err)
	}
	for _, digit := range base62Digits {
		// 2000 expected, standard deviation 44: eight of them happen once in 10^15 runs.
		if n := strings.Count(text, string(digit)); n < 2000-360 || n > 2000+360 {
			t.Errorf("digit %c came %d times, want about 2000", digit, n)
		}
	}
}

func TestParseTokenDoesNotAllocate(t *testing.T) {
	text := formatToken(seamark.IngestToken, "abcDEF012345", strings.Repeat("Zz9", 10))
	if n := testing.AllocsPerRun(100, func() { parseToken(text) }); n != 0 {
		t.Errorf("parseToken allocates %.0f times, want 0", n)
	}
}

func FuzzParseToken(f *testing.F) {
	good := formatToken(seamark.IngestToken, "abcDEF012345", strings.Repeat("Zz9", 10))
	for _, seed := range []string{"", "smk_", good, good + "=", good[1:], strings.ToUpper(good), "smk_admin" + good[len("smk_ingest"):], "smk__"} {
		f.Add(seed)
	}
	pattern := regexp.MustCompile(`^` + TokenPattern + `$`)
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseToken(text)
		if !ok {
			if got != (parsedToken{}) {
				t.Errorf("refused text leaves %+v", got)
			}
			return
		}
		if !pattern.MatchString(text) || formatToken(got.kind, got.keyID, got.secret) != text {
			t.Errorf("%q is accepted as %+v", text, got)
		}
	})
}

func TestMaskTokens(t *testing.T) {
	token := formatToken(seamark.QueryToken, "AAAABBBBCCCC", strings.Repeat("a", 30))
	for text, want := range map[string]string{
		"":                          "",
		"token/AAAABBBBCCCC":        "token/AAAABBBBCCCC",
		"token/" + token:            "token/smk_query_AAAABBBBCCCC_...",
		token + " and " + token:     "smk_query_AAAABBBBCCCC_... and smk_query_AAAABBBBCCCC_...",
		token[:40] + "/" + "x":      "smk_query_AAAABBBBCCCC_.../x",
		"smk_query_" + token[23:]:   "smk_query_...",
		"smk_":                      "smk__...",
		"key/smk_api_AAAA%20" + "b": "key/smk_api_...%20b",
	} {
		if got := MaskTokens(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
