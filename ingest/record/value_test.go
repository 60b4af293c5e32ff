package record_test

import (
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-07-25T17:20:00Z":                "2026-07-25T17:20:00Z",
		"2026-07-25t17:20:00z":                "2026-07-25T17:20:00Z",
		"2026-07-25 17:20:00":                 "2026-07-25T17:20:00Z",
		"2026-07-25 17:20:00,123":             "2026-07-25T17:20:00.123Z",
		"2026-07-25 17:20:00 UTC":             "2026-07-25T17:20:00Z",
		"2026-07-25T17:20:00.123456789+02:00": "2026-07-25T15:20:00.123456789Z",
		"2026-07-25T17:20:00.1234567899-0730": "2026-07-26T00:50:00.123456789Z",
		"2026-07-25T17:20:00+05":              "2026-07-25T12:20:00Z",
		"2000-02-29T23:59:59Z":                "2000-02-29T23:59:59Z",
		"1969-12-31T23:59:59.5Z":              "1969-12-31T23:59:59.5Z",
		"2016-12-31T23:59:60Z":                "2017-01-01T00:00:00Z",
		"1785000000":                          "2026-07-25T17:20:00Z",
		"1785000000.123456789":                "2026-07-25T17:20:00.123456789Z",
		"1785000000123":                       "2026-07-25T17:20:00.123Z",
		"1785000000123.5":                     "2026-07-25T17:20:00.1235Z",
		"1785000000123456":                    "2026-07-25T17:20:00.123456Z",
		"1785000000123456789":                 "2026-07-25T17:20:00.123456789Z",
		"1.785e9":                             "2026-07-25T17:20:00Z",
		"1.785E+12":                           "2026-07-25T17:20:00Z",
		"100000000":                           "1973-03-03T09:46:40Z",
	} {
		at, err := time.Parse(time.RFC3339Nano, want)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := record.ParseTime(text); !ok || got != at.UnixNano() {
			t.Errorf("%s: got %s, %t; want %s", text, time.Unix(0, got).UTC().Format(time.RFC3339Nano), ok, want)
		}
	}
}

func TestParseTimeFails(t *testing.T) {
	for _, text := range []string{"", "now", "12.5", "99999999", "-1785000000", "2026-07-25", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
		"2026-07-25T24:00:00Z", "2026-07-25T17:60:00Z", "2026-07-25T17:20:61Z", "2026-07-25T17:20:00+25:00", "2026-07-25T17:20:00+2", "2026-07-25T17:20:00 CEST",
		"2026-07-25T17:20:0x", "20x6-07-25T17:20:00Z", "1500-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "99999999999999999999", "9300000000000000000", "1e300", "0x10", "1785000000s",
		"1_785_000_000.0e0", "178500000000000000.0e9", "2026-07-25T17:20:00.Z"} {
		if got, ok := record.ParseTime(text); ok {
			t.Errorf("%q: got %s, want none", text, time.Unix(0, got).UTC())
		}
	}
}

func TestLevels(t *testing.T) {
	for _, c := range []struct {
		path, value string
		want        seamark.Level
	}{
		{"level", "WARN", seamark.LevelWarn}, {"severity", "Critical", seamark.LevelCritical}, {"log.level", "debug", seamark.LevelDebug},
		{"severity_text", "TRACE", seamark.LevelTrace}, {"SeverityText", "err", seamark.LevelError}, {"loglevel", "notice", seamark.LevelInfo},
		{"lvl", "eror", seamark.LevelError}, {"levelname", "WARNING", seamark.LevelWarn},
		{"PRIORITY", "0", seamark.LevelCritical}, {"PRIORITY", "4", seamark.LevelWarn}, {"PRIORITY", "7", seamark.LevelDebug}, {"PRIORITY", "8", seamark.LevelUnknown},
		{"level", "10", seamark.LevelTrace}, {"level", "60", seamark.LevelCritical}, {"level", "70", seamark.LevelUnknown}, {"level", "35", seamark.LevelUnknown},
		{"severityNumber", "17", seamark.LevelError}, {"severity_number", "SEVERITY_NUMBER_WARN", seamark.LevelWarn}, {"severity_number", "0", seamark.LevelUnknown},
		{"status", "error", seamark.LevelError}, {"status", "500", seamark.LevelUnknown}, {"level", "", seamark.LevelUnknown},
	} {
		b := newBuilder()
		b.Add(c.path, c.value)
		b.Add("msg", "-")
		got := flush(t, b)
		if got.Level != c.want {
			t.Errorf("%s=%s: got %s, want %s", c.path, c.value, got.Level, c.want)
		}
		if c.value != "" && len(got.Attrs) != 1 {
			t.Errorf("%s=%s: the word is not kept: %v", c.path, c.value, got.Attrs)
		}
	}
}

