package forward

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestParts cuts a batch by rows and by bytes, and loses and repeats none of them.
func TestParts(t *testing.T) {
	b := &batch{}
	for i := range 20 {
		b.add([]Row{{Time: int64(i), Line: strings.Repeat("x", i*10)}})
	}
	asLine := func(out []byte, r *Row) []byte { return append(out, r.Line...) }
	for _, limits := range []Batching{{MaxRows: 3, MaxBytes: 1 << 20}, {MaxRows: 100, MaxBytes: 100}, {MaxRows: 1, MaxBytes: 1}, {MaxRows: 100, MaxBytes: 1 << 20}} {
		c := cutter{batch: b, id: "logs.0.1.1-9", forwarder: "f", limits: &limits, json: asLine}
		rows, number := 0, 0
		for {
			p, ok := c.part()
			if !ok {
				break
			}
			require.Equal(t, fmt.Sprintf("logs.0.1.1-9.%d", number), p.id)
			require.LessOrEqual(t, len(p.records), limits.MaxRows)
			require.True(t, len(p.ndjson()) <= limits.MaxBytes || len(p.records) == 1)
			require.Len(t, p.rows, len(p.records))
			for i := range p.records {
				require.Equal(t, b.rows[rows].Line, string(p.records[i].json))
				require.Equal(t, b.rows[rows].Time, p.records[i].time)
				rows++
			}
			number++
		}
		require.Equal(t, 20, rows)
		if limits.MaxBytes > 1<<19 {
			require.Equal(t, (20+limits.MaxRows-1)/limits.MaxRows, number)
		}
	}
}

// FuzzDefinition reads what a tenant may send: it is refused, or read again as it was written.
func FuzzDefinition(f *testing.F) {
	f.Add([]byte(`{"filter":"{app=\"a\"}","target":{"webhook":{"url":"https://x.example/in","headers":{"X-A":{"value":"s"}}}}}`))
	f.Add([]byte(`{"filter":"x","signal":"events","paused":true,"batch":{"max_rows":1},"target":{"nats":{"url":"tls://x","subject":"a.b","token":{"set":true}}}}`))
	f.Add([]byte(`{"filter":"x","target":{"kafka":{"brokers":["x:9092"],"topic":"t","tls":true,"sasl":{"mechanism":"plain","user":"u","password":{"value":"p"}}}}}`))
	f.Add([]byte(`{"filter":"x","target":{"s3":{"region":"r","bucket":"logs","prefix":"{date}/","access_key_id":"a","secret_access_key":{"value":"b"}}}}`))
	limits := DefaultLimits()
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := parseDefinition("name", body)
		if err != nil || d.normalise(&limits) != nil {
			return
		}
		text, err := json.Marshal(d)
		require.NoError(t, err)
		again, err := parseDefinition("name", text)
		require.NoError(t, err)
		require.NoError(t, again.normalise(&limits))
		second, err := json.Marshal(again)
		require.NoError(t, err)
		require.True(t, bytes.Equal(text, second), "%s\n%s", text, second)
		require.NotEmpty(t, d.Target.destination())
		require.NotEmpty(t, d.Target.kind())
		d.Target.secrets()
	})
}
