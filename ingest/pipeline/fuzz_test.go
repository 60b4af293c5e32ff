package pipeline_test

import (
	"testing"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/pipeline"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// FuzzCompile holds that no definition takes the node, and that one that is accepted can run.
func FuzzCompile(f *testing.F) {
	for _, step := range []string{
		`"kind":"transform","statements":["set(log.body, Concat([log.body, \"x\"], \"\")) where log.attributes[\"a\"] == \"1\""]`,
		`"kind":"drop","match":["IsMatch(log.body, \"x+\")"]`, `"kind":"sample","ratio":0.5,"by":"trace"`,
		`"kind":"redact","patterns":["email","credit_card","ipv4","jwt","token","secret"],"expressions":[{"name":"a","regex":"x+"}]`,
		`"kind":"route","stream":{"a":"b"}`, `"kind":"metric","metric":{"name":"m","type":"histogram","value":"Len(log.body)","labels":{"l":"log.body"},"buckets":[1,2]}`,
	} {
		f.Add([]byte(one(step)))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := pipeline.Parse(body)
		if err != nil {
			return
		}
		p, err := pipeline.Compile(options(), list...)
		if err != nil {
			if seamark.KindOf(err) != seamark.Invalid {
				t.Fatalf("got %v, want kind Invalid", err)
			}
			return
		}
		cat := catalogtest.New()
		b := batchOf(t, cat, probes()...)
		if err := p.Apply(t.Context(), cat, b); err != nil {
			t.Fatal(err)
		}
		checkShape(t, b)
	})
}

// FuzzApply holds for records of any content: the columns fit, nothing is made up, and the same request gives the same rows.
func FuzzApply(f *testing.F) {
	list, err := pipeline.Parse([]byte(`[{"name":"p","enabled":true,"steps":[
		{"name":"json","kind":"transform","match":["HasPrefix(log.body, \"{\")"],"statements":["merge_maps(log.attributes, ParseJSON(log.body), \"upsert\")"]},
		{"name":"kv","kind":"transform","match":["not HasPrefix(log.body, \"{\")"],"statements":["merge_maps(log.attributes, ParseKeyValue(log.body), \"upsert\")"]},
		{"name":"team","kind":"transform","statements":["set(resource.attributes[\"team\"], log.attributes[\"team\"])"]},
		{"name":"level","kind":"transform","statements":["set(log.severity_text, log.attributes[\"level\"])"]},
		{"name":"drop","kind":"drop","match":["log.attributes[\"drop\"] != nil"]},
		{"name":"sample","kind":"sample","ratio":0.9},
		{"name":"mask","kind":"redact","patterns":["email","credit_card","ipv4","jwt","token","secret"],"expressions":[{"name":"a","regex":"x+y"}]},
		{"name":"count","kind":"metric","metric":{"name":"m","type":"counter","value":"log.attributes[\"n\"]","labels":{"t":"log.attributes[\"team\"]"}}}]}]`))
	if err != nil {
		f.Fatal(err)
	}
	p, err := pipeline.Compile(options(), list...)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"team":"pay","n":7,"a":{"b":[1,{"c":null}]}}`, "a=b", "x password=1")
	f.Add("team=pay drop=1", "n=3", "4111 1111 1111 1111 a@b.co 10.0.0.1 "+jwt)
	f.Add("{\"\":{\"\":1}}", "a.b=1,a.b=2", "\xff\x00")
	f.Fuzz(func(t *testing.T, body, attrs, other string) {
		apply := func() *seamark.Batch {
			cat := catalogtest.New()
			b := batchOf(t, cat, line{body: body, attrs: attrs}, line{body: other}, line{body: other, attrs: attrs, level: seamark.LevelWarn})
			if err := p.Apply(t.Context(), cat, b); err != nil {
				t.Fatal(err)
			}
			checkShape(t, b)
			return b
		}
		first, second := apply(), apply()
		if first.Logs.Len() > 3 {
			t.Fatalf("%d records of 3", first.Logs.Len())
		}
		if show(first) != show(second) {
			t.Fatalf("the same request gave other rows:\n%s\n%s", show(first), show(second))
		}
	})
}
