package pushgateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/pushgateway"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// memory is a store in a map, for fuzzing and benchmarks, where the bus would be most of the time.
type memory struct {
	groups map[string]*pushgateway.Group
}

func (m *memory) Update(_ context.Context, _ seamark.TenantID, id string, change func(*pushgateway.Group) (*pushgateway.Group, error)) error {
	var old *pushgateway.Group
	if g := m.groups[id]; g != nil {
		private := *g
		old = &private
	}
	next, err := change(old)
	if err != nil {
		return err
	}
	if m.groups[id] = next; next == nil {
		delete(m.groups, id)
	}
	return nil
}

func (m *memory) List(context.Context, seamark.TenantID) (list []*pushgateway.Group, err error) {
	for _, g := range m.groups {
		list = append(list, g)
	}
	return list, nil
}

func (*memory) Tenants(context.Context) ([]seamark.TenantID, error) {
	return []seamark.TenantID{tenantA}, nil
}

// quick returns a service on a store in memory whose rows go to sink.
func quick(tb testing.TB, sink func(*seamark.Batch)) (*pushgateway.Service, *memory) {
	tb.Helper()
	m, catalog := &memory{groups: map[string]*pushgateway.Group{}}, catalogtest.New()
	s, err := pushgateway.New(pushgateway.Options{
		Groups: m, Limits: pushgateway.DefaultLimits(), Now: func() time.Time { return time.Unix(1_795_000_000, 0) },
		Catalog: func(seamark.Principal) seamark.Catalog { return catalog },
		Push: func(_ context.Context, _ seamark.Principal, _ seamark.Signal, _ string, b *seamark.Batch) error {
			sink(b)
			return nil
		},
	})
	require.NoError(tb, err)
	return s, m
}

// encoded returns the registry of the client's test in a form.
func encoded(tb testing.TB, format expfmt.Format) []byte {
	tb.Helper()
	families, err := registry(tb).Gather()
	require.NoError(tb, err)
	var buf bytes.Buffer
	enc := expfmt.NewEncoder(&buf, format)
	for _, f := range families {
		require.NoError(tb, enc.Encode(f))
	}
	if closer, ok := enc.(expfmt.Closer); ok {
		require.NoError(tb, closer.Close())
	}
	return buf.Bytes()
}

// fuzzPush pushes a body twice and checks what must hold for every body; it tells the error of the first.
func fuzzPush(t *testing.T, contentType string, body []byte) error {
	t.Helper()
	var rows []int
	s, m := quick(t, func(b *seamark.Batch) {
		for _, series := range b.Samples.Series {
			if series.Label("job") != "j" {
				t.Fatalf("series %+v is not of the group", series.Labels)
			}
		}
		for _, ref := range b.Histograms.SeriesRef {
			_ = b.Samples.Series[ref]
		}
		rows = append(rows, b.Rows())
	})
	k := key(t, "/metrics/job/j")
	put := func() error {
		return s.Put(t.Context(), principal(), &pushgateway.Push{Key: k, ContentType: contentType, Body: bytes.Clone(body)})
	}
	first, second := put(), put()
	if (first == nil) != (second == nil) {
		t.Fatalf("first %v, second %v", first, second)
	}
	if first != nil {
		if kind := seamark.KindOf(first); kind != seamark.Invalid && kind != seamark.TooLarge && kind != seamark.Unsupported {
			t.Fatalf("error %v of kind %s", first, kind)
		}
		return first
	}
	if len(rows) != 2 || rows[0] != rows[1] || rows[0] > 4*len(body)+2 {
		t.Fatalf("%v rows of %d bytes", rows, len(body))
	}
	list, err := s.List(t.Context(), tenantA)
	if err != nil || len(list) != 1 || len(list[0].Ended) != 0 {
		t.Fatalf("%d groups, %v", len(list), err)
	}
	if _, err := pushgateway.AppendGroups(nil, list); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), principal(), k); err != nil || rows[2] != rows[0] || len(m.groups) != 1 {
		t.Fatalf("%v: %v rows", err, rows)
	}
	return nil
}

func FuzzText(f *testing.F) {
	f.Add(encoded(f, expfmt.NewFormat(expfmt.TypeTextPlain)))
	f.Add([]byte("a{b=\"c\\\"\"} 1e3\n# TYPE x summary\nx{quantile=\"1\"} NaN\nx_sum +Inf\n{\"a.b\",c=\"d\"} 4\n"))
	f.Add([]byte("a 1 2\n# HELP a\n"))
	f.Fuzz(func(t *testing.T, body []byte) { _ = fuzzPush(t, "text/plain", body) })
}

