package tenant

import (
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// TokenPattern matches every API token, for secret scanners. The last six characters are the base 62 CRC-32 (IEEE) of
// everything before them, so a scanner can drop false alarms without asking us.
const TokenPattern = `smk_(ingest|query|admin|api|invite)_[0-9A-Za-z]{12}_[0-9A-Za-z]{36}`

// The parts of a token's text.
const (
	tokenPrefix   = "smk_"
	keyIDLength   = 12
	secretLength  = 30 // 178 bits, so a plain SHA-256 is enough to store it
	crcLength     = 6  // 62^6 > 2^32
	maxTokenBytes = len(tokenPrefix) + len("ingest_") + keyIDLength + 1 + secretLength + crcLength
	base62Digits  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// parsedToken is a token whose shape and checksum are right; nothing about it is proven.
type parsedToken struct {
	kind          seamark.CredentialKind
	keyID, secret string // parts of the text that was parsed
}

// parseToken takes a token apart without allocating. A wrong checksum ends here, before any lookup.
func parseToken(text string) (parsedToken, bool) {
	if len(text) > maxTokenBytes || !strings.HasPrefix(text, tokenPrefix) {
		return parsedToken{}, false
	}
	kindText, keyID, secret, ok := parseSecret(text)
	kind, known := tokenKind(kindText)
	return parsedToken{kind: kind, keyID: keyID, secret: secret}, ok && known
}

// parseSecret takes apart any text that formatSecret made; its caller has seen to the length and the prefix.
func parseSecret(text string) (kind, keyID, secret string, ok bool) {
	kind, rest, ok := strings.Cut(text[len(tokenPrefix):], "_")
	if !ok || len(rest) != keyIDLength+1+secretLength+crcLength || rest[keyIDLength] != '_' {
		return "", "", "", false
	}
	keyID, tail := rest[:keyIDLength], rest[keyIDLength+1:]
	if !isBase62(keyID) || !isBase62(tail) || tokenCRC(text[:len(text)-crcLength]) != [crcLength]byte([]byte(tail[secretLength:])) {
		return "", "", "", false
	}
	return kind, keyID, tail[:secretLength], true
}

// MaskTokens cuts the secrets off whatever in text begins as a token does, and leaves what names the token: people put whole
// tokens where only an id belongs, and what they sent is put on record.
func MaskTokens(text string) string {
	var b strings.Builder
	for {
		at := strings.Index(text, tokenPrefix)
		if at < 0 {
			break
		}
		end := at + len(tokenPrefix)
		for end < len(text) && (text[end] == '_' || isBase62(text[end:end+1])) {
			end++
		}
		kind, rest, _ := strings.Cut(text[at+len(tokenPrefix):end], "_")
		b.WriteString(text[:at+len(tokenPrefix)] + kind)
		if id, secret, ok := strings.Cut(rest, "_"); ok && len(id) <= keyIDLength && secret != "" {
			b.WriteString("_" + id)
		}
		b.WriteString("_...")
		text = text[end:]
	}
	return b.String() + text
}

// tokenKind is ParseTokenKind without the cost of an error.
func tokenKind(s string) (seamark.CredentialKind, bool) {
	switch s {
	case "ingest":
		return seamark.IngestToken, true
	case "query":
		return seamark.QueryToken, true
	case "admin":
		return seamark.AdminToken, true
	case "api":
		return seamark.APIKey, true
	}
	return 0, false
}

func formatToken(kind seamark.CredentialKind, keyID, secret string) string {
	return formatSecret(kind.String(), keyID, secret)
}

func formatSecret(kind, keyID, secret string) string {
	text := tokenPrefix + kind + "_" + keyID + "_" + secret
	crc := tokenCRC(text)
	return text + string(crc[:])
}

// tokenCRC is the checksum of text in base 62. It walks the table itself because the library's function would force the
// text onto the heap.
func tokenCRC(text string) (digits [crcLength]byte) {
	crc := ^uint32(0)
	for i := range len(text) {
		crc = crc32.IEEETable[byte(crc)^text[i]] ^ crc>>8
	}
	crc = ^crc
	for i := crcLength - 1; i >= 0; i-- {
		digits[i] = base62Digits[crc%62]
		crc /= 62
	}
	return digits
}

func isBase62(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			continue
		}
		return false
	}
	return true
}

// randomText draws n base 62 digits, each with the same chance.
func randomText(source io.Reader, n int) (string, error) {
	const unbiased = 256 / len(base62Digits) * len(base62Digits) // bytes from here on would favour the first digits
	text := make([]byte, 0, n)
	var draw [64]byte
	for len(text) < n {
		if _, err := io.ReadFull(source, draw[:]); err != nil {
			return "", fmt.Errorf("draw random text: %w", err)
		}
		for _, b := range draw {
			if int(b) < unbiased && len(text) < n {
				text = append(text, base62Digits[int(b)%len(base62Digits)])
			}
		}
	}
	return string(text), nil
}
