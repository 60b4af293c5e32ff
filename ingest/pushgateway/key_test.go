package pushgateway_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest/pushgateway"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestParsePath(t *testing.T) {
	good := func(path string, want ...seamark.Label) {
		t.Helper()
		got, err := pushgateway.ParsePath(path)
		require.NoError(t, err, path)
		require.Equal(t, want, got.Labels, path)
	}
	job := func(v string) seamark.Label { return seamark.Label{Name: "job", Value: v} }
	good("/metrics/job/backup", job("backup"))
	good("/metrics/job/backup/", job("backup"))
	good("/metrics/job/backup/instance/a", seamark.Label{Name: "instance", Value: "a"}, job("backup"))
	good("/metrics/job/j/zone/z/a1_/b", seamark.Label{Name: "a1_", Value: "b"}, job("j"), seamark.Label{Name: "zone", Value: "z"})
	good("/metrics/job@base64/YS9i", job("a/b"))
	good("/metrics/job@base64/YS9iYw==", job("a/bc"))
	good("/metrics/job/j/path@base64/L3Zhci90bXA", job("j"), seamark.Label{Name: "path", Value: "/var/tmp"})
	good("/metrics/job/j/instance@base64/=", seamark.Label{Name: "instance"}, job("j"))
	good("/metrics/job/j/instance/", seamark.Label{Name: "instance"}, job("j"))
	good("/metrics/job/a%20b%2Fc/x/ä", job("a b/c"), seamark.Label{Name: "x", Value: "ä"})
	good("/metrics/job/a+b", job("a+b"))

	for path, want := range map[string]string{
		"/metric/job/j":                               "must begin with /metrics/job/<job>",
		"/metrics":                                    "must begin with",
		"/metrics/":                                   "1 parts are there",
		"/metrics/job":                                "1 parts are there",
		"/metrics/job/":                               "must be job, with a value",
		"/metrics/job@base64/=":                       "must be job, with a value",
		"/metrics/instance/i/job/j":                   "must be job, with a value",
		"/metrics/job/j/instance":                     "3 parts are there",
		"/metrics/job/j/1a/b":                         `the label "1a" must match`,
		"/metrics/job/j/__name__/b":                   `the label "__name__" must match`,
		"/metrics/job/j/a-b/c":                        "must match",
		"/metrics/job/j//c":                           "must match",
		"/metrics/job/j/job/k":                        `"job" stands twice`,
		"/metrics/job/j/a/1/a@base64/Mg":              `"a" stands twice`,
		"/metrics/job/%zz":                            "not percent-encoded",
		"/metrics/job/j/%zz/a":                        "name is not percent-encoded",
		"/metrics/job@base64/!":                       "not base64",
		"/metrics/job@base64/_w":                      "not UTF-8",
		"/metrics/job/%ff":                            "not UTF-8",
		"/metrics/job/j" + strings.Repeat("/a/b", 32): "has 33 labels and the limit is 32",
	} {
		_, err := pushgateway.ParsePath(path)
		requireError(t, err, seamark.Invalid, "seamark-pushpath-malformed")
		require.Contains(t, err.Error(), want, path)
	}
}

func TestParseTTL(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "never": pushgateway.Never, "0": pushgateway.Never, "10m": 10 * time.Minute, "1s": time.Second, "36h": 36 * time.Hour,
	} {
		got, err := pushgateway.ParseTTL(text)
		require.NoError(t, err)
		require.Equal(t, want, got, "%q", text)
	}
	for _, text := range []string{"10", "x", "-5m", "999ms", "1000000h", "1e3s"} {
		_, err := pushgateway.ParseTTL(text)
		requireError(t, err, seamark.Invalid, "seamark-pushttl-malformed")
	}
}