func FuzzOpenMetrics(f *testing.F) {
	f.Add(encoded(f, expfmt.NewFormat(expfmt.TypeOpenMetrics)))
	f.Add([]byte("# TYPE g gaugehistogram\ng_bucket{le=\"+Inf\"} 1 # {trace_id=\"a\"} 1 2\ng_gsum 1\ng_gcount 1\n# EOF\n"))
	f.Fuzz(func(t *testing.T, body []byte) { _ = fuzzPush(t, "application/openmetrics-text; version=1.0.0", body) })
}

// FuzzProtobuf also compares with the standard decoder: what it cannot read is not taken.
func FuzzProtobuf(f *testing.F) {
	f.Add(encoded(f, expfmt.NewFormat(expfmt.TypeProtoDelim)))
	f.Add(make([]byte, 100))
	f.Add([]byte("\x05\x0a\x01a\x22\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		err := fuzzPush(t, string(expfmt.NewFormat(expfmt.TypeProtoDelim)), body)
		decoder := expfmt.NewDecoder(bytes.NewReader(body), expfmt.NewFormat(expfmt.TypeProtoDelim))
		for err == nil {
			var family dto.MetricFamily
			switch err := decoder.Decode(&family); {
			case errors.Is(err, io.EOF):
				return
			case err != nil && strings.Contains(err.Error(), "invalid"):
				return // names in UTF-8 are taken
			case err != nil:
				t.Fatalf("taken, and the standard decoder says %v", err)
			}
		}
	})
}

func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{"/metrics/job/j", "/metrics/job@base64/YS9i/instance@base64/=", "/metrics/job/a%20b/x/", "/metrics/job/j/job/k"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		k, err := pushgateway.ParsePath(path)
		if err != nil {
			requireError(t, err, seamark.Invalid, "seamark-pushpath-malformed")
			return
		}
		// Writing the key as a path in both ways leads back to it.
		for _, write := range []func(l seamark.Label) string{
			func(l seamark.Label) string {
				return "/" + l.Name + "@base64/" + base64.RawURLEncoding.EncodeToString([]byte(l.Value)) + "="
			},
			func(l seamark.Label) string { return "/" + l.Name + "/" + url.PathEscape(l.Value) },
		} {
			again, rest := "/metrics", ""
			for _, l := range k.Labels {
				if l.Name == "job" {
					again += write(l)
				} else {
					rest += write(l)
				}
			}
			got, err := pushgateway.ParsePath(again + rest)
			require.NoError(t, err)
			require.Equal(t, k, got)
		}
	})
}

func FuzzParseTTL(f *testing.F) {
	f.Add("10m")
	f.Add("never")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := pushgateway.ParseTTL(text)
		if err == nil && d != 0 && d != pushgateway.Never && d < time.Second {
			t.Fatalf("got %s", d)
		}
	})
}

// BenchmarkPut replaces a group of 1,000 series again and again, without the store.
func BenchmarkPut(b *testing.B) {
	const rows = 1000
	var body []byte
	for i := range rows {
		body = fmt.Appendf(body, "processed_rows{table=\"t%d\",shard=\"%d\",state=\"done\"} %d\n", i, i%16, i)
	}
	s, _ := quick(b, func(*seamark.Batch) {})
	k, err := pushgateway.ParsePath("/metrics/job/j/instance/i")
	require.NoError(b, err)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := s.Put(b.Context(), principal(), &pushgateway.Push{Key: k, Body: body}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}

// TestHostileProtobuf sends what would make a careless decoder fall over.
func TestHostileProtobuf(t *testing.T) {
	refuse := func(body []byte) {
		t.Helper()
		require.Error(t, fuzzPush(t, "application/vnd.google.protobuf", body))
	}
	refuse(make([]byte, 32<<20))                                            // millions of empty families
	refuse(bytes.Repeat([]byte("\x03\x0a\x01a"), 8<<20))                    // and of such without metrics
	refuse([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))              // a length of 16 EiB
	refuse([]byte("\xff\xff\xff\xff\x0f"))                                  // of 4 GiB
	require.NoError(t, fuzzPush(t, "application/vnd.google.protobuf", nil)) // nothing at all is an empty push
	require.NoError(t, fuzzPush(t, "text/plain", []byte(fmt.Sprintf("a %v\n", math.NaN()))))
}
