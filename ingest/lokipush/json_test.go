package lokipush_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/grafana/loki/pkg/push"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/lokipush"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// one is what every body of TestDecodeJSONShapes holds.
var one = []row{{Labels: `[{"a" "1"}]`, Time: 5, Body: "x"}}

func TestDecodeJSONShapes(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []row
	}{
		"usual":             {`{"streams":[{"stream":{"a":"1"},"values":[["5","x"]]}]}`, one},
		"white space":       {" {\n\t\"streams\" : [ { \"stream\" : { \"a\" : \"1\" } , \"values\" : [ [ \"5\" , \"x\" ] ] } ]\r\n} \n", one},
		"time as a number":  {`{"streams":[{"stream":{"a":"1"},"values":[[5,"x"]]}]}`, one},
		"values first":      {`{"streams":[{"values":[["5","x"]],"stream":{"a":"1"}}]}`, one},
		"escapes first":     {`{"streams":[{"values":[["5","\u0078"]],"stream":{"\u0061":"\u0031"}}]}`, one},
		"unknown members":   {`{"v":[1,{"b":[]}],"streams":[{"hash":1.5e3,"stream":{"a":"1"},"values":[["5","x"]],"z":null}],"w":true}`, one},
		"labels again":      {`{"streams":[{"stream":{"a":"1"},"values":[["5","x"]],"stream":{"b":"2"}}]}`, one},
		"last labels count": {`{"streams":[{"stream":{"b":"2"},"stream":{"a":"1"},"values":[["5","x"]]}]}`, one},
		"empty metadata":    {`{"streams":[{"stream":{"a":"1"},"values":[["5","x",{}]]}]}`, one},
		"null metadata":     {`{"streams":[{"stream":{"a":"1"},"values":[["5","x",null]]}]}`, one},
		"more elements":     {`{"streams":[{"stream":{"a":"1"},"values":[["5","x",{},[1,"2"],{"a":3}]]}]}`, one},
		"label as number":   {`{"streams":[{"stream":{"a":1,"b":null},"values":[["5","x"]]}]}`, one},
		"empty stream":      {`{"streams":[{"stream":{"b":"2"},"values":[]},{"stream":{"a":"1"},"values":[["5","x"]]},{"stream":{"c":"3"}}]}`, one},
		"no streams":        {`{"streams":[]}`, nil},
		"null streams":      {`{"streams":null}`, nil},
		"null values":       {`{"streams":[{"stream":{"a":"1"},"values":null}]}`, nil},
		"nothing":           {`{}`, nil},
		"attributes as text": {`{"streams":[{"stream":{"a":"1"},"values":[["-5","x",{"n":-1.5e+3,"t":true,"f":false,"z":null,"s":"\n"}]]}]}`,
			[]row{{Labels: `[{"a" "1"}]`, Time: -5, Body: "x", Attrs: []seamark.Label{{Name: "n", Value: "-1.5e+3"},
				{Name: "t", Value: "true"}, {Name: "f", Value: "false"}, {Name: "s", Value: "\n"}}}}},
		"every escape": {`{"streams":[{"stream":{"a":"1"},"values":[["5","\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00 and text"],["6","\ud83d"],["7","\ud83dx\ude00"],["8","a\u0000b"]]}]}`,
			[]row{{Labels: `[{"a" "1"}]`, Time: 5, Body: "\"\\/\b\f\n\r\tA\u00e9\u20ac\U0001f600 and text"},
				{Labels: `[{"a" "1"}]`, Time: 6, Body: "\ufffd"}, {Labels: `[{"a" "1"}]`, Time: 7, Body: "\ufffdx\ufffd"},
				{Labels: `[{"a" "1"}]`, Time: 8, Body: "a\x00b"}}},
		"the old form":         {`{"streams":[{"labels":"{a=\"1\"}","entries":[{"ts":"1970-01-01T00:00:00.000000005Z","line":"x"}]}]}`, one},
		"the old form, turned": {`{"streams":[{"entries":[{"line":"x","more":[1],"ts":"1970-01-01T01:00:00.000000005+01:00"}],"labels":"{a=\"1\"}"}]}`, one},
		"bytes that are not UTF-8": {"{\"streams\":[{\"stream\":{\"a\":\"1\"},\"values\":[[\"5\",\"\xff\xfe\"]]}]}",
			[]row{{Labels: `[{"a" "1"}]`, Time: 5, Body: "\xff\xfe"}}},
	} {
		t.Run(name, func(t *testing.T) {
			cat, d := catalogtest.New(), lokipush.New()
			var b seamark.Batch
			for range 2 {
				b.Reset()
				if err := d.DecodeJSON([]byte(c.body), cat, &b, options); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, rowsOf(t, &b)); diff != "" {
					t.Fatalf("(-want +got):\n%s", diff)
				}
				if b.Rejected.Rows() != 0 {
					t.Fatalf("rejected %+v", b.Rejected)
				}
			}
			if cat.Creates() > 1 {
				t.Errorf("%d creates, want one at most", cat.Creates())
			}
		})
	}
}

