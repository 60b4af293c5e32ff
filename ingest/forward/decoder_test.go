package forward_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/forward"
	"github.com/seamarkhq/seamark/internal/seamark"
)

var now = time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC)

// stamp is the time of most entries here.
var stamp = time.Date(2026, 8, 21, 11, 0, 0, 123456789, time.UTC)

func decode(t testing.TB, raw []byte, full func() bool) (*seamark.Batch, forward.Frame) {
	t.Helper()
	var f forward.Frame
	if err := forward.ParseFrame(raw, &f); err != nil {
		t.Fatal(err)
	}
	var b seamark.Batch
	for more := true; more; {
		var err error
		more, err = forward.NewDecoder().Decode(&f, catalogtest.New(), &b, forward.DecodeOptions{Now: now, Full: full})
		if err != nil {
			t.Fatal(err)
		}
	}
	return &b, f
}

func text(labels []seamark.Label) string {
	var t []string
	for _, l := range labels {
		t = append(t, l.Name+"="+l.Value)
	}
	return strings.Join(t, " ")
}

// TestDecodeModes: the same event in every mode of the specification.
func TestDecodeModes(t *testing.T) {
	event := array{eventTime(stamp), object{"log", "hello", "stream", "stdout"}}
	option := object{"chunk", "p8n9gmxTQVC8/nh2wlKKeQ==", "size", 2}
	for name, c := range map[string]struct {
		message any
		rows    int
	}{
		"Message":                            {array{"app.web", event[0], event[1]}, 1},
		"Message, with options":              {array{"app.web", event[0], event[1], object{"chunk", option[1]}}, 1},
		"Message, with nil for options":      {array{"app.web", event[0], event[1], nil}, 1},
		"Forward":                            {array{"app.web", array{event, event}}, 2},
		"Forward, with options":              {array{"app.web", array{event, event}, option}, 2},
		"Forward, of nothing":                {array{"app.web", array{}}, 0},
		"PackedForward, binary":              {array{"app.web", stream(event, event), option}, 2},
		"PackedForward, text":                {array{"app.web", string(stream(event, event)), option}, 2},
		"PackedForward, of nothing":          {array{"app.web", []byte{}}, 0},
		"an unknown option":                  {array{"app.web", array{event}, object{"later", array{1, object{"a", 2}}}}, 1},
		"a tag in binary, as of old Pythons": {array{[]byte("app.web"), array{event}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b, f := decode(t, pack(c.message), nil)
			if b.Logs.Len() != c.rows || b.Rejected.Rows() != 0 || f.Tag != "app.web" {
				t.Fatalf("%d rows of the tag %q, rejected %+v", b.Logs.Len(), f.Tag, b.Rejected)
			}
			for i := range c.rows {
				if b.Logs.Body[i] != "hello" || b.Logs.TimeNano[i] != stamp.UnixNano() || text(b.Logs.AttrsOf(i)) != "stream=stdout tag=app.web" {
					t.Errorf("row %d: %q at %d with %q", i, b.Logs.Body[i], b.Logs.TimeNano[i], text(b.Logs.AttrsOf(i)))
				}
			}
			if strings.Contains(name, "with options") && f.Chunk != option[1] {
				t.Errorf("chunk %q", f.Chunk)
			}
		})
	}
}

func TestDecodeTimes(t *testing.T) {
	seconds := stamp.Unix()
	event := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(seconds)), 123456789)
	standard := binary.BigEndian.AppendUint64(nil, 123456789<<34|uint64(seconds))
	long := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, 123456789), uint64(seconds))
	for name, c := range map[string]struct {
		time any
		want int64
	}{
		"EventTime, fixext8":            {eventTime(stamp), stamp.UnixNano()},
		"EventTime, ext8":               {ext{0, event}, stamp.UnixNano()},
		"an integer":                    {int(seconds), seconds * 1e9},
		"an unsigned integer":           {uint32(seconds), seconds * 1e9},
		"a float":                       {float64(seconds) + 0.5, seconds*1e9 + 5e8},
		"MessagePack's own, 32 bits":    {ext{-1, event[:4]}, seconds * 1e9},
		"MessagePack's own, 64 bits":    {ext{-1, standard}, stamp.UnixNano()},
		"MessagePack's own, 96 bits":    {ext{-1, long}, stamp.UnixNano()},
		"nil is now":                    {nil, now.UnixNano()},
		"an unknown extension is now":   {ext{7, event}, now.UnixNano()},
		"an EventTime cut short is now": {ext{0, event[:4]}, now.UnixNano()},
		"a float without bounds is now": {1e300, now.UnixNano()},
		"a huge integer is now":         {1 << 62, now.UnixNano()},
	} {
		b, _ := decode(t, pack(array{"t", array{array{c.time, object{"log", "x"}}}}), nil)
		if b.Logs.Len() != 1 || b.Logs.TimeNano[0] != c.want {
			t.Errorf("%s: %d rows at %v, want %d", name, b.Logs.Len(), b.Logs.TimeNano, c.want)
		}
	}
}

