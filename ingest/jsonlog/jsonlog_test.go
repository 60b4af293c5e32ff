package jsonlog_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/jsonlog"
	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

var now = time.Unix(1_785_000_000, 0)

func expectError(tb testing.TB, err error, id, contains string) {
	tb.Helper()
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != seamark.Invalid || e.ID != id || !strings.Contains(e.Message, contains) {
		tb.Fatalf("got %v, want Invalid %s with %q", err, id, contains)
	}
}

func TestDecode(t *testing.T) {
	for name, c := range map[string]struct {
		body    string
		lines   []string
		refused []int
	}{
		"lines":                   {"{\"msg\":\"a\"}\n{\"msg\":\"b\"}\n", []string{"a", "b"}, nil},
		"no final newline":        {"{\"msg\":\"a\"}\n{\"msg\":\"b\"}", []string{"a", "b"}, nil},
		"blank lines and CRLF":    {"\ufeff\r\n{\"msg\":\"a\"}\r\n\n  {\"msg\":\"b\"}  \r\n\n", []string{"a", "b"}, nil},
		"bad lines":               {"x\n{\"msg\":\"a\"}\n{\"msg\":\n\n5\n{\"msg\":\"b\"} x\n{\"msg\":\"c\"}\n{\n", []string{"a", "c"}, []int{1, 3, 5, 6, 8}},
		"one object":              {`{"msg":"a"}`, []string{"a"}, nil},
		"one indented object":     {"{\n  \"msg\": \"a\",\n  \"n\": {\n    \"m\": 1\n  }\n}\n", []string{"a"}, nil},
		"indented objects":        {"{\n\"msg\": \"a\"\n}\n{\n\"msg\": \"b\"\n} {\"msg\":\"c\"}\nx", []string{"a", "b", "c"}, []int{7}},
		"no indention later":      {"{\"msg\":\"a\"}\n{\n\"msg\":\"b\"\n}\n{\"msg\":\"c\"}\n", []string{"a", "c"}, []int{2, 3, 4}},
		"a bad line, then good":   {"{\"msg\":\n{\"msg\":\"b\"}\n{\"msg\":\"c\"}\n", []string{"b", "c"}, []int{1}},
		"array":                   {" [ {\"msg\":\"a\"} ,\n{\"msg\":\"b\"}]\n", []string{"a", "b"}, nil},
		"array of other things":   {`[1,{"msg":"a"},"x",[],null,{"msg":"b"}]`, []string{"a", "b"}, []int{1, 3, 4, 5}},
		"empty array":             {"[ ]", nil, nil},
		"a record without a line": {`{"a":1}`, []string{`{"a":1}`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var b seamark.Batch
			var refused []int
			err := jsonlog.New().Decode([]byte(c.body), catalogtest.New(), &b, jsonlog.Options{Now: now, Refused: func(number int, e *seamark.Error) {
				refused = append(refused, number)
				expectError(t, e, "seamark-record-json", fmt.Sprintf(" %d", number))
			}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.lines, b.Logs.Body); diff != "" {
				t.Fatalf("lines -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(c.refused, refused); diff != "" || b.Rejected.Logs != len(refused) {
				t.Fatalf("%d rejected, refused -want +got:\n%s", b.Rejected.Logs, diff)
			}
		})
	}
}

func TestTheFirstRefusalIsNamed(t *testing.T) {
	var b seamark.Batch
	if err := jsonlog.New().Decode([]byte("{}\n{\"a\" 1}\nx\n"), catalogtest.New(), &b, jsonlog.Options{Now: now}); err != nil {
		t.Fatal(err)
	}
	want := []seamark.Rejection{{Reason: "seamark-record-json", Count: 2,
		Detail: "Line 2: The record is not valid JSON (RFC 8259): at byte 5 of 7 a colon is expected."}}
	if diff := cmp.Diff(want, b.Rejected.Reasons); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}

func TestDecodeFails(t *testing.T) {
	for body, c := range map[string][2]string{
		"":                      {"seamark-body-empty", "one JSON object per line"},
		" \n\t":                 {"seamark-body-empty", "one JSON object per line"},
		"[":                     {"seamark-body-json", "at byte 1 of 1"},
		`[{"msg":"a"}`:          {"seamark-body-json", "at byte 12 of 12: A comma or the end"},
		`[{"msg":"a"},`:         {"seamark-body-json", "at byte 13 of 13"},
		`[{"msg":"a"},]`:        {"seamark-body-json", "at byte 13 of 14"},
		`[{"msg":"a"} {}]`:      {"seamark-body-json", "at byte 13 of 16: A comma"},
		`[{"msg":"a"},{"b" 1}]`: {"seamark-body-json", "at byte 13 of 21"},
		`[{"msg":"a"}] x`:       {"seamark-body-json", "at byte 14 of 15: Nothing"},
		`[] x`:                  {"seamark-body-json", "at byte 3 of 4: Nothing"},
		`[x]`:                   {"seamark-body-json", "at byte 1 of 3"},
	} {
		err := jsonlog.New().Decode([]byte(body), catalogtest.New(), &seamark.Batch{}, jsonlog.Options{Now: now})
		expectError(t, err, c[0], c[1])
	}
}

type failing struct{ err error }

func (failing) Find(uint64) *seamark.Series { return nil }
func (f failing) Create(uint64, seamark.SeriesKind, []seamark.Label) (*seamark.Series, error) {
	return nil, f.err
}

func TestRefusedLabels(t *testing.T) {
	for _, body := range []string{"{\"msg\":\"a\"}\n{\"msg\":\"b\"}\n", `[{"msg":"a"},{"msg":"b"}]`} {
		var b seamark.Batch
		refusal := seamark.Errorf(seamark.Invalid, "seamark-label-value", "Too long.")
		if err := jsonlog.New().Decode([]byte(body), failing{refusal}, &b, jsonlog.Options{Now: now}); err != nil {
			t.Fatal(err)
		}
		if b.Rejected.Logs != 2 || b.Rejected.Reasons[0].Reason != refusal.ID || !strings.HasSuffix(b.Rejected.Reasons[0].Detail, " 1: Too long.") {
			t.Errorf("%s: got %+v", body, b.Rejected)
		}
		quota := seamark.Errorf(seamark.RateLimited, "seamark-quota-streams", "Too many.")
		if err := jsonlog.New().Decode([]byte(body), failing{quota}, &b, jsonlog.Options{Now: now}); !errors.Is(err, quota) {
			t.Errorf("%s: got %v, want the error that ends the request", body, err)
		}
	}
}

func TestMapping(t *testing.T) {
	settings := map[string]string{"message_field": "text", "time_field": "at.ms", "time_format": "unix_ms", "level_field": "how", "stream_fields": " env , team=owner.team,service_name=who,"}
	m, err := jsonlog.ParseMapping(func(name string) string { return settings[name] })
	if err != nil {
		t.Fatal(err)
	}
	var b seamark.Batch
	body := `{"text":"x","at":{"ms":1785000000001},"how":"W","env":"prod","owner":{"team":"core"},"who":"svc","message":"y"}`
	if err := jsonlog.New().Decode([]byte(body), catalogtest.New(), &b, jsonlog.Options{Now: now, Mapping: m}); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(b.Logs.Streams[0].Labels, b.Logs.TimeNano, b.Logs.Level, b.Logs.Body, b.Logs.Attrs)
	want := "[{env prod} {service_name svc} {team core}] [1785000000001000000] [warn] [x] [{how W} {message y}]"
	if got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

func TestMappingFails(t *testing.T) {
	for id, settings := range map[string]map[string]string{
		"seamark-mapping-time":   {"time_format": "%s"},
		"seamark-mapping-labels": {"stream_fields": "a,b,c,d,e,f,g,h,i"},
	} {
		_, err := jsonlog.ParseMapping(func(name string) string { return settings[name] })
		expectError(t, err, id, "")
	}
}

func TestHeaderOf(t *testing.T) {
	for setting, want := range map[string]string{jsonlog.MessageField: "X-Seamark-Message-Field", jsonlog.StreamFields: "X-Seamark-Stream-Fields"} {
		if got := jsonlog.HeaderOf(setting); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// ndjson is n records as Fluent Bit's http output sends them with format json_lines.
func ndjson(n int) []byte {
	var body []byte
	for i := range n {
		body = fmt.Appendf(body, `{"date":1785000000.%06d,"log":"INFO request served method=GET path=/v1/orders/%d status=200 bytes=%d duration_ms=%d","stream":"stdout","kubernetes":{"pod_name":"checkout-api-6d5f8b7c9-x2x4%c","namespace_name":"shop","labels":{"app":"checkout","pod-template-hash":"6d5f8b7c9"},"host":"ip-10-42-3-17","container_name":"api","container_image":"registry.example.com/shop/api:1.42.0"}}`,
			i, i*7919, i*13, i%300, 'b'+rune(i%10))
		body = append(body, '\n')
	}
	return body
}

func BenchmarkDecode(b *testing.B) {
	const rows = 1000
	body, d, cat, batch := ndjson(rows), jsonlog.New(), catalogtest.New(), &seamark.Batch{}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		if err := d.Decode(body, cat, batch, jsonlog.Options{Now: now}); err != nil || batch.Logs.Len() != rows {
			b.Fatal(err, batch.Logs.Len())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

func FuzzDecode(f *testing.F) {
	f.Add(ndjson(3))
	for _, body := range []string{"[{\"msg\":\"a\"},1]", "{\n\"a\":1\n}\n{\"b\":2}\nx\n", "{\"a\":\"\xff\\u0041\"}\r\n\n[1]\n", "[]", "\ufeff{}"} {
		f.Add([]byte(body))
	}
	mapping, err := jsonlog.ParseMapping(func(string) string { return "" })
	if err != nil {
		f.Fatal(err)
	}
	mapping.Labels = []record.LabelField{{Path: "a", Label: "a"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		var b seamark.Batch
		last, count := 0, 0
		err := jsonlog.New().Decode(body, catalogtest.New(), &b, jsonlog.Options{Now: now, Mapping: mapping, Refused: func(number int, _ *seamark.Error) {
			if number < last {
				t.Fatalf("record %d is told after record %d", number, last)
			}
			last = number
			count++
		}})
		if err != nil {
			if seamark.KindOf(err) != seamark.Invalid {
				t.Fatalf("got %v, want an error of the sender's", err)
			}
			return
		}
		if count != b.Rejected.Logs || last > strings.Count(string(body), "\n")+strings.Count(string(body), ",")+1 {
			t.Fatalf("%d told, %d rejected, the last is %d", count, b.Rejected.Logs, last)
		}
		if got := b.Logs.Len() + count; got > len(body) {
			t.Fatalf("%d records of %d bytes", got, len(body))
		}
		var list []json.RawMessage
		if json.Unmarshal(body, &list) == nil && list != nil && len(list) != b.Logs.Len()+count {
			t.Fatalf("got %d rows and %d refused of an array of %s", b.Logs.Len(), count, strconv.Itoa(len(list)))
		}
	})
}

func TestDecodersAreSharedSafely(t *testing.T) {
	d, cat := jsonlog.New(), catalogtest.New()
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			var b seamark.Batch
			mapping := &record.Mapping{Message: fmt.Sprintf("m%d", worker)}
			for round := range 50 {
				b.Reset()
				want := fmt.Sprintf("line\n%d of %d", round, worker)
				body := fmt.Sprintf("{\"m%d\":%q,\"pod\":\"p%d\"}\n", worker, want, worker)
				err := d.Decode([]byte(body), cat, &b, jsonlog.Options{Now: now, Mapping: mapping})
				if err != nil || b.Logs.Len() != 1 || b.Logs.Body[0] != want || b.Logs.Streams[0].Label("pod") != fmt.Sprintf("p%d", worker) {
					t.Errorf("got %v, %q; want %q", err, b.Logs.Body, want)
				}
			}
		})
	}
	group.Wait()
}

type noMemory struct{}

func (noMemory) Claim(int64) error {
	return seamark.Errorf(seamark.Unavailable, "seamark-memory-short", "No memory.")
}

func TestRowsAskForMemory(t *testing.T) {
	for _, body := range []string{`{"msg":"a"}`, `[{"msg":"a"}]`, "{\n\"msg\":\"a\"\n}"} {
		b := seamark.Batch{Claim: noMemory{}}
		if err := jsonlog.New().Decode([]byte(body), catalogtest.New(), &b, jsonlog.Options{Now: now}); seamark.KindOf(err) != seamark.Unavailable || b.Logs.Len() != 0 {
			t.Errorf("%s: got %v, want the claimer's error", body, err)
		}
	}
}
