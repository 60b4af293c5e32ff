package lambda

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEncodeAnswer(t *testing.T) {
	write := func(status int, body string, header ...string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Add(header[i], header[i+1])
			}
			if status != 0 {
				w.WriteHeader(status)
			}
			w.Header().Set("X-Late", "is not sent")
			_, _ = w.Write([]byte(body))
		}
	}
	for _, tc := range []struct {
		name   string
		method string
		from   source
		serve  func(http.ResponseWriter)
		want   answer
	}{
		{
			"JSON of a refusal", http.MethodPost, httpAPI, write(429, `{"error":"ä"}`, "Content-Type", "application/json", "Retry-After", "7", "Vary", "a", "Vary", "b", "Set-Cookie", "x=1", "Set-Cookie", "y=2", "Content-Length", "99"),
			answer{StatusCode: 429, Headers: map[string]string{"Content-Type": "application/json", "Retry-After": "7", "Vary": "a, b"}, Cookies: []string{"x=1", "y=2"}, Body: `{"error":"ä"}`},
		},
		{"no content", http.MethodPost, httpAPI, func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }, answer{StatusCode: 204}},
		{"nothing written", http.MethodGet, httpAPI, func(http.ResponseWriter) {}, answer{StatusCode: 200}},
		{"100 and then 201", http.MethodPost, httpAPI, func(w http.ResponseWriter) { w.WriteHeader(100); w.WriteHeader(201); w.WriteHeader(500) }, answer{StatusCode: 201}},
		{
			"flushed head", http.MethodGet, httpAPI, func(w http.ResponseWriter) { w.(http.Flusher).Flush(); w.WriteHeader(500) },
			answer{StatusCode: 200},
		},
		{"HEAD", http.MethodHead, httpAPI, write(200, "body", "Content-Type", "text/plain"), answer{StatusCode: 200, Headers: map[string]string{"Content-Type": "text/plain"}}},
		{
			"gzip that happens to be text", http.MethodGet, httpAPI, write(200, "abc", "Content-Type", "text/plain", "Content-Encoding", "gzip"),
			answer{StatusCode: 200, Headers: map[string]string{"Content-Type": "text/plain", "Content-Encoding": "gzip"}, Body: "YWJj", IsBase64Encoded: true},
		},
		{
			"type found out", http.MethodGet, httpAPI, write(0, "<html>"),
			answer{StatusCode: 200, Headers: map[string]string{"Content-Type": "text/html; charset=utf-8", "X-Late": "is not sent"}, Body: "<html>"},
		},
		{
			"load balancer", http.MethodPost, loadBalancer, write(503, "later", "Content-Type", "text/plain", "Vary", "a", "Vary", "b"),
			answer{StatusCode: 503, StatusDescription: "503 Service Unavailable", Headers: map[string]string{"Content-Type": "text/plain", "Vary": "a, b"}, Body: "later"},
		},
		{
			"load balancer with several values", http.MethodPost, loadBalancerMulti, write(200, "ok", "Content-Type", "text/plain", "Set-Cookie", "x=1", "Set-Cookie", "y=2"),
			answer{StatusCode: 200, StatusDescription: "200 OK", MultiValueHeaders: map[string][]string{"Content-Type": {"text/plain"}, "Set-Cookie": {"x=1", "y=2"}}, Body: "ok"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newRecorder()
			tc.serve(w)
			text, err := w.encode(tc.method, tc.from)
			if err != nil {
				t.Fatal(err)
			}
			var got answer
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("the answer differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswerTooLarge(t *testing.T) {
	w := newRecorder()
	if _, err := w.Write([]byte(strings.Repeat("x", maxAnswerBytes))); err != nil {
		t.Fatal(err)
	}
	if _, err := w.encode(http.MethodGet, httpAPI); err == nil || !strings.Contains(err.Error(), "Lambda takes 6291456") {
		t.Errorf("got error %v, want one that names the limit", err)
	}
}
