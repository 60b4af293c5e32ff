package pipeline

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// maxTokenBytes bounds how far a token is read. Without it one endless token is read again from each of its words.
const maxTokenBytes = 4096

// findJWT looks for a JSON Web Token in compact form (RFC 7519; RFC 7515, section 7.1, three parts; RFC 7516, five): its
// header must be a JSON object with an algorithm.
func findJWT(text string, i int) (end int, ok bool) {
	if !strings.HasPrefix(text[i:], "eyJ") || i > 0 && isURLBase64(text[i-1]) {
		return 0, false
	}
	header := span(text, i, maxTokenBytes, isURLBase64)
	end, dots := header, 0
	for dots < 4 && end < len(text) && text[end] == '.' {
		next := span(text, end+1, maxTokenBytes, isURLBase64)
		if next == end+1 && dots == 0 {
			return 0, false
		}
		end = next
		dots++
	}
	if dots < 2 {
		return 0, false
	}
	decoded, err := base64.RawURLEncoding.DecodeString(text[i:header])
	if err != nil {
		return 0, false
	}
	var h struct {
		Algorithm string `json:"alg"`
	}
	return end, json.Unmarshal(decoded, &h) == nil && h.Algorithm != ""
}

// tokenForm is how the tokens of one issuer look.
type tokenForm struct {
	prefix   string
	min, max int // bytes after the prefix
	takes    func(byte) bool
	keep     bool // the prefix stays, only what follows is replaced
	ok       func(tail string) bool
}

