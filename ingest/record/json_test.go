package record_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestAddJSONFails(t *testing.T) {
	for text, message := range map[string]string{
		``:                                "at byte 0 of 0 a JSON value",
		`{`:                               "at byte 1 of 1 a name in double quotes",
		`{"a"}`:                           "at byte 4 of 5 a colon",
		`{"a":}`:                          "at byte 5 of 6 a JSON value",
		`{"a":1,}`:                        "at byte 7 of 8 a value after the comma",
		`{"a":1 "b":2}`:                   "at byte 7 of 13 a comma",
		`{"a":1} x`:                       "at byte 8 of 9 the end",
		`{"a":"x`:                         "at byte 5 of 7 a string with a closing quote",
		`{"a":"\q"}`:                      "at byte 6 of 10 an escape",
		`{"a":"\u12g4"}`:                  "at byte 6 of 14 an escape",
		"{\"a\":\"\n\"}":                  "at byte 6 of 9 a control character",
		`{"a":01}`:                        "at byte 5 of 8 a JSON value",
		`{"a":tru}`:                       "at byte 5 of 9 a JSON value",
		`{"a":[1,]}`:                      "at byte 8 of 10 a value after the comma",
		`{"a":[{"b" 1}]}`:                 "a colon",
		`{"a":[{1:1}]}`:                   "a name in double quotes",
		`{"a":` + strings.Repeat("[", 80): "nested at most 64",
		strings.Repeat(`{"a":`, 80):       "nested at most 64",
	} {
		b := newBuilder()
		expectError(t, b.AddJSON("", []byte(text)), "seamark-record-json", message)
	}
}

