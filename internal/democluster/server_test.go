package democluster_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	corev1 "k8s.io/api/core/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/seamarkhq/seamark/internal/democluster"
)

const token = "smk_test_token"

// logLine is a line as the server got it, by either protocol.
type logLine struct {
	at     time.Time
	text   string
	level  string
	labels map[string]string
	otlp   bool
	trace  string
}

type point struct {
	milli int64
	value float64
}

// event is what kubernetes-event-exporter adds to an Event.
type event struct {
	corev1.Event
	ClusterName string `json:"clusterName"`
}

// server is a front that decodes everything with the protocols' own types.
type server struct {
	*httptest.Server
	// answer may refuse a request before it is decoded; 0 takes it.
	answer func(r *http.Request, body []byte) (status int, header http.Header)

	mu       sync.Mutex // guards the rest
	lines    []logLine
	series   map[string][]point // by labels.Labels.String
	labels   map[string]labels.Labels
	events   []event
	audits   []auditv1.Event
	otel     []pmetric.Metrics
	paths    map[string]int
	faults   []error
	metadata map[string]prompb.MetricMetadata_MetricType
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{
		series: make(map[string][]point), labels: make(map[string]labels.Labels), paths: make(map[string]int),
		metadata: make(map[string]prompb.MetricMetadata_MetricType),
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil && s.answer != nil {
		if status, header := s.answer(r, body); status != 0 {
			for name := range header {
				w.Header().Set(name, header.Get(name))
			}
			w.WriteHeader(status)
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths[r.URL.Path]++
	if err == nil {
		err = s.take(r, body)
	}
	if err != nil {
		s.faults = append(s.faults, fmt.Errorf("%s: %w", r.URL.Path, err))
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *server) take(r *http.Request, body []byte) error {
	if got := r.Header.Get("Authorization"); got != "Bearer "+token {
		return fmt.Errorf("authorization is %q", got)
	}
	switch r.URL.Path {
	case "/loki/api/v1/push":
		return s.takeLoki(body)
	case "/api/v1/write":
		return s.takeSamples(r, body)
	case "/v1/logs":
		return s.takeRecords(r, body)
	case "/v1/metrics":
		return s.takePoints(r, body)
	case "/api/v1/push/events":
		return s.takeEvents(body)
	case "/api/v1/push/audit":
		return s.takeAudits(body)
	}
	return fmt.Errorf("no such path")
}

func (s *server) takeLoki(body []byte) error {
	raw, err := snappy.Decode(nil, body)
	if err != nil {
		return err
	}
	var req push.PushRequest
	if err := req.Unmarshal(raw); err != nil {
		return err
	}
	for _, stream := range req.Streams {
		set, err := parser.NewParser(parser.Options{}).ParseMetric(stream.Labels)
		if err != nil {
			return err
		}
		for _, e := range stream.Entries {
			s.lines = append(s.lines, logLine{at: e.Timestamp, text: e.Line, labels: set.Map()})
		}
	}
	return nil
}

func (s *server) takeSamples(r *http.Request, body []byte) error {
	if got := r.Header.Get("X-Prometheus-Remote-Write-Version"); got != "0.1.0" {
		return fmt.Errorf("remote write version is %q", got)
	}
	raw, err := snappy.Decode(nil, body)
	if err != nil {
		return err
	}
	var req prompb.WriteRequest
	if err := req.Unmarshal(raw); err != nil {
		return err
	}
	for _, m := range req.Metadata {
		s.metadata[m.MetricFamilyName] = m.Type
	}
	builder := labels.NewScratchBuilder(16)
	for _, ts := range req.Timeseries {
		set := ts.ToLabels(&builder, nil)
		if name, twice := set.HasDuplicateLabelNames(); twice {
			return fmt.Errorf("label %s stands twice in %s", name, set)
		}
		key := set.String()
		s.labels[key] = set
		for _, sample := range ts.Samples {
			s.series[key] = append(s.series[key], point{sample.Timestamp, sample.Value})
		}
	}
	return nil
}

func inflate(r *http.Request, body []byte) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return nil, fmt.Errorf("content encoding is %q", r.Header.Get("Content-Encoding"))
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// kubernetesLabels names a resource as an agent's labels do.
func kubernetesLabels(attrs pcommon.Map) map[string]string {
	out := make(map[string]string)
	for label, key := range map[string]string{
		"namespace": "k8s.namespace.name", "pod": "k8s.pod.name", "container": "k8s.container.name", "node": "k8s.node.name", "app": "service.name", "cluster": "k8s.cluster.name",
	} {
		if v, ok := attrs.Get(key); ok {
			out[label] = v.AsString()
		}
	}
	return out
}

func (s *server) takeRecords(r *http.Request, body []byte) error {
	raw, err := inflate(r, body)
	if err != nil {
		return err
	}
	req := plogotlp.NewExportRequest()
	if err := req.UnmarshalProto(raw); err != nil {
		return err
	}
	for _, rl := range req.Logs().ResourceLogs().All() {
		set := kubernetesLabels(rl.Resource().Attributes())
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				s.lines = append(s.lines, logLine{
					at: record.Timestamp().AsTime(), text: record.Body().AsString(), level: record.SeverityText(), labels: set, otlp: true, trace: record.TraceID().String(),
				})
			}
		}
	}
	return nil
}

func (s *server) takePoints(r *http.Request, body []byte) error {
	raw, err := inflate(r, body)
	if err != nil {
		return err
	}
	req := pmetricotlp.NewExportRequest()
	if err := req.UnmarshalProto(raw); err != nil {
		return err
	}
	s.otel = append(s.otel, req.Metrics())
	return nil
}

func (s *server) takeEvents(body []byte) error {
	var list []event
	if !strings.HasPrefix(string(body), "[") {
		list = make([]event, 1)
		if err := json.Unmarshal(body, &list[0]); err != nil {
			return err
		}
	} else if err := json.Unmarshal(body, &list); err != nil {
		return err
	}
	s.events = append(s.events, list...)
	return nil
}

func (s *server) takeAudits(body []byte) error {
	var list auditv1.EventList
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return err
	}
	if list.Kind != "EventList" || len(list.Items) > 400 {
		return fmt.Errorf("a %s of %d events", list.Kind, len(list.Items))
	}
	s.audits = append(s.audits, list.Items...)
	return nil
}

// read runs f while nothing is taken, after checking that everything so far could be decoded.
func (s *server) read(t *testing.T, f func()) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Empty(t, s.faults)
	f()
}

// family returns the series of that name whose labels include the given pairs, with their points in order of time.
func (s *server) family(name string, pairs ...string) map[string][]point {
	found := make(map[string][]point)
	for key, set := range s.labels {
		match := set.Get("__name__") == name
		for i := 0; i < len(pairs); i += 2 {
			match = match && set.Get(pairs[i]) == pairs[i+1]
		}
		if match {
			found[key] = sorted(s.series[key])
		}
	}
	return found
}

// options are those of a cluster that pushes to s.
func (s *server) options(now func() time.Time) democluster.Options {
	return democluster.Options{URL: s.URL, Token: token, Cluster: "demo", Seed: 7, Now: now, Logger: slog.New(slog.DiscardHandler)}
}
