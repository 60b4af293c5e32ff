package otlpgrpc

import (
	"net/http"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxTokenBytes bounds a token before anything parses it.
const maxTokenBytes = 4096

// tokenOf returns the token in a call's metadata: Bearer, or Basic with the token as password.
func tokenOf(r *http.Request) (string, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", seamark.Errorf(seamark.Unauthenticated, "seamark-token-missing",
			"No credential: send the metadata `authorization: Bearer <token>`, or Basic with the token as password.")
	}
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	switch strings.ToLower(scheme) {
	case "bearer":
	case "basic":
		_, token, _ = r.BasicAuth()
	default:
		token = ""
	}
	if token == "" || len(token) > maxTokenBytes {
		return "", seamark.Errorf(seamark.Unauthenticated, "seamark-token-malformed",
			"The metadata authorization is neither `Bearer <token>` nor `Basic <user:token in base64>` with a token of at most %d bytes.", maxTokenBytes)
	}
	return token, nil
}