func TestAddJSONUnderPath(t *testing.T) {
	b := newBuilder()
	for path, raw := range map[string]string{"fields": `{"a":1,"b":{"c":"\u00e9\ud83d\ude00\n"},"":2}`, "list": ` [1] `, "text": `"t"`, "none": `null`, strings.Repeat("p", 600): `{"x":1}`} {
		if err := b.AddJSON(path, []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	b.SetBody("x")
	want := set("fields_a", "1", "fields_b_c", "é😀\n", "fields_", "2", "list", "[1]", "text", "t", "_dropped_attributes", "1")
	if diff := cmp.Diff(want, flush(t, b).Attrs); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}

func TestDeepObjectsStayJSON(t *testing.T) {
	b := newBuilder()
	if err := b.AddJSON("", []byte(`{"msg":"x",`+strings.Repeat(`"a":{`, 20)+`"b":"c"`+strings.Repeat(`}`, 21))); err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSuffix(strings.Repeat("a_", 16), "_")
	want := set(name, strings.Repeat(`{"a":`, 4)+`{"b":"c"`+strings.Repeat(`}`, 5))
	if diff := cmp.Diff(want, flush(t, b).Attrs); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}

func TestReadJSONLeavesTheRest(t *testing.T) {
	raw := []byte(` {"msg":"a"} {"msg":"b"}`)
	b := newBuilder()
	n, err := b.ReadJSON("", raw)
	if err != nil || n != len(` {"msg":"a"}`) {
		t.Fatalf("got %d, %v", n, err)
	}
	if got := flush(t, b); got.Body != "a" {
		t.Fatalf("got %+v", got)
	}
	if m, err := record.Value(raw[n:]); err != nil || m != len(raw)-n {
		t.Fatalf("got %d, %v; want %d", m, err, len(raw)-n)
	}
}

func TestMembersAndElements(t *testing.T) {
	var got []string
	raw := []byte(` {"\u0061" : "x\n" , "b":[ 1, {"c":null} ], "d":{} } `)
	if err := record.Members(raw, func(key string, value []byte) error {
		got = append(got, key+"="+string(value))
		if key != "b" {
			return nil
		}
		return record.Elements(value, func(element []byte) error { got = append(got, string(element)); return nil })
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`a="x\n"`, `b=[ 1, {"c":null} ]`, `1`, `{"c":null}`, `d={}`}, got); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	stop := errors.New("stop")
	if err := record.Members(raw, func(string, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("got %v, want the caller's error", err)
	}
	for _, text := range []string{`[]`, `{"a":1`, `{"a":1}}`, `{a}`, `{"a"`, `{"a":x}`} {
		expectError(t, record.Members([]byte(text), func(string, []byte) error { return nil }), "seamark-record-json", "expected")
	}
	for _, text := range []string{`{}`, `[1`, `[1]]`, `[x]`, ``} {
		expectError(t, record.Elements([]byte(text), func([]byte) error { return nil }), "seamark-record-json", "expected")
	}
}

func TestUnquote(t *testing.T) {
	for raw, want := range map[string]string{`"a\tb"`: "a\tb", `1.5`: "1.5", `true`: "true", "\"\xff\"": "\uFFFD"} {
		if got, ok := record.Unquote([]byte(raw)); !ok || got != want {
			t.Errorf("%s: got %q, %t; want %q", raw, got, ok, want)
		}
	}
	for _, raw := range []string{`null`, `{}`, `[]`, ``, `"a`, `"a"b`, `1 2`} {
		if got, ok := record.Unquote([]byte(raw)); ok {
			t.Errorf("%s: got %q, want nothing", raw, got)
		}
	}
}

// fluentBit is a record of Fluent Bit's kubernetes filter, of usual size.
func fluentBit(i int) []byte {
	return fmt.Appendf(nil, `{"date":%d.%06d,"log":"2026-07-25T17:20:00Z INFO request served method=GET path=/v1/orders/%d status=200 bytes=%d duration_ms=%d\n","stream":"stdout","time":"2026-07-25T17:20:00.%09dZ","kubernetes":{"pod_name":"checkout-api-6d5f8b7c9-x2x4%c","namespace_name":"shop","labels":{"app":"checkout","pod-template-hash":"6d5f8b7c9"},"host":"ip-10-42-3-17","container_name":"api","container_image":"registry.example.com/shop/api:1.42.0"}}`,
		1785000000+i, i%1000000, i*7919, i*13, i%300, i, 'b'+rune(i%10))
}

func BenchmarkFluentBit(b *testing.B) {
	var raws [][]byte
	size := 0
	for i := range 1000 {
		raws = append(raws, fluentBit(i))
		size += len(raws[i])
	}
	cat, builder, batch := catalogtest.New(), newBuilder(), &seamark.Batch{}
	b.SetBytes(int64(size) / 1000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i == len(raws) {
			batch.Reset()
			i = 0
		}
		if err := builder.AddJSON("", raws[i]); err != nil {
			b.Fatal(err)
		}
		if err := builder.Flush(cat, batch); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func FuzzAddJSON(f *testing.F) {
	for _, c := range senders {
		f.Add([]byte(c.record))
	}
	for _, text := range []string{`{"a":"\ud800\u0041\u00e9","b":"` + "\xff\xc3" + `"}`, `{"a":[1,"\u0041"],"b":{"":[]}}`, `"x"`, `[{}]`, `{"a":-1.5e+3}`, "{\"\xff\":1}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		b, batch := newBuilder(), &seamark.Batch{}
		err := b.AddJSON("", raw)
		if !bytes.Equal(raw, before) {
			t.Fatal("the text was changed")
		}
		if err != nil {
			if json.Valid(raw) && !strings.Contains(err.Error(), "nested") {
				t.Fatalf("%q is JSON, got %v", raw, err)
			}
			if _, refused := record.Refused(err); !refused {
				t.Fatalf("got %v, want a refusal", err)
			}
			return
		}
		if !json.Valid(raw) {
			t.Fatalf("%q is no JSON and was taken", raw)
		}
		if err := b.Flush(catalogtest.New(), batch); err != nil {
			t.Fatal(err)
		}
		if batch.Logs.Len() != 1 || !utf8.ValidString(batch.Logs.Body[0]) || len(batch.Logs.Attrs) > seamark.DefaultLimits().MaxAttrs {
			t.Fatalf("got %d rows, body %q, %d attributes", batch.Logs.Len(), batch.Logs.Body[0], len(batch.Logs.Attrs))
		}
		for _, a := range batch.Logs.Attrs {
			if a.Name == "" || a.Value == "" || !utf8.ValidString(a.Value) || strings.Trim(a.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
				t.Fatalf("got attribute %q=%q", a.Name, a.Value)
			}
		}
		checkBody(t, raw, batch.Logs.Body[0])
	})
}

// checkBody holds the line of a record against what encoding/json reads in it.
func checkBody(t *testing.T, raw []byte, body string) {
	t.Helper()
	var fields map[string]any
	if json.Unmarshal(raw, &fields) != nil || len(fields) != 1 {
		return
	}
	if text, ok := fields["message"].(string); ok && bytes.Count(raw, []byte("message")) == 1 {
		if want := strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r"); body != want {
			t.Fatalf("%q: got body %q, want %q", raw, body, want)
		}
	}
}