// TestDecodeValues: every type of MessagePack as a field.
func TestDecodeValues(t *testing.T) {
	deep := any("x")
	for range 40 {
		deep = object{"a", deep}
	}
	fields := object{
		"log", "line", "nil", nil, "yes", true, "no", false, "small", 7, "negative", -5, "large", -1 << 40, "unsigned", uint32(1 << 31),
		"float", 1.5, "half", float32(0.25), "bin", []byte("text"), "raw", []byte{0xff, 0}, "list", array{1, "a\"\n", nil, object{"k", true, 5, array{}}, 2.5, []byte{1}},
		"map", object{"in", object{"ner", "v"}, "empty", object{}}, "when", eventTime(stamp), "custom", ext{9, []byte{1, 2}},
		3, "number as a name", array{1, 2}, "a list is no name", "last", "l",
	}
	b, _ := decode(t, pack(array{"t", array{array{1, fields}, array{2, object{"log", "deep", "d", deep}}, array{3, object{"log", "after"}}}}), nil)
	want := "yes=true no=false small=7 negative=-5 large=-1099511627776 unsigned=2147483648 float=1.5 half=0.25 bin=text raw=ff00 " +
		`list=[1,"a\"\n",null,{"k":true,"5":[]},2.5,"` + "\x01" + `"] map_in_ner=v when=` + fmt.Sprint(stamp.UnixNano()) + " custom=0102 key_3=number as a name last=l tag=t"
	want = strings.Replace(want, "\x01", `\u0001`, 1)
	if got := text(b.Logs.AttrsOf(0)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !slices.Equal(b.Logs.Body, []string{"line", "after"}) {
		t.Errorf("bodies %q", b.Logs.Body)
	}
	if r := b.Rejected.Reasons; len(r) != 1 || r[0].Reason != "seamark-forward-depth" || r[0].Count != 1 {
		t.Errorf("rejected %+v", r)
	}
}

// TestDecodeKubernetes: what Fluent Bit's and Fluentd's Kubernetes filters add, and the tag where they add nothing.
func TestDecodeKubernetes(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	file := "kube.var.log.containers.web-0_shop_nginx-" + id + ".log"
	filtered := object{"log", "GET /\n", "kubernetes", object{"pod_name", "web-0", "namespace_name", "shop", "container_name", "nginx", "host", "node-1",
		"labels", object{"app.kubernetes.io/name", "web"}}}
	for name, c := range map[string]struct {
		tag    string
		record object
		want   string
	}{
		"filter":        {"kube", filtered, "container=nginx namespace=shop node=node-1 pod=web-0 service_name=web"},
		"tag":           {file, object{"log", "GET /\n"}, "container=nginx namespace=shop pod=web-0 service_name=nginx"},
		"both":          {file, filtered, "container=nginx namespace=shop node=node-1 pod=web-0 service_name=web"},
		"another's tag": {"kube.var.log.containers.web-0_shop_nginx.log", object{"log", "GET /\n"}, "service_name=unknown_service"},
	} {
		b, _ := decode(t, pack(array{c.tag, array{array{1, c.record}}}), nil)
		if b.Logs.Len() != 1 || text(b.Logs.Streams[0].Labels) != c.want || b.Logs.Body[0] != "GET /" {
			t.Errorf("%s: got %q with %q, want %q", name, text(b.Logs.Streams[0].Labels), b.Logs.Body, c.want)
		}
	}
}

// TestDecodeFluentBit: entries with metadata, and groups of OpenTelemetry's, as Fluent Bit forwards them by default since 5.0.5.
func TestDecodeFluentBit(t *testing.T) {
	trace, span := bytes.Repeat([]byte("a"), 16), bytes.Repeat([]byte("b"), 8)
	start := array{array{-1, object{"schema", "otlp"}}, object{"resource", object{"attributes", object{"service.name", "cart", "k8s.namespace.name", "shop"}}}}
	entry := array{array{eventTime(stamp), object{"otlp", object{"severity_number", 17, "trace_id", trace, "span_id", span}}}, object{"log", "hello"}}
	end := array{array{ext{0, []byte{0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0}}, object{}}, object{}}
	after := array{array{eventTime(stamp), object{}}, object{"log", "alone"}}
	b, _ := decode(t, pack(array{"v1", stream(start, entry, end, after), object{"size", 2, "fluent_signal", 0}}), nil)
	if !slices.Equal(b.Logs.Body, []string{"hello", "alone"}) || b.Rejected.Rows() != 0 {
		t.Fatalf("got %q, rejected %+v", b.Logs.Body, b.Rejected)
	}
	if got := text(b.Logs.Streams[b.Logs.Stream[0]].Labels); got != "namespace=shop service_name=cart" {
		t.Errorf("the group's stream is %q", got)
	}
	if got := text(b.Logs.Streams[b.Logs.Stream[1]].Labels); got != "service_name=unknown_service" {
		t.Errorf("the stream after the group is %q", got)
	}
	if b.Logs.Level[0] != seamark.LevelError || !bytes.Equal(b.Logs.TraceID[0][:], trace) || !bytes.Equal(b.Logs.SpanID[0][:], span) {
		t.Errorf("level %v, trace %x, span %x", b.Logs.Level[0], b.Logs.TraceID[0], b.Logs.SpanID[0])
	}
}

// TestDecodeBadEntries: what is wrong with one entry costs that entry.
func TestDecodeBadEntries(t *testing.T) {
	good := array{1, object{"log", "good"}}
	for name, c := range map[string]struct {
		entries  []byte
		size     int
		reason   string
		count    int
		detail   string
		wantRows int
	}{
		"no array":          {stream(good, "x", good), 3, "seamark-forward-entry", 1, "Entry 2", 2},
		"no record":         {stream(good, array{1}, good), 3, "seamark-forward-entry", 1, "not an array of time and record", 2},
		"a record of text":  {stream(good, array{1, "x"}, good), 3, "seamark-forward-entry", 1, "not a map", 2},
		"an empty time":     {stream(good, array{array{}, object{}}, good), 3, "seamark-forward-entry", 1, "without a time and metadata", 2},
		"cut":               {stream(good, good)[:len(stream(good))+5], 3, "seamark-forward-entries", 2, "Entry 2", 1},
		"cut, size unknown": {stream(good, good)[:len(stream(good))+5], -1, "seamark-forward-entries", 1, "at byte", 1},
		"a byte of nothing": {append(stream(good), 0xc1), 1, "seamark-forward-entries", 1, "Entry 2", 1},
		"fewer than told":   {stream(good, good), 5, "seamark-forward-size", 3, "says that it has 5 entries and has 2", 2},
	} {
		t.Run(name, func(t *testing.T) {
			options := object{}
			if c.size >= 0 {
				options = object{"size", c.size}
			}
			b, _ := decode(t, pack(array{"t", c.entries, options}), nil)
			if b.Logs.Len() != c.wantRows {
				t.Errorf("%d rows, want %d", b.Logs.Len(), c.wantRows)
			}
			r := b.Rejected.Reasons
			if len(r) != 1 || r[0].Reason != c.reason || r[0].Count != c.count || !strings.Contains(r[0].Detail, c.detail) {
				t.Errorf("rejected %+v", r)
			}
		})
	}
}

// TestDecodeParts: a message that is read in parts gives what it gives at once.
func TestDecodeParts(t *testing.T) {
	var entries []any
	for i := range 50 {
		entries = append(entries, array{1 + i, object{"log", fmt.Sprint("line ", i)}})
	}
	for name, message := range map[string]any{"Forward": array{"t", array(entries), object{"size", 50}}, "PackedForward": array{"t", stream(entries...), object{"size", 50}}} {
		whole, _ := decode(t, pack(message), nil)
		rows := 0
		parts, _ := decode(t, pack(message), func() bool { rows++; return rows%7 == 0 })
		if !slices.Equal(whole.Logs.Body, parts.Logs.Body) || whole.Logs.Len() != 50 || parts.Rejected.Rows() != 0 {
			t.Errorf("%s: %d rows at once and %d in parts", name, whole.Logs.Len(), parts.Logs.Len())
		}
	}
}

func TestParseFrameRefuses(t *testing.T) {
	for name, raw := range map[string][]byte{
		"nothing":                    {},
		"a map":                      pack(object{"a", 1}),
		"an empty array":             pack(array{}),
		"a tag alone":                pack(array{"t"}),
		"a number for a tag":         pack(array{1, array{}}),
		"a time without a record":    pack(array{"t", 1}),
		"a map for entries":          pack(array{"t", object{}}),
		"a boolean for entries":      pack(array{"t", true}),
		"options that are no map":    pack(array{"t", array{}, 1}),
		"an option without a name":   pack(array{"t", array{}, object{array{}, 1}}),
		"an array of four billion":   {0xdd, 0xff, 0xff, 0xff, 0xff},
		"text longer than the bytes": {0x92, 0xa1, 't', 0xdb, 0xff, 0xff, 0xff, 0xff},
	} {
		var f forward.Frame
		err := forward.ParseFrame(raw, &f)
		e, ok := errors.AsType[*seamark.Error](err)
		if !ok || e.Kind != seamark.Invalid || e.ID != "seamark-forward-message" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	var f forward.Frame
	if err := forward.ParseFrame(pack(array{"t", []byte{0xc1}}), &f); err != nil {
		t.Fatal(err)
	}
	_, err := forward.NewDecoder().Decode(&f, catalogtest.New(), &seamark.Batch{}, forward.DecodeOptions{Now: now})
	if e, ok := errors.AsType[*seamark.Error](err); !ok || e.ID != "seamark-forward-entries" {
		t.Errorf("entries of which not even one can be read: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	event := array{eventTime(stamp), object{"log", "hello", "n", 5, "l", array{1, object{"a", nil}}, "kubernetes", object{"pod_name", "p"}}}
	for _, v := range []any{
		array{"t", event[0], event[1], object{"chunk", "c"}}, array{"t", array{event, event}, object{"size", 2}}, array{"t", stream(event, event)},
		array{"t", stream(array{array{-1, object{}}, object{"resource", object{}}}, event)}, array{"t", array{array{array{1, object{"otlp", object{}}}, object{}}}},
		array{"PING", "h", "salt", "digest", "", ""}, nil, object{}, array{"t", 1.5, object{1, ext{3, []byte{1}}}},
	} {
		f.Add(pack(v))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var frame forward.Frame
		if err := forward.ParseFrame(data, &frame); err != nil {
			return
		}
		var b seamark.Batch
		rows := 0
		_, err := forward.NewDecoder().Decode(&frame, catalogtest.New(), &b, forward.DecodeOptions{Now: now})
		if err != nil && seamark.KindOf(err) != seamark.Invalid {
			t.Fatal(err)
		}
		if rows = b.Logs.Len(); 3*rows > len(data) {
			t.Fatalf("%d bytes gave %d rows", len(data), rows)
		}
		for i := range rows {
			for _, a := range b.Logs.AttrsOf(i) {
				if a.Value == "" || !valid(a.Name) || !valid(a.Value) {
					t.Fatalf("attribute %q=%q", a.Name, a.Value)
				}
			}
			if !valid(b.Logs.Body[i]) {
				t.Fatalf("body %q", b.Logs.Body[i])
			}
		}
	})
}

func valid(s string) bool { return s == strings.ToValidUTF8(s, "\ufffd") }

func BenchmarkDecode(b *testing.B) {
	const rows = 1000
	var entries []byte
	for i := range rows {
		entries = append(entries, pack(array{eventTime(stamp), object{"log", fmt.Sprintf("GET /api/v1/orders/%d 200 in 12ms for customer 4711\n", i), "stream", "stdout",
			"status", 200, "kubernetes", object{"pod_name", "api-7f9c6b5d4-x2x4z", "namespace_name", "shop", "container_name", "api", "host", "node-1",
				"labels", object{"app", "api", "pod-template-hash", "7f9c6b5d4"}}}})...)
	}
	raw := pack(array{"kube.app", entries, object{"size", rows, "chunk", "p8n9gmxTQVC8/nh2wlKKeQ=="}})
	d, cat := forward.NewDecoder(), catalogtest.New()
	var batch seamark.Batch
	var f forward.Frame
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		if err := forward.ParseFrame(raw, &f); err != nil {
			b.Fatal(err)
		}
		if _, err := d.Decode(&f, cat, &batch, forward.DecodeOptions{Now: now}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}