// TestDecodeJSONStrings puts each special byte at each distance from the string's start, because strings are scanned
// eight bytes at a time.
func TestDecodeJSONStrings(t *testing.T) {
	for _, special := range []string{"", `"`, `\`, "\n", "\u00e9", "\x7f", "\u2028", "!", "#", "[", "]", " "} {
		for before := range 18 {
			for after := range 18 {
				line := strings.Repeat("a", before) + special + strings.Repeat("b", after)
				quoted, err := json.Marshal(line)
				if err != nil {
					t.Fatal(err)
				}
				var b seamark.Batch
				body := `{"streams":[{"stream":{"a":"1"},"values":[["5",` + string(quoted) + `]]}]}`
				if err := lokipush.New().DecodeJSON([]byte(body), accepting{}, &b, options); err != nil {
					t.Fatalf("%s: %v", body, err)
				}
				if len(b.Logs.Body) != 1 || b.Logs.Body[0] != line {
					t.Fatalf("got %q, want %q", b.Logs.Body, line)
				}
			}
		}
	}
}

func TestDecodeJSONRejectsLines(t *testing.T) {
	for value, want := range map[string]string{
		`["5"]`:                        "seamark-line-shape",
		`[]`:                           "seamark-line-shape",
		`["5",7]`:                      "seamark-line-shape",
		`["5",null]`:                   "seamark-line-shape",
		`["5",{"a":"b"}]`:              "seamark-line-shape",
		`["5s","x"]`:                   "seamark-line-timestamp",
		`["1.5","x"]`:                  "seamark-line-timestamp",
		`["-","x"]`:                    "seamark-line-timestamp",
		`["99999999999999999999","x"]`: "seamark-line-timestamp",
		`["9223372036854775808","x"]`:  "seamark-line-timestamp",
		`[1.5,"x"]`:                    "seamark-line-timestamp",
		`[1e18,"x"]`:                   "seamark-line-timestamp",
		`[null,"x"]`:                   "seamark-line-timestamp",
		`[{},"x"]`:                     "seamark-line-timestamp",
		`["5","x","y"]`:                "seamark-line-metadata",
		`["5","x",["y"]]`:              "seamark-line-metadata",
		`["5","x",{"a":{"b":"c"}}]`:    "seamark-line-metadata",
		`["5","x",{"a":[],"b":"c"}]`:   "seamark-line-metadata",
	} {
		body := `{"streams":[{"stream":{"a":"1"},"values":[["5","x"],` + value + `,` + value + `,["5","x"]]}]}`
		var b seamark.Batch
		if err := lokipush.New().DecodeJSON([]byte(body), accepting{}, &b, options); err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		if diff := cmp.Diff(append(one, one...), rowsOf(t, &b)); diff != "" {
			t.Errorf("%s: neighbours (-want +got):\n%s", value, diff)
		}
		if r := b.Rejected; r.Logs != 2 || len(r.Reasons) != 1 || r.Reasons[0].Reason != want || !strings.Contains(r.Reasons[0].Detail, "at byte 52 ") {
			t.Errorf("%s: rejected %+v, want 2 lines for %s at byte 52", value, r, want)
		}
	}
}

func TestDecodeJSONMalformed(t *testing.T) {
	deep := strings.Repeat("[", 100)
	for body, message := range map[string]string{
		``:                           "at byte 0 of 0 an object is expected",
		`[]`:                         "at byte 0 of 2 an object",
		`{`:                          "at byte 1 of 1 a name in double quotes",
		`{"streams"}`:                "at byte 10 of 11 a colon",
		`{"streams":{}}`:             "at byte 11 of 14 the list of streams",
		`{"streams":[]} x`:           "at byte 15 of 16 the end",
		`{"streams":[],}`:            "at byte 14 of 15 a value after the comma",
		`{"streams":[] "a":1}`:       `at byte 14 of 20 a comma or "}"`,
		`{"streams":[1]}`:            "at byte 12 of 15 a stream object",
		`{"streams":[{}`:             `at byte 14 of 14 a comma or "]"`,
		`{"streams":[{"stream":1}]}`: "at byte 22 of 26 an object with the stream's labels",
		`{"streams":[{"stream":{"a":"1"},"values":{}}]}`:                              "at byte 41 of 46 an array of values",
		`{"streams":[{"stream":{"a":"1"},"values":["5","x"]}]}`:                       "at byte 42 of 53 a line as an array",
		`{"streams":[{"values":[],"values":[]}]}`:                                     "each stream to have its values once",
		`{"streams":[{"stream":{"a":"1"},"values":[["5","x]]}]}`:                      "a string with a closing quote",
		`{"streams":[{"stream":{"a":"1"},"values":[["5","\q"]]}]}`:                    "at byte 48 of 56 an escape",
		`{"streams":[{"stream":{"a":"1"},"values":[["5","\u12"]]}]}`:                  "at byte 48 of 58 an escape",
		"{\"streams\":[{\"stream\":{\"a\":\"1\"},\"values\":[[\"5\",\"\x1b[0m\"]]}]}": `at byte 48 of 58 a control character to be escaped as \u001b`,
		`{"streams":[{"stream":{"a":"1"},"values":[["5" "x"]]}]}`:                     `a comma or "]"`,
		`{"streams":[{"stream":{"a":"1"},"values":[[01,"x"]]}]}`:                      "a JSON value",
		`{"streams":[{"stream":{"a":x},"values":[["5","x"]]}]}`:                       "a JSON value",
		`{"streams":[{"stream":{"a" "1"},"values":[["5","x"]]}]}`:                     "a colon",
		`{"streams":[{"stream":{1:2},"values":[["5","x"]]}]}`:                         "a name in double quotes",
		`{"a":"\x"}`:     "an escape",
		`{"a":"b`:        "a string with a closing quote",
		"{\"a\":\"\n\"}": `\u000a`,
		`{"a":tru}`:      "a JSON value",
		`{"a":1.}`:       "a JSON value",
		`{"a":1e}`:       "a JSON value",
		`{"a":+1}`:       "a JSON value",
		`{"a":` + deep:   "nested less than 64 deep",
	} {
		err := lokipush.New().DecodeJSON([]byte(body), accepting{}, new(seamark.Batch), options)
		e, ok := errors.AsType[*seamark.Error](err)
		if !ok || e.Kind != seamark.Invalid || e.ID != "seamark-body-json" || !strings.Contains(e.Message, message) {
			t.Errorf("%s: got %v, want %q", body, err, message)
		}
	}
}

// reference reads a push with encoding/json. It gives up (ok is false) on what our decoder may treat otherwise: members
// that stand twice, values of unusual types, bytes that are not UTF-8.
func reference(body []byte) (r *push.PushRequest, labels []map[string]string, ok bool) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	top, ok := unique(decoder)
	members, isObject := top.(map[string]any)
	if !ok || !isObject {
		return nil, nil, false
	}
	r = &push.PushRequest{}
	list, _ := members["streams"].([]any)
	for _, item := range list {
		stream, _ := item.(map[string]any)
		set, isObject := stream["stream"].(map[string]any)
		values, _ := stream["values"].([]any)
		if !isObject {
			return nil, nil, false
		}
		texts := map[string]string{}
		for name, value := range set {
			if texts[name], ok = value.(string); !ok {
				return nil, nil, false
			}
		}
		out := push.Stream{}
		for _, value := range values {
			entry, ok := referenceEntry(value)
			if !ok {
				return nil, nil, false
			}
			out.Entries = append(out.Entries, entry)
		}
		r.Streams, labels = append(r.Streams, out), append(labels, texts)
	}
	return r, labels, true
}

func referenceEntry(value any) (push.Entry, bool) {
	parts, _ := value.([]any)
	if len(parts) < 2 || len(parts) > 3 {
		return push.Entry{}, false
	}
	text, isText := parts[0].(string)
	line, isLine := parts[1].(string)
	nano, err := strconv.ParseInt(text, 10, 64)
	const most = mostSeconds * int64(time.Second)
	if !isText || !isLine || err != nil || strings.HasPrefix(text, "+") || len(text) > 19 || nano < -most || nano > most {
		return push.Entry{}, false
	}
	entry := push.Entry{Timestamp: time.Unix(0, nano), Line: line}
	if len(parts) == 3 {
		attrs, isObject := parts[2].(map[string]any)
		if !isObject || len(attrs) > 1 { // a map has lost the order of more
			return push.Entry{}, false
		}
		for name, value := range attrs {
			text, ok := value.(string)
			if !ok {
				return push.Entry{}, false
			}
			entry.StructuredMetadata = append(entry.StructuredMetadata, push.LabelAdapter{Name: name, Value: text})
		}
	}
	return entry, true
}

// unique decodes a value and tells whether no object in it has a member twice.
func unique(d *json.Decoder) (any, bool) {
	token, err := d.Token()
	if err != nil {
		return nil, false
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, false
			}
			key := name.(string)
			if _, twice := object[key]; twice {
				return nil, false
			}
			value, ok := unique(d)
			if !ok {
				return nil, false
			}
			object[key] = value
		}
		_, err := d.Token()
		return object, err == nil
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, ok := unique(d)
			if !ok {
				return nil, false
			}
			list = append(list, value)
		}
		_, err := d.Token()
		return list, err == nil
	}
	return token, true
}

func FuzzDecodeJSON(f *testing.F) {
	r, labels := request(12)
	f.Add(asJSON(f, r, labels))
	for _, c := range lifted {
		f.Add(asJSON(f, &push.PushRequest{Streams: []push.Stream{{Entries: []push.Entry{{Timestamp: now, Line: c.line, StructuredMetadata: c.attrs}}}}},
			[]map[string]string{{"a": "1", "level": "warn"}}))
	}
	f.Add([]byte(`{"v":[1,{"b":[]}],"streams":[{"values":[["5","\u0078"],[1.5,"x",{"a":null}]],"stream":{"\u0061":"\ud83d\ude00"}}]}`))
	d, strict := lokipush.New(), catalogtest.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		var b, detected seamark.Batch
		err := d.DecodeJSON(bytes.Clone(body), accepting{}, &b, lokipush.Options{Now: now, NoDetection: true})
		if err != nil && seamark.KindOf(err) != seamark.Invalid {
			t.Fatalf("got %v", err)
		}
		if err == nil && !json.Valid(body) {
			t.Fatal("took what is not JSON")
		}
		rows := rowsOf(t, &b)
		for range 2 {
			detected.Reset()
			if strictErr := d.DecodeJSON(bytes.Clone(body), strict, &detected, options); (strictErr == nil) != (err == nil) {
				t.Fatalf("got %v with a strict catalogue and %v without", strictErr, err)
			}
			rowsOf(t, &detected)
		}
		official, labels, ok := reference(body)
		if err != nil || !ok {
			return
		}
		sent := 0
		var want []row
		for i, s := range official.Streams {
			sent += len(s.Entries)
			want = append(want, wantJSONRows(t, s, labels[i])...)
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Fatalf("(-encoding/json +ours):\n%s", diff)
		}
		if got := detected.Logs.Len() + detected.Rejected.Logs; got != sent {
			t.Fatalf("kept and rejected %d lines, sent %d", got, sent)
		}
	})
}

// wantJSONRows is wantRows for one stream whose labels are no text.
func wantJSONRows(tb testing.TB, s push.Stream, labels map[string]string) []row {
	tb.Helper()
	var set []seamark.Label
	ofStream := "{"
	for name, value := range labels {
		if value != "" {
			set = append(set, seamark.Label{Name: name, Value: value})
		}
	}
	seamark.SortLabels(set)
	for _, l := range set {
		if l.Name == "level" || l.Name == "severity" {
			ofStream += fmt.Sprintf("%s=%q,", l.Name, seamark.ParseLevel(l.Value).String())
		}
	}
	s.Labels = ofStream + "}"
	rows := wantRows(tb, &push.PushRequest{Streams: []push.Stream{s}})
	for i := range rows {
		rows[i].Labels = fmt.Sprintf("%q", set)
	}
	return rows
}
