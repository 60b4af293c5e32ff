package esbulk_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/esbulk"
	"github.com/seamarkhq/seamark/internal/seamark"
)

var now = time.Unix(1_785_000_000, 0)

func decode(tb testing.TB, body string, o esbulk.Options) ([]esbulk.Item, *seamark.Batch) {
	tb.Helper()
	o.Now = now
	b := &seamark.Batch{}
	items, err := esbulk.New().Decode(nil, []byte(body), catalogtest.New(), b, o)
	if err != nil {
		tb.Fatal(err)
	}
	return items, b
}

func expectError(tb testing.TB, err error, id, contains string) {
	tb.Helper()
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != seamark.Invalid || e.ID != id || !strings.Contains(e.Message, contains) {
		tb.Fatalf("got %v, want Invalid %s with %q", err, id, contains)
	}
}

// stored is an item whose document became a row.
func stored(action esbulk.Action, index, id string, row int) esbulk.Item {
	return esbulk.Item{Action: action, Index: index, ID: id, Row: row}
}

// refused is an item without a row.
func refused(action esbulk.Action, index, reason string) esbulk.Item {
	return esbulk.Item{Action: action, Index: index, Row: -1, Status: 400, Reason: reason}
}

var ignored = cmp.Options{cmpopts.IgnoreUnexported(esbulk.Item{}), cmpopts.IgnoreFields(esbulk.Item{}, "Detail")}

