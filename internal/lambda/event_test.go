package lambda

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seen is what a handler sees of a request.
type seen struct {
	Method, URI, Path, Query, Host, Remote, Body string
	Length                                       int64
	Header                                       http.Header
}

func see(t *testing.T, payload string) (seen, source) {
	t.Helper()
	r, from, err := parseEvent(t.Context(), []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return seen{r.Method, r.RequestURI, r.URL.Path, r.URL.RawQuery, r.Host, r.RemoteAddr, string(body), r.ContentLength, r.Header}, from
}

func TestParseEvent(t *testing.T) {
	for _, tc := range []struct {
		name    string
		payload string
		from    source
		want    seen
	}{
		{
			name: "HTTP API with a binary body",
			payload: `{"version":"2.0","routeKey":"$default","rawPath":"/api/v1/push","rawQueryString":"a=1&a=2&b=%20",
				"cookies":["one=1","two=2"],
				"headers":{"authorization":"Bearer t","content-encoding":"snappy","content-length":"4","host":"in.example.com",
					"x-forwarded-for":"203.0.113.9, 198.51.100.7","te":"trailers"},
				"requestContext":{"http":{"method":"POST","path":"/api/v1/push","sourceIp":"198.51.100.7"},"requestId":"r"},
				"body":"/wABgA==","isBase64Encoded":true}`,
			from: httpAPI,
			want: seen{
				Method: "POST", URI: "/api/v1/push?a=1&a=2&b=%20", Path: "/api/v1/push", Query: "a=1&a=2&b=%20", Host: "in.example.com",
				Remote: "198.51.100.7:0", Body: "\xff\x00\x01\x80", Length: 4,
				Header: http.Header{
					"Authorization": {"Bearer t"}, "Content-Encoding": {"snappy"}, "Cookie": {"one=1; two=2"},
					"X-Forwarded-For": {"203.0.113.9, 198.51.100.7"},
				},
			},
		},
		{
			name: "text body, IPv6 sender, escapes kept",
			payload: `{"version":"2.0","rawPath":"/metrics/job/a%2Fb","headers":{"content-type":"text/plain"},
				"requestContext":{"http":{"method":"PUT","sourceIp":"2001:db8::1"}},"body":"x 1\n"}`,
			from: httpAPI,
			want: seen{
				Method: "PUT", URI: "/metrics/job/a%2Fb", Path: "/metrics/job/a/b", Remote: "[2001:db8::1]:0", Body: "x 1\n", Length: 4,
				Header: http.Header{"Content-Type": {"text/plain"}},
			},
		},
		{
			name:    "escapes that the gateway has resolved",
			payload: `{"version":"2.0","rawPath":"/metrics/job/50% off","requestContext":{"http":{"method":"PUT","sourceIp":"?"}}}`,
			from:    httpAPI,
			want:    seen{Method: "PUT", URI: "/metrics/job/50%25%20off", Path: "/metrics/job/50% off", Header: http.Header{}},
		},
		{
			name: "load balancer",
			payload: `{"httpMethod":"GET","path":"/ready","queryStringParameters":{"b":"%2B","a":"1"},
				"headers":{"host":"in.example.com","x-forwarded-for":"203.0.113.9, 198.51.100.7"},
				"requestContext":{"elb":{"targetGroupArn":"arn"}},"body":"","isBase64Encoded":false}`,
			from: loadBalancer,
			want: seen{
				Method: "GET", URI: "/ready?a=1&b=%2B", Path: "/ready", Query: "a=1&b=%2B", Host: "in.example.com", Remote: "198.51.100.7:0",
				Header: http.Header{"X-Forwarded-For": {"203.0.113.9, 198.51.100.7"}},
			},
		},
		{
			name: "load balancer with several values",
			payload: `{"httpMethod":"POST","path":"/v1/logs","multiValueQueryStringParameters":{"a":["1","2"]},
				"multiValueHeaders":{"host":["in.example.com"],"accept":["a","b"],"x-forwarded-for":["198.51.100.7"]},
				"requestContext":{"elb":{"targetGroupArn":"arn"}},"body":"aGk=","isBase64Encoded":true}`,
			from: loadBalancerMulti,
			want: seen{
				Method: "POST", URI: "/v1/logs?a=1&a=2", Path: "/v1/logs", Query: "a=1&a=2", Host: "in.example.com", Remote: "198.51.100.7:0",
				Body: "hi", Length: 2, Header: http.Header{"Accept": {"a", "b"}, "X-Forwarded-For": {"198.51.100.7"}},
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, from := see(t, tc.payload)
			if from != tc.from {
				t.Errorf("the event is of source %d, want %d", from, tc.from)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("the request differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseEventFaults(t *testing.T) {
	for name, tc := range map[string]struct{ payload, want string }{
		"no JSON":          {`hello`, "not JSON"},
		"payload 1.0":      {`{"version":"1.0","httpMethod":"GET","path":"/"}`, "payload format version to 2.0"},
		"another service":  {`{"Records":[]}`, "neither of an HTTP API"},
		"body no base64":   {`{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"POST"}},"body":"*","isBase64Encoded":true}`, "not base64"},
		"relative path":    {`{"version":"2.0","rawPath":"x","requestContext":{"http":{"method":"POST"}}}`, "begin with a slash"},
		"method no token":  {`{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"PO ST"}}}`, "method"},
		"query with space": {`{"version":"2.0","rawPath":"/","rawQueryString":"a b","requestContext":{"http":{"method":"GET"}}}`, "query string"},
	} {
		_, _, err := parseEvent(t.Context(), []byte(tc.payload))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, tc.want)
		}
	}
}

// FuzzParseEvent wants that whatever comes is refused, or is a request that could have come over a connection.
func FuzzParseEvent(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no events in testdata: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, from, err := parseEvent(t.Context(), payload)
		if err != nil {
			return
		}
		if from < httpAPI || from > loadBalancerMulti {
			t.Fatalf("source %d", from)
		}
		again, err := url.ParseRequestURI(r.RequestURI)
		if err != nil {
			t.Fatalf("the request line has %q: %v", r.RequestURI, err)
		}
		if again.Path != r.URL.Path || again.RawQuery != r.URL.RawQuery {
			t.Fatalf("%q is read as path %q and query %q, and the request has %q and %q", r.RequestURI, again.Path, again.RawQuery, r.URL.Path, r.URL.RawQuery)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || int64(len(body)) != r.ContentLength {
			t.Fatalf("%d bytes of %d: %v", len(body), r.ContentLength, err)
		}
		for _, name := range hopHeaders {
			if r.Header.Get(name) != "" {
				t.Fatalf("header %s went through", name)
			}
		}
	})
}

// TestBodyRoundTrip sends every byte both ways.
func TestBodyRoundTrip(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	got, _ := see(t, fmt.Sprintf(`{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"POST"}},"body":%q,"isBase64Encoded":true}`,
		base64.StdEncoding.EncodeToString(all)))
	if got.Body != string(all) {
		t.Errorf("the handler got %q", got.Body)
	}
	w := newRecorder()
	if _, err := w.Write(all); err != nil {
		t.Fatal(err)
	}
	text, err := w.encode(http.MethodPost, httpAPI)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	body, err := base64.StdEncoding.DecodeString(a.Body)
	if err != nil || !a.IsBase64Encoded || !bytes.Equal(body, all) {
		t.Errorf("the gateway gets %q, base64 %v: %v", body, a.IsBase64Encoded, err)
	}
}