func TestWorkload(t *testing.T) {
	for _, c := range []struct{ record, want string }{
		{`{"pod":"api-7f9c6d-x2x4z"}`, ""},
		{`{"pod":"api-7f9c6d-x2x4z","k8s.deployment.name":"d","k8s.job.name":"j"}`, "d"},
		{`{"k8s.cronjob.name":"c","k8s.job.name":"c-29000000"}`, "c"},
		{`{"k8s.replicaset.name":"api-7f9c6d"}`, "api"},
		{`{"k8s.replicaset.name":"handmade"}`, "handmade"},
		{`{"k8s.replicaset.name":"api-v2"}`, "api-v2"},
		{`{"kubernetes":{"pod_owner":"ReplicaSet/api-7f9c6d"}}`, "api"},
		{`{"kubernetes":{"pod_owner":"ReplicaSet/","pod_name":"api-7f9c6d-x2x4z"}}`, "api"},
		{`{"kubernetes":{"pod_owner":"Job/backup-29000000"}}`, "backup"},
		{`{"kubernetes":{"pod_owner":"Job/migrate-2"}}`, "migrate-2"},
		{`{"kubernetes":{"pod_owner":"Job/","pod_name":"backup-29000000-bcdfg"}}`, "backup"},
		{`{"kubernetes":{"pod_owner":"DaemonSet/fluent"}}`, "fluent"},
		{`{"kubernetes":{"pod_owner":"StatefulSet/","pod_name":"db-0"}}`, "db"},
		{`{"kubernetes":{"pod_owner":"DaemonSet/","pod_name":"fluent-bcdfg"}}`, "fluent"},
		{`{"kubernetes":{"pod_owner":"Node/n1"}}`, ""},
		{`{"kubernetes":{"pod_owner":"Rollout/api"}}`, "api"},
		{`{"kubernetes":{"ownerReferences":[{"kind":"A","name":"a"},{"kind":"ReplicaSet","name":"api-7f9c6d","controller":true}]}}`, "api"},
		{`{"kubernetes":{"ownerReferences":[1]}}`, ""},
		{`{"kubernetes":{"pod_name":"api-7f9c6d-x2x4z","labels":{"pod-template-hash":"7f9c6d"}}}`, "api"},
		{`{"kubernetes":{"pod_name":"very-long-x2x4z","labels":{"pod-template-hash":"7f9c6d"}}}`, ""},
		{`{"kubernetes":{"pod_name":"db-12","labels":{"statefulset.kubernetes.io/pod-name":"db-12"}}}`, "db"},
		{`{"kubernetes":{"pod_name":"fluent-bcdfg","pod_labels":{"pod-template-generation":"1"}}}`, "fluent"},
		{`{"kubernetes":{"pod_name":"x","labels":{"job-name":"backup-29000000"}}}`, "backup"},
		{`{"kubernetes":{"labels":{"batch_kubernetes_io/job-name":"once"}}}`, "once"},
	} {
		b, cat, batch := newBuilder(), catalogtest.New(), &seamark.Batch{}
		if err := b.AddJSON("", []byte(c.record)); err != nil {
			t.Fatal(err)
		}
		if err := b.Flush(cat, batch); err != nil {
			t.Fatal(err)
		}
		if got := rowsOf(t, batch)[0].Labels["workload"]; got != c.want {
			t.Errorf("%s: got workload %q, want %q", c.record, got, c.want)
		}
	}
}