func TestDecode(t *testing.T) {
	for name, c := range map[string]struct {
		body  string
		items []esbulk.Item
		lines []string
	}{
		"usual": {"{\"create\":{\"_index\":\"a\"}}\n{\"message\":\"x\"}\n{\"index\":{\"_index\":\"b\",\"_id\":\"7\",\"routing\":\"r\"}}\n{\"message\":\"y\"}\n",
			[]esbulk.Item{stored("create", "a", "", 0), stored("index", "b", "7", 1)}, []string{"x", "y"}},
		"no final newline": {"{\"create\":{}}\n{\"message\":\"x\"}", []esbulk.Item{stored("create", "path", "", 0)}, []string{"x"}},
		"blank lines and CRLF": {"\n \r\n{\"create\":{}}\r\n\n{\"message\":\"x\"}\r\n\n\n",
			[]esbulk.Item{stored("create", "path", "", 0)}, []string{"x"}},
		"null names": {"{\"create\":{\"_index\":null,\"_id\":null,\"_type\":\"_doc\"}}\n{\"message\":\"x\"}\n", []esbulk.Item{stored("create", "path", "", 0)}, []string{"x"}},
		"update and delete": {"{\"update\":{\"_id\":\"1\"}}\n{\"doc\":{}}\n{\"delete\":{\"_id\":\"1\"}}\n{\"create\":{}}\n{\"message\":\"x\"}\n",
			[]esbulk.Item{{Action: "update", Index: "path", ID: "1", Row: -1, Status: 400, Reason: "seamark-bulk-unsupported"},
				{Action: "delete", Index: "path", ID: "1", Row: -1, Status: 400, Reason: "seamark-bulk-unsupported"}, stored("create", "path", "", 0)}, []string{"x"}},
		"action without source": {"{\"create\":{}}\n{\"message\":\"x\"}\n{\"create\":{}}\n",
			[]esbulk.Item{stored("create", "path", "", 0), refused("create", "path", "seamark-bulk-source")}, []string{"x"}},
		"update without source": {"{\"create\":{}}\n{\"message\":\"x\"}\n{\"update\":{}}\n",
			[]esbulk.Item{stored("create", "path", "", 0), refused("update", "path", "seamark-bulk-unsupported")}, []string{"x"}},
		"malformed document": {"{\"create\":{}}\n{\"message\":\n{\"create\":{}}\n{\"message\":\"x\"}\n",
			[]esbulk.Item{refused("create", "path", "seamark-bulk-document"), stored("create", "path", "", 0)}, []string{"x"}},
		"document of another kind": {"{\"create\":{}}\n[1]\n{\"create\":{}}\n{\"message\":\"x\"}\n",
			[]esbulk.Item{refused("create", "path", "seamark-bulk-document"), stored("create", "path", "", 0)}, []string{"x"}},
		"too large": {"{\"create\":{}}\n{\"message\":\"" + strings.Repeat("x", 100) + "\"}\n{\"create\":{}}\n{\"message\":\"x\"}\n",
			[]esbulk.Item{refused("create", "path", "seamark-bulk-source-bytes"), stored("create", "path", "", 0)}, []string{"x"}},
		"malformed action": {"{\"create\":{}}\n{\"message\":\"x\"}\n{\"crate\":{}}\n{\"message\":\"lost\"}\n{\"create\":{}}\n{\"message\":\"y\"}\n",
			[]esbulk.Item{stored("create", "path", "", 0), refused("create", "path", "seamark-bulk-action"), stored("create", "path", "", 1)}, []string{"x", "y"}},
		"malformed action without source": {"{\"create\":\n{\"create\":{}}\n{\"message\":\"y\"}\nnull\n",
			[]esbulk.Item{refused("create", "path", "seamark-bulk-action"), stored("create", "path", "", 0), refused("create", "path", "seamark-bulk-action")}, []string{"y"}},
		"two actions in one": {"{\"create\":{},\"index\":{}}\n{}\n{\"create\":{}}\n{\"message\":\"y\"}\n",
			[]esbulk.Item{refused("create", "path", "seamark-bulk-action"), stored("create", "path", "", 0)}, []string{"y"}},
		"index of another kind": {"{\"create\":{\"_index\":{}}}\n{}\n{\"create\":{\"_id\":\"" + strings.Repeat("x", 600) + "\"}}\n{}\n{\"create\":{}}\n{\"message\":\"y\"}\n",
			[]esbulk.Item{refused("create", "path", "seamark-bulk-action"), refused("create", "path", "seamark-bulk-action"), stored("create", "path", "", 0)}, []string{"y"}},
		"a document that looks like an action": {"{\"create\":{}}\n{\"create\":{}}\n", []esbulk.Item{stored("create", "path", "", 0)}, []string{`{"create":{}}`}},
	} {
		t.Run(name, func(t *testing.T) {
			items, b := decode(t, c.body, esbulk.Options{Index: "path", MaxSourceBytes: 64})
			if diff := cmp.Diff(c.items, items, ignored); diff != "" {
				t.Fatalf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(c.lines, b.Logs.Body); diff != "" {
				t.Fatalf("lines -want +got:\n%s", diff)
			}
			failed := 0
			for _, i := range items {
				if i.Status != 0 {
					failed++
					if !strings.HasSuffix(i.Detail, ".") {
						t.Errorf("the refusal %s has no sentence: %q", i.Reason, i.Detail)
					}
				}
			}
			if b.Rejected.Logs != failed || b.Logs.Len()+failed != len(items) {
				t.Fatalf("got %d rows and %d rejected, want one for each of %d items", b.Logs.Len(), b.Rejected.Logs, len(items))
			}
		})
	}
}

func TestDecodeFails(t *testing.T) {
	for body, message := range map[string]string{
		"": "It is empty", "\n \n": "It is empty", `{"message":"x"}`: `Line 1 is no action: It names "message"`, "not json\n": "Line 1 is no action", "{}\n": `It names "nothing"`,
		`[{"message":"x"}]`: "Line 1 is no action", `{"` + strings.Repeat("x", 100) + `":1}`: strings.Repeat("x", 64) + "...",
	} {
		_, err := esbulk.New().Decode(nil, []byte(body), catalogtest.New(), &seamark.Batch{}, esbulk.Options{Now: now})
		expectError(t, err, "seamark-bulk-malformed", message)
	}
}

func TestDocumentsComeToNormalForm(t *testing.T) {
	_, b := decode(t, `{"create":{"_index":"logs-nginx.access-prod"}}
{"@timestamp":"2026-07-25T17:20:01Z","message":"GET /","log":{"level":"warn"},"data_stream":{"type":"logs","dataset":"nginx.access","namespace":"prod"}}
{"create":{"_index":"logs-generic-default"}}
{"message":"x"}
{"create":{"_index":"logs"}}
{"message":"x","kubernetes":{"container":{"name":"c"}}}`, esbulk.Options{})
	var got []string
	for i := range b.Logs.Len() {
		got = append(got, fmt.Sprint(b.Logs.Streams[b.Logs.Stream[i]].Labels, b.Logs.TimeNano[i]/1e9, b.Logs.Level[i], b.Logs.AttrsOf(i)))
	}
	want := []string{
		"[{service_name nginx.access}] 1785000001 warn [{log_level warn} {data_stream_type logs} {data_stream_dataset nginx.access} {data_stream_namespace prod} {_index logs-nginx.access-prod}]",
		"[{service_name unknown_service}] 1785000000 unknown [{_index logs-generic-default}]",
		"[{container c} {service_name c}] 1785000000 unknown [{_index logs}]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}

type failing struct{ err error }

func (failing) Find(uint64) *seamark.Series { return nil }
func (f failing) Create(uint64, seamark.SeriesKind, []seamark.Label) (*seamark.Series, error) {
	return nil, f.err
}

func TestRefusedLabelsAreTheItemsMatter(t *testing.T) {
	body := []byte("{\"create\":{}}\n{\"message\":\"x\"}\n")
	b := &seamark.Batch{}
	items, err := esbulk.New().Decode(nil, body, failing{seamark.Errorf(seamark.Invalid, "seamark-label-value", "Too long.")}, b, esbulk.Options{Now: now})
	if err != nil || len(items) != 1 || items[0].Reason != "seamark-label-value" || items[0].Row != -1 || b.Rejected.Logs != 1 {
		t.Fatalf("got %+v, %v, %+v", items, err, b.Rejected)
	}
	quota := seamark.Errorf(seamark.RateLimited, "seamark-quota-streams", "Too many.")
	if _, err := esbulk.New().Decode(nil, body, failing{quota}, &seamark.Batch{}, esbulk.Options{Now: now}); !errors.Is(err, quota) {
		t.Fatalf("got %v, want the error that ends the request", err)
	}
}

type noMemory struct{}

func (noMemory) Claim(int64) error {
	return seamark.Errorf(seamark.Unavailable, "seamark-memory-short", "No memory.")
}

func TestItemsAskForMemory(t *testing.T) {
	for _, body := range []string{strings.Repeat("{\"delete\":{}}\n", 2000), "{\"create\":{}}\n{\"message\":\"x\"}\n"} {
		if _, err := esbulk.New().Decode(nil, []byte(body), catalogtest.New(), &seamark.Batch{Claim: noMemory{}}, esbulk.Options{Now: now}); seamark.KindOf(err) != seamark.Unavailable {
			t.Errorf("got %v, want the claimer's error", err)
		}
	}
}

// bulk is n documents as Fluent Bit's es output sends them.
func bulk(n int) []byte {
	var body []byte
	for i := range n {
		body = append(body, "{\"create\":{\"_index\":\"kube\"}}\n"...)
		body = fmt.Appendf(body, `{"@timestamp":"2026-07-25T17:20:00.%03dZ","log":"INFO request served method=GET path=/v1/orders/%d status=200 bytes=%d","stream":"stdout","kubernetes":{"pod_name":"checkout-api-6d5f8b7c9-x2x4%c","namespace_name":"shop","labels":{"app":"checkout","pod-template-hash":"6d5f8b7c9"},"host":"ip-10-42-3-17","container_name":"api","container_image":"registry.example.com/shop/api:1.42.0"}}`,
			i%1000, i*7919, i*13, 'b'+rune(i%10))
		body = append(body, '\n')
	}
	return body
}

func BenchmarkDecode(b *testing.B) {
	const rows = 1000
	body, d, cat, batch := bulk(rows), esbulk.New(), catalogtest.New(), &seamark.Batch{}
	var items []esbulk.Item
	var answer []byte
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		var err error
		if items, err = d.Decode(items[:0], body, cat, batch, esbulk.Options{Now: now}); err != nil || batch.Logs.Len() != rows {
			b.Fatal(err, batch.Logs.Len())
		}
		answer = esbulk.AppendResponse(answer[:0], items, &batch.Rejected, time.Second)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

func FuzzDecode(f *testing.F) {
	f.Add(bulk(3))
	for _, body := range []string{"{\"create\":{}}\n{}", "{\"index\":{\"_index\":\"a\\u0062\",\"_id\":\"\xff\"}}\r\n{\"message\":\"\xff\"}\n{\"delete\":{}}\n\n{\"update\":{}}\n{}\nx\n", "{\"create\":{}}\n{\"create\":{}}\n{\"create\":{}}"} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b := &seamark.Batch{}
		items, err := esbulk.New().Decode(nil, body, catalogtest.New(), b, esbulk.Options{Now: now, Index: "i"})
		if err != nil {
			if seamark.KindOf(err) != seamark.Invalid {
				t.Fatalf("got %v, want an error of the sender's", err)
			}
			return
		}
		rows := slices.DeleteFunc(slices.Clone(items), func(i esbulk.Item) bool { return i.Row < 0 })
		if len(rows) != b.Logs.Len() || len(items) != b.Logs.Len()+b.Rejected.Logs || len(items) > strings.Count(string(body), "\n")+1 {
			t.Fatalf("got %d items, %d rows, %d rejected of %q", len(items), b.Logs.Len(), b.Rejected.Logs, body)
		}
		for n, i := range rows {
			if i.Row != n {
				t.Fatalf("row %d belongs to the item of row %d", n, i.Row)
			}
		}
		var answer struct {
			Items []map[string]struct{ Status int }
		}
		if err := json.Unmarshal(esbulk.AppendResponse(nil, items, &b.Rejected, 0), &answer); err != nil || len(answer.Items) != len(items) {
			t.Fatalf("the answer has %d items, %v", len(answer.Items), err)
		}
	})
}

func TestDecodersAreSharedSafely(t *testing.T) {
	d, cat := esbulk.New(), catalogtest.New()
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			var b seamark.Batch
			var items []esbulk.Item
			for round := range 50 {
				b.Reset()
				want := fmt.Sprintf("line %d of %d", round, worker)
				body := fmt.Sprintf("{\"create\":{\"_id\":\"%d\"}}\n{\"message\":%q,\"kubernetes\":{\"pod_name\":\"p%d\"}}\n", worker, want, worker)
				var err error
				items, err = d.Decode(items[:0], []byte(body), cat, &b, esbulk.Options{Now: now})
				if err != nil || len(items) != 1 || items[0].ID != fmt.Sprint(worker) || b.Logs.Body[0] != want || b.Logs.Streams[0].Label("pod") != fmt.Sprintf("p%d", worker) {
					t.Errorf("got %+v, %v, %q; want %s", items, err, b.Logs.Body, want)
				}
			}
		})
	}
	group.Wait()
}
