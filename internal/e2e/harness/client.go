package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Account is a tenant with one cluster and a token of each kind that the tests need.
type Account struct {
	Slug          string
	Number        int // the tenant's database is t followed by it, four digits wide
	Shard         int // of ClickHouse, from 1
	Ingest, Query string
	IngestKey     string // key id of the ingest token
}

// Database returns the name of the tenant's database.
func (a *Account) Database() string { return fmt.Sprintf("t%04d", a.Number) }

// NewAccount makes a tenant called slug with a cluster of the same name. admin runs `seamark admin --json`; flags are those of the
// tenant's creation.
func NewAccount(admin func(out any, args ...string), slug string, flags ...string) *Account {
	a := &Account{Slug: slug}
	admin(a, append([]string{"tenant", "create", slug}, flags...)...)
	admin(nil, "cluster", "create", slug, slug)
	var token struct {
		Token string `json:"token"`
		KeyID string `json:"key_id"`
	}
	admin(&token, "token", "create", slug, "--cluster", slug)
	a.Ingest, a.IngestKey = token.Token, token.KeyID
	admin(&token, "token", "create", slug, "--kind", "query")
	a.Query = token.Token
	return a
}

// Admin runs `seamark admin --json` on the server's data folder.
func (s *Server) Admin(t testing.TB) func(out any, args ...string) {
	return func(out any, args ...string) {
		t.Helper()
		Admin(t, s.DataDir, out, args...)
	}
}

// Request is one request of a test.
type Request struct {
	Method   string // POST when empty
	URL      string
	Token    string
	Type     string // Content-Type
	Encoding string // Content-Encoding
	Body     []byte
}

// Answer is what a request got.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request and reads its answer whole.
func Do(ctx context.Context, client *http.Client, r *Request) (*Answer, error) {
	method := r.Method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{"Content-Type": r.Type, "Content-Encoding": r.Encoding} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if r.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.Token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// Series is one series of a query's answer.
type Series struct {
	Labels map[string]string `json:"metric"`
	Point  Point             `json:"value"`  // of an instant vector
	Points []Point           `json:"values"` // of a matrix
}

// Point is one time and value, which stand as [seconds, "value"].
type Point struct{ Seconds, Value float64 }

// UnmarshalJSON implements json.Unmarshaler.
func (p *Point) UnmarshalJSON(text []byte) error {
	var value string
	if err := json.Unmarshal(text, &[]any{&p.Seconds, &value}); err != nil {
		return err
	}
	var err error
	p.Value, err = strconv.ParseFloat(value, 64)
	return err
}

// PromQL answers an instant query in PromQL.
func PromQL(ctx context.Context, baseURL, token, query string) ([]Series, error) {
	return instant(ctx, baseURL+"/prometheus/api/v1/query", token, query)
}

// LogQL answers an instant metric query in LogQL.
func LogQL(ctx context.Context, baseURL, token, query string) ([]Series, error) {
	return instant(ctx, baseURL+"/loki/api/v1/query", token, query)
}

func instant(ctx context.Context, address, token, query string) ([]Series, error) {
	var answer struct{ Data struct{ Result []Series } }
	at := strconv.FormatFloat(float64(time.Now().UnixMilli())/1000, 'f', 3, 64)
	if err := Get(ctx, address+"?"+url.Values{"query": {query}, "time": {at}}.Encode(), token, &answer); err != nil {
		return nil, err
	}
	return answer.Data.Result, nil
}

// Get decodes the JSON that an address answers with into out.
func Get(ctx context.Context, address, token string, out any) error {
	a, err := Do(ctx, http.DefaultClient, &Request{Method: http.MethodGet, URL: address, Token: token})
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", address, a.Status, a.Body)
	}
	return json.Unmarshal(a.Body, out)
}

// Metric returns the sum of a metric's samples in a process's own metrics; labels is a part of the label text, such as
// `signal="logs"`.
func (s *Server) Metric(ctx context.Context, name, labels string) (float64, error) {
	a, err := Do(ctx, http.DefaultClient, &Request{Method: http.MethodGet, URL: s.AdminURL + "/metrics"})
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for line := range strings.Lines(string(a.Body)) {
		series, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		bare, _, _ := strings.Cut(series, "{")
		if !ok || bare != name || !strings.Contains(series, labels) {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		sum += v
	}
	return sum, nil
}
