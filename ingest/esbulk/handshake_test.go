package esbulk_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/esbulk"
)

func handshake(tb testing.TB) *esbulk.Handshake {
	tb.Helper()
	h, err := esbulk.NewHandshake(esbulk.HandshakeOptions{ClusterName: "eu \"1\""})
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func TestReply(t *testing.T) {
	h := handshake(t)
	for _, c := range []struct {
		who, method, path string
		status            int
		contains          string
	}{
		{"all", "GET", "/", 200, `"number":"8.19.0"`},
		{"Logstash before 7.14", "GET", "", 200, `"tagline":"You Know, for Search"`},
		{"Logstash", "GET", "/", 200, `"build_flavor":"default"`},
		{"Logstash", "HEAD", "/", 200, ""},
		{"Filebeat, Logstash", "GET", "/_license", 200, `"status":"active"`},
		{"Filebeat", "GET", "/_license", 200, `"type":"basic"`},
		{"Filebeat 7", "GET", "/_xpack", 200, `"ilm":{"available":true,"enabled":true}`},
		{"Vector", "GET", "/_cluster/health", 200, `"status":"green"`},
		{"Logstash", "GET", "/_nodes/http", 200, `"nodes":{}`},
		{"Filebeat", "GET", "/_nodes/ingest", 200, `"nodes":{}`},
		{"Logstash", "GET", "/_ilm/policy", 200, `{}`},
		{"Filebeat", "GET", "/_ilm/policy/filebeat", 200, `{"filebeat":{"version":1`},
		{"Filebeat", "PUT", "/_ilm/policy/filebeat", 200, `{"acknowledged":true}`},
		{"Logstash", "HEAD", "/_ilm/policy/logstash-policy", 200, ""},
		{"Logstash", "HEAD", "/_template/logstash", 200, ""},
		{"Logstash", "PUT", "/_template/logstash", 200, `{"acknowledged":true}`},
		{"Filebeat 8", "GET", "/_index_template/filebeat-8.19.0", 200, `"name":"filebeat-8.19.0"`},
		{"Filebeat 8", "HEAD", "/_index_template/filebeat-8.19.0", 200, ""},
		{"Filebeat 8", "PUT", "/_index_template/filebeat-8.19.0", 200, `{"acknowledged":true}`},
		{"Filebeat 7", "GET", "/_cat/templates/filebeat-7.17.0", 200, "filebeat-7.17.0 "},
		{"Filebeat", "PUT", "/_component_template/x", 200, `{"acknowledged":true}`},
		{"Filebeat", "GET", "/_component_template/x", 200, `"name":"x"`},
		{"Filebeat 8", "GET", "/_data_stream/filebeat-8.19.0", 200, `"name":"filebeat-8.19.0"`},
		{"Filebeat 8", "PUT", "/_data_stream/filebeat-8.19.0", 200, `{"acknowledged":true}`},
		{"Filebeat 8", "PUT", "/_data_stream/filebeat/_lifecycle", 200, `{"acknowledged":true}`},
		{"Filebeat", "GET", "/_ingest/pipeline/filebeat-nginx", 200, `"processors":[]`},
		{"Filebeat", "PUT", "/_ingest/pipeline/filebeat-nginx", 200, `{"acknowledged":true}`},
		{"Filebeat 7", "HEAD", "/_alias/filebeat-7.17.0", 404, ""},
		{"Filebeat 7", "GET", "/_alias/filebeat-7.17.0", 404, "missing"},
		{"Filebeat 7", "PUT", "/%3Cfilebeat-7.17.0-%7Bnow%2Fd%7D-000001%3E", 200, `"index":"<filebeat-7.17.0-{now/d}-000001>"`},
		{"Logstash", "HEAD", "/logstash", 200, ""},
		{"Logstash", "PUT", "/logstash-000001", 200, `"acknowledged":true`},
		{"Logstash", "GET", "/_logstash/pipeline", 200, `{}`},
		{"Logstash", "GET", "/_logstash/pipeline/main", 404, `{}`},
		{"quoting", "GET", "/_ilm/policy/a%22b", 200, `{"a\"b":`},
	} {
		status, body, ok := h.Reply(c.method, c.path)
		if !ok || status != c.status || !strings.Contains(string(body), c.contains) || c.method == "HEAD" && body != nil {
			t.Errorf("%s: %s %s: got %d, %t, %s; want %d with %s", c.who, c.method, c.path, status, ok, body, c.status, c.contains)
		}
		if c.method != "HEAD" && !strings.HasPrefix(c.path, "/_cat/") && !json.Valid(body) {
			t.Errorf("%s %s: %s is no JSON", c.method, c.path, body)
		}
	}
}

func TestReplyKnowsNothingElse(t *testing.T) {
	h := handshake(t)
	for _, c := range [][2]string{{"POST", "/"}, {"DELETE", "/_template/x"}, {"GET", "/_search"}, {"GET", "/index"}, {"DELETE", "/index"}, {"GET", "/index/_search"}, {"HEAD", "/_search"},
		{"HEAD", "/a/b"}, {"GET", "/_template/"}, {"GET", "/_template/a/b"}, {"PUT", "/_cat/templates/x"}, {"PUT", "/_license"}, {"PUT", "/_alias/x"}, {"POST", "/x/_bulk"}} {
		if status, body, ok := h.Reply(c[0], c[1]); ok {
			t.Errorf("%s %s: got %d %s, want nothing", c[0], c[1], status, body)
		}
	}
}

func TestHandshakeOptions(t *testing.T) {
	for _, version := range []string{"8", "8.1", "7.17.0", "8.x.0", "8.1.-1", "8.1.0.1"} {
		if _, err := esbulk.NewHandshake(esbulk.HandshakeOptions{Version: version}); err == nil {
			t.Errorf("version %q was taken", version)
		}
	}
	h, err := esbulk.NewHandshake(esbulk.HandshakeOptions{Version: "9.1.2"})
	if err != nil {
		t.Fatal(err)
	}
	if _, body, _ := h.Reply("GET", "/"); !strings.Contains(string(body), `"cluster_name":"seamark"`) || !strings.Contains(string(body), `"number":"9.1.2"`) {
		t.Fatalf("got %s", body)
	}
}

func FuzzReply(f *testing.F) {
	f.Add("GET", "/_ilm/policy/%")
	f.Add("HEAD", "//")
	f.Add("PUT", "/%zz")
	h := handshake(f)
	f.Fuzz(func(t *testing.T, method, path string) {
		status, body, ok := h.Reply(method, path)
		if !ok {
			return
		}
		if status != 200 && status != 404 || method == "HEAD" && body != nil || method != "HEAD" && !strings.HasPrefix(strings.Trim(path, "/"), "_cat/") && !json.Valid(body) {
			t.Fatalf("%s %q: got %d %s", method, path, status, body)
		}
	})
}
