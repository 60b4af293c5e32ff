// Package secrets_test proves with the built product that whatever secret is set or made over the API is found nowhere
// afterwards: in no answer, log line, metric, file, backup or export. openapi.yaml says what is a secret, so a new one without a case fails.
package secrets_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
	issuer "github.com/seamarkhq/seamark/internal/testkit/oidc"
)

func TestMain(m *testing.M) { harness.Main(m) }

// within is how long a state may take to come, on a machine under heavy load.
const within = time.Minute

// scene is a server with a secret in every place that takes or makes one.
type scene struct {
	t        *testing.T
	server   *harness.Server
	client   *http.Client
	marker   string
	texts    map[string][]string // secrets by the property they are of, and the marker
	people   map[string]string   // credentials of who asks, by name
	ids      map[string]string   // for paths, by the words around a parameter
	answers  map[string][]byte   // of requests that must not tell a secret back
	ingest   string              // token
	lineTime string              // of the stored line
	hostile  *hostile
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{
		t: t, marker: "mark" + strings.ToLower(rand.Text()[:12]), texts: map[string][]string{}, people: map[string]string{}, ids: map[string]string{},
		answers: map[string][]byte{}, client: &http.Client{Timeout: within, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	s.keep(marker, s.marker)
	s.hostile = newHostile(t)
	folder := filepath.Join(t.TempDir(), s.marker)
	s.server = harness.Serve(t, folder, "serve", "--log.level", "debug", "--writer.max-batch-age", "100ms", "--alerting.evaluation-interval", "1s",
		"--alerting.allowed-receivers", "127.0.0.1/32", "--forwarders.allowed-targets", "127.0.0.0/8", "--disk.ballast-bytes", "0",
		"--http.external-url", "http://127.0.0.1:9", "--oidc.allowed-networks", "127.0.0.0/8", "--oidc.config-file", s.provider())
	return s
}

// provider writes the configuration of a sign-in provider, whose client secret is a file beside it.
func (s *scene) provider() string {
	s.t.Helper()
	i, folder := issuer.New(s.t, time.Now), s.t.TempDir()
	secret, config := filepath.Join(folder, "secret"), filepath.Join(folder, "providers.yaml")
	text := fmt.Sprintf("providers:\n  - {id: corp, name: Corp, issuer: %q, client_id: %q, client_secret_file: %q}\n", i.URL, issuer.ClientID, secret)
	for path, content := range map[string]string{secret: s.secret("the provider's client secret"), config: text} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	return config
}

// keep notes a secret that was set or shown. Of tokens, what follows the public part is one.
func (s *scene) keep(of, text string) string {
	s.t.Helper()
	if text == "" {
		s.t.Fatalf("%s: there is no secret", of)
	}
	tail := text
	if strings.HasPrefix(text, "smk_") {
		tail = text[strings.LastIndexByte(text, '_')+1:]
	}
	s.texts[of] = append(s.texts[of], tail)
	return text
}

// secret makes one that stands nowhere else, with characters that change in JSON, HTML and URLs.
func (s *scene) secret(of string) string { return s.keep(of, "canary "+rand.Text()+` <"&+ä/`) }

// word is a secret that may stand in YAML and in a path.
func (s *scene) word(of string) string { return s.keep(of, "canary"+rand.Text()) }

func (s *scene) send(token, method, path string, body any) *http.Response {
	s.t.Helper()
	text, isText := body.(string)
	if !isText && body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		text = string(encoded)
	}
	r, err := http.NewRequest(method, s.server.URL+path, strings.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if isText {
		r.Header.Set("Content-Type", "application/yaml")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if method == http.MethodPost && body != nil { // answers that are kept for repeats hold secrets, too
		r.Header.Set("Idempotency-Key", rand.Text())
	}
	answer, err := s.client.Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer
}

func (s *scene) read(answer *http.Response) []byte {
	s.t.Helper()
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return body
}

// call sends what must succeed, and decodes the answer into out, unless nil.
func (s *scene) call(out any, token, method, path string, body any) {
	s.t.Helper()
	answer := s.send(token, method, path, body)
	text := s.read(answer)
	if answer.StatusCode/100 != 2 {
		s.t.Fatalf("%s %s: got %d %s", method, path, answer.StatusCode, text)
	}
	if out == nil {
		s.answers[method+" "+path] = text
		return
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(out); err != nil {
		s.t.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
}

// refused sends what must not succeed; its answer is looked into.
func (s *scene) refused(token, method, path string, body any) {
	s.t.Helper()
	answer := s.send(token, method, path, body)
	text := s.read(answer)
	if answer.StatusCode/100 == 2 {
		s.t.Errorf("%s %s: got %d %s; want it refused", method, path, answer.StatusCode, text)
	}
	s.answers[fmt.Sprintf("refusal %d of %s %s", len(s.answers), method, path)] = text
}

// ask reads a described path.
func (s *scene) ask(token, described string, query url.Values) (int, []byte) {
	s.t.Helper()
	path := s.path(described)
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	answer := s.send(token, http.MethodGet, path, nil)
	return answer.StatusCode, s.read(answer)
}

func (s *scene) seconds(fromNow int) string {
	return strconv.FormatInt(time.Now().Unix()+int64(fromNow), 10)
}

// eventually waits for a state.
func (s *scene) eventually(check func() error) {
	s.t.Helper()
	testkit.Eventually(s.t, within, check)
}