// tokenForms lists the forms, by the issuers' documents. A form needs a prefix that no common word has, or a check.
func tokenForms() []tokenForm {
	upper := func(c byte) bool { return isDigit(c) || c >= 'A' && c <= 'Z' }
	base64ish := func(c byte) bool { return isURLBase64(c) || c == '+' || c == '/' || c == '=' || c == '.' || c == '~' }
	return []tokenForm{
		{prefix: "ghp_", min: 36, max: 255, takes: isAlnum}, {prefix: "gho_", min: 36, max: 255, takes: isAlnum},
		{prefix: "ghu_", min: 36, max: 255, takes: isAlnum}, {prefix: "ghs_", min: 36, max: 255, takes: isAlnum},
		{prefix: "ghr_", min: 36, max: 255, takes: isAlnum}, {prefix: "github_pat_", min: 22, max: 255, takes: isURLBase64},
		{prefix: "glpat-", min: 20, max: 255, takes: isURLBase64}, {prefix: "npm_", min: 36, max: 36, takes: isAlnum},
		{prefix: "xoxb-", min: 10, max: 255, takes: isURLBase64}, {prefix: "xoxp-", min: 10, max: 255, takes: isURLBase64},
		{prefix: "xoxa-", min: 10, max: 255, takes: isURLBase64}, {prefix: "xoxr-", min: 10, max: 255, takes: isURLBase64},
		{prefix: "AKIA", min: 16, max: 16, takes: upper}, {prefix: "ASIA", min: 16, max: 16, takes: upper},
		{prefix: "AIza", min: 35, max: 35, takes: isURLBase64}, {prefix: "sk_live_", min: 16, max: 255, takes: isAlnum},
		{prefix: "rk_live_", min: 16, max: 255, takes: isAlnum}, {prefix: "sk_test_", min: 16, max: 255, takes: isAlnum},
		{prefix: "sk-ant-", min: 20, max: 255, takes: isURLBase64}, {prefix: "sk-proj-", min: 20, max: 255, takes: isURLBase64},
		{prefix: "hf_", min: 34, max: 255, takes: isAlnum}, {prefix: "dop_v1_", min: 64, max: 64, takes: isAlnum},
		{prefix: "smk_", min: 20, max: 255, takes: isURLBase64},
		{prefix: "Bearer ", min: 16, max: maxTokenBytes, takes: base64ish, keep: true, ok: hasDigit},
		{prefix: "bearer ", min: 16, max: maxTokenBytes, takes: base64ish, keep: true, ok: hasDigit},
		{prefix: "Basic ", min: 4, max: maxTokenBytes, takes: base64ish, keep: true, ok: isUserPassword},
	}
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// isUserPassword reports whether s is the credential of HTTP Basic authentication (RFC 7617).
func isUserPassword(s string) bool {
	decoded, err := base64.StdEncoding.DecodeString(s)
	return err == nil && strings.Contains(string(decoded), ":")
}

// findToken looks for a token that begins at i.
func (s *scanner) findToken(text string, i int) (start, end int, ok bool) {
	forms := s.forms[text[i]]
	for k := range forms {
		f := &forms[k]
		if !strings.HasPrefix(text[i:], f.prefix) {
			continue
		}
		start = i + len(f.prefix)
		end = span(text, start, f.max+1, f.takes)
		if n := end - start; n < f.min || n > f.max || f.ok != nil && !f.ok(text[start:end]) {
			continue
		}
		if !f.keep {
			start = i
		}
		return start, end, true
	}
	return 0, 0, false
}

// secretNames are the names, in lower case and without - and _, whose values are secrets. A bare "secret" is not among them:
// in Kubernetes' logs it names an object.
func secretNames() []string {
	return []string{
		"password", "passwd", "pwd", "passphrase", "token", "apikey", "accesskey", "secretkey", "privatekey",
		"clientsecret", "accesstoken", "refreshtoken", "authtoken", "sessiontoken", "secretaccesskey",
	}
}

// maxSecretName is the length of the longest of secretNames with what - and _ may add.
const maxSecretName = 24

// isSecretName reports whether a name says that its value is a secret.
func (s *scanner) isSecretName(name string) bool {
	if len(name) < 3 || len(name) > maxSecretName {
		return false
	}
	var folded [maxSecretName]byte
	n := 0
	for i := range len(name) {
		if c := name[i]; c != '-' && c != '_' {
			if c >= 'A' && c <= 'Z' {
				c |= 0x20
			}
			folded[n] = c
			n++
		}
	}
	return s.secrets[string(folded[:n])]
}

// findSecret looks for name=value, name: value and "name":"value" around the separator at i.
func (s *scanner) findSecret(text string, i, done int) (start, end int, ok bool) {
	nameEnd := i
	if nameEnd > done && (text[nameEnd-1] == '"' || text[nameEnd-1] == '\'') {
		nameEnd--
		if nameEnd > done && text[nameEnd-1] == '\\' { // JSON in JSON
			nameEnd--
		}
	}
	if nameEnd-done < 2 || !s.tails[text[nameEnd-2]&0x1f][text[nameEnd-1]&0x1f] {
		return 0, 0, false
	}
	nameStart := nameEnd
	for nameStart > done && nameEnd-nameStart <= maxSecretName && isURLBase64(text[nameStart-1]) {
		nameStart--
	}
	if !s.isSecretName(text[nameStart:nameEnd]) {
		return 0, 0, false
	}
	start = i + 1
	if text[i] == ':' {
		start = span(text, start, 2, func(c byte) bool { return c == ' ' })
	}
	bare := text[i] == ':'
	if start < len(text) && text[start] == '\\' {
		start++
	}
	stop := func(c byte) bool {
		return c > ' ' && c != ',' && c != ';' && c != '&' && c != '"' && c != '\'' && c != '}' && c != ')'
	}
	if start < len(text) && (text[start] == '"' || text[start] == '\'') {
		quote := text[start]
		start++
		bare = false
		stop = func(c byte) bool { return c != quote }
	}
	end = span(text, start, maxTokenBytes, stop)
	for end > start && text[end-1] == '\\' {
		end--
	}
	value := text[start:end]
	if bare && (len(value) < minBareSecret || !hasDigit(value)) {
		return 0, 0, false // "unexpected token: end of file"
	}
	return start, end, value != "" && !isMasked(value)
}

// minBareSecret is the least length of a value that stands without quotes behind a colon, as prose does.
const minBareSecret = 6

// isMasked reports whether a value was masked by its sender already.
func isMasked(s string) bool {
	return strings.Trim(s, "*") == "" || strings.HasPrefix(s, "[redacted")
}
