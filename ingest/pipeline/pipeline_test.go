package pipeline_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/pipeline"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestTransform(t *testing.T) {
	for name, c := range map[string]struct{ step, in, attrs, want string }{
		"json": {
			`"statements":["merge_maps(log.attributes, ParseJSON(log.body), \"upsert\")"]`,
			`{"msg":"paid","order":{"id":7,"tags":["a","b"]},"ok":true,"none":null}`, "z=1",
			`{app=shop} unknown {"msg":"paid","order":{"id":7,"tags":["a","b"]},"ok":true,"none":null} [msg=paid,ok=true,order.id=7,order.tags=["a","b"],z=1]`,
		},
		"logfmt": {
			`"statements":["merge_maps(log.attributes, ParseKeyValue(log.body), \"upsert\")"]`, "status=500 path=/pay", "",
			`{app=shop} unknown status=500 path=/pay [path=/pay,status=500]`,
		},
		"regex": {
			`"statements":["merge_maps(log.attributes, ExtractPatterns(log.body, \"status (?P<status>[0-9]+)\"), \"upsert\")"]`, "status 404", "",
			`{app=shop} unknown status 404 [status=404]`,
		},
		"grok": {
			`"statements":["merge_maps(log.attributes, ExtractGrokPatterns(log.body, \"%{IP:client} %{WORD:verb}\", true), \"upsert\")"]`, "10.1.2.3 GET", "",
			`{app=shop} unknown 10.1.2.3 GET [client=10.1.2.3,verb=GET]`,
		},
		"rename": {
			`"statements":["set(log.attributes[\"user\"], log.attributes[\"usr\"])","delete_key(log.attributes, \"usr\")"]`, "x", "usr=ann,k=v",
			`{app=shop} unknown x [k=v,user=ann]`,
		},
		"body": {`"statements":["set(log.body, \"new\")"]`, "old", "a=b", `{app=shop} unknown new [a=b]`},
		"level": {
			`"statements":["set(log.severity_number, SEVERITY_NUMBER_ERROR) where IsMatch(log.body, \"(?i)failed\")"]`, "it FAILED", "",
			`{app=shop} error it FAILED []`,
		},
		"level by text": {`"statements":["set(log.severity_text, \"warn\")"]`, "x", "", `{app=shop} warn x []`},
		"stream": {
			`"statements":["set(resource.attributes[\"team\"], log.attributes[\"team\"])"]`, "x", "team=pay", `{app=shop,team=pay} unknown x [team=pay]`,
		},
		"cache":        {`"statements":["set(log.cache[\"a\"], log.body)","set(log.attributes[\"copy\"], log.cache[\"a\"])"]`, "x", "", `{app=shop} unknown x [copy=x]`},
		"not selected": {`"match":["log.body == \"other\""],"statements":["set(log.body, \"new\")"]`, "x", "a=b", `{app=shop} unknown x [a=b]`},
		"no effect":    {`"statements":["set(log.body, \"new\") where log.body == \"other\""]`, "x", "a=b", `{app=shop} unknown x [a=b]`},
	} {
		t.Run(name, func(t *testing.T) {
			b := run(t, one(`"kind":"transform",`+c.step), line{body: c.in, attrs: c.attrs})
			wantRows(t, b, c.want)
		})
	}
}

func TestDropAndSettle(t *testing.T) {
	b := run(t, one(`"kind":"drop","match":["log.severity_number < SEVERITY_NUMBER_INFO","log.severity_number > 0"]`),
		line{body: "1", attrs: "a=1"}, line{body: "2", level: seamark.LevelDebug, attrs: "a=2,b=2"}, line{body: "3", level: seamark.LevelInfo},
		line{body: "4", level: seamark.LevelTrace}, line{body: "5", level: seamark.LevelError, attrs: "a=5"})
	wantRows(t, b, "{app=shop} unknown 1 [a=1]", "{app=shop} info 3 []", "{app=shop} error 5 [a=5]")
}

func TestAttributesGrowAndShrinkBesideDroppedRows(t *testing.T) {
	b := run(t, `[{"name":"p","enabled":true,"steps":[
		{"name":"a","kind":"transform","match":["log.body == \"2\""],"statements":["set(log.attributes[\"n\"], \"new\")"]},
		{"name":"b","kind":"drop","match":["log.body == \"1\" or log.body == \"4\""]},
		{"name":"c","kind":"transform","match":["log.body == \"3\""],"statements":["keep_keys(log.attributes, [\"b\"])"]},
		{"name":"d","kind":"transform","match":["log.body == \"2\""],"statements":["set(log.attributes[\"m\"], \"more\")"]}]}]`,
		line{body: "1", attrs: "a=1"}, line{body: "2", attrs: "a=2,b=2"}, line{body: "3", attrs: "a=3,b=3,c=3"}, line{body: "4"}, line{body: "5", attrs: "e=5"})
	wantRows(t, b, "{app=shop} unknown 2 [a=2,b=2,m=more,n=new]", "{app=shop} unknown 3 [b=3]", "{app=shop} unknown 5 [e=5]")
}

func TestUntouchedBatchKeepsItsMemory(t *testing.T) {
	cat := catalogtest.New()
	b := batchOf(t, cat, line{body: "1", attrs: "a=1"}, line{body: "2"})
	attrs, body := &b.Logs.Attrs[0], &b.Logs.Body[0]
	p := compile(t, one(`"kind":"drop","match":["log.attributes[\"a\"] == \"nothing\" or IsMatch(log.body, \"x\")"]`))
	if err := p.Apply(t.Context(), cat, b); err != nil {
		t.Fatal(err)
	}
	if attrs != &b.Logs.Attrs[0] || body != &b.Logs.Body[0] {
		t.Error("a batch that no step touched was rebuilt")
	}
}

func TestSampleIsDeterministicAndNearItsRatio(t *testing.T) {
	var lines []line
	for i := range 4000 {
		lines = append(lines, line{body: fmt.Sprint("line ", i), trace: byte(1 + i%200)})
	}
	definition := one(`"kind":"sample","ratio":0.25`)
	first, second := run(t, definition, lines...), run(t, definition, lines...)
	if show(first) != show(second) {
		t.Error("the same records were sampled differently")
	}
	if share := float64(first.Logs.Len()) / 4000; math.Abs(share-0.25) > 0.03 {
		t.Errorf("kept %.3f, want about 0.25", share)
	}
	twice := run(t, `[{"name":"p","enabled":true,"steps":[{"name":"a","kind":"sample","ratio":0.5},{"name":"b","kind":"sample","ratio":0.5}]}]`, lines...)
	if share := float64(twice.Logs.Len()) / 4000; math.Abs(share-0.25) > 0.03 {
		t.Errorf("two samples of a half kept %.3f, want about a quarter", share)
	}
	byTrace := run(t, one(`"kind":"sample","ratio":0.5,"by":"trace"`), lines...)
	kept := map[byte]int{}
	for i := range byTrace.Logs.TraceID {
		kept[byTrace.Logs.TraceID[i][0]]++
	}
	for trace, n := range kept {
		if n != 20 {
			t.Errorf("trace %d kept %d of its 20 records", trace, n)
		}
	}
	if all := run(t, one(`"kind":"sample","ratio":1`), lines...); all.Logs.Len() != 4000 {
		t.Errorf("ratio 1 kept %d of 4000", all.Logs.Len())
	}
	if none := run(t, one(`"kind":"sample","ratio":0`), lines...); none.Logs.Len() != 0 {
		t.Errorf("ratio 0 kept %d", none.Logs.Len())
	}
}

func TestRoute(t *testing.T) {
	b := run(t, one(`"kind":"route","match":["resource.attributes[\"app\"] == \"shop\""],"stream":{"team":"pay","old":""}`),
		line{body: "1", labels: "app=shop,old=x"}, line{body: "2", labels: "app=other"}, line{body: "3", labels: "app=shop,old=x"})
	wantRows(t, b, "{app=shop,team=pay} unknown 1 []", "{app=other} unknown 2 []", "{app=shop,team=pay} unknown 3 []")
	if b.Logs.Stream[0] != b.Logs.Stream[2] {
		t.Error("one stream was added twice")
	}
}

func TestPipelinesRunInTheirOrderAndOnlyWhenEnabled(t *testing.T) {
	step := func(name, from, to string) string {
		return `{"name":"` + name + `","enabled":true,"steps":[{"name":"s","kind":"transform","match":["log.body == \"` + from + `\""],"statements":["set(log.body, \"` + to + `\")"]}]}`
	}
	off := strings.Replace(step("off", "c", "d"), "true", "false", 1)
	b := run(t, "["+step("first", "a", "b")+","+step("second", "b", "c")+","+off+"]", line{body: "a"})
	wantRows(t, b, "{app=shop} unknown c []")
}

func TestFailedStepLetsTheRecordPass(t *testing.T) {
	b := run(t, `[{"name":"p","enabled":true,"steps":[
		{"name":"parse","kind":"transform","statements":["set(log.attributes[\"early\"], \"x\")","merge_maps(log.attributes, ParseJSON(log.body), \"upsert\")"]},
		{"name":"late","kind":"transform","statements":["set(log.attributes[\"late\"], \"y\")"]}]}]`,
		line{body: "not json", attrs: "a=1"})
	got := show(b)
	if !strings.HasPrefix(got, "{app=shop} unknown not json [_pipeline_error=parse: statements[1]: ") || !strings.HasSuffix(got, ",a=1,late=y]\n") || strings.Contains(got, "early") {
		t.Errorf("got %s", got)
	}
}

func TestLimitsAtRunTime(t *testing.T) {
	double := strings.Repeat(`,"set(log.body, Concat([log.body, log.body], \"\"))"`, 30)[1:]
	long := strings.Repeat("x", 40<<10)
	for name, c := range map[string]struct {
		step string
		in   line
		want string
	}{
		"growth":  {`"kind":"transform","statements":[` + double + `]`, line{body: long}, "larger than 262144 bytes"},
		"length":  {`"kind":"transform","statements":["set(log.body, \"x\")"]`, line{body: long + long}, "more than 65536 bytes"},
		"time":    {`"kind":"transform","statements":["set(log.time_unix_nano, 0)"]`, line{body: "x"}, "lies outside the window"},
		"label":   {`"kind":"transform","statements":["set(resource.attributes[\"app\"], log.body)"]`, line{body: "\xff"}, "not valid UTF-8"},
		"numbers": {`"kind":"metric","metric":{"name":"m","type":"gauge","value":"log.body"}`, line{body: "seven"}, "is no number"},
		"absent":  {`"kind":"metric","metric":{"name":"m","type":"gauge","value":"log.attributes[\"n\"]"}`, line{body: "x"}, "no such value"},
		"cache":   {`"kind":"transform","statements":["set(log.cache[\"a\"], log.body)",` + strings.Repeat(`,"set(log.cache[\"a\"], Concat([log.cache[\"a\"], log.cache[\"a\"]], \"\"))"`, 20)[1:] + `]`, line{body: long}, "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			b := run(t, one(c.step), c.in)
			if b.Logs.Len() != 1 || b.Logs.Body[0] != c.in.body {
				t.Fatalf("the record did not pass as it was")
			}
			if got := text(b.Logs.AttrsOf(0)); !strings.Contains(got, "_pipeline_error=s: ") || !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestManyAttributesAreRefused(t *testing.T) {
	var body strings.Builder
	for i := range 200 {
		fmt.Fprintf(&body, `,"k%d":%d`, i, i)
	}
	b := run(t, one(`"kind":"transform","statements":["merge_maps(log.attributes, ParseJSON(log.body), \"upsert\")"]`), line{body: "{" + body.String()[1:] + "}"})
	if got := text(b.Logs.AttrsOf(0)); !strings.Contains(got, "would have 200 attributes; the limit is 128") {
		t.Errorf("got %s", got)
	}
}

// ticking is a clock that moves a step with every look.
func ticking(step time.Duration) func() time.Time {
	at := noon
	return func() time.Time { at = at.Add(step); return at }
}

func TestTimeBudget(t *testing.T) {
	list, err := pipeline.Parse([]byte(`[{"name":"p","enabled":true,"steps":[
		{"name":"slow","kind":"transform","statements":["set(log.attributes[\"a\"], \"x\")"]},
		{"name":"mask","kind":"redact","patterns":["email"]},
		{"name":"mask some","kind":"redact","match":["Len(log.body) > 1000"],"patterns":["ipv4"]},
		{"name":"noise","kind":"drop","match":["log.body == \"noise\""]}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.Compile(pipeline.Options{Now: ticking(10 * time.Millisecond), Budget: 35 * time.Millisecond}, list...)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalogtest.New()
	b := batchOf(t, cat, line{body: "1"}, line{body: "2"}, line{body: "3"}, line{body: "4 a@b.org 10.0.0.1"}, line{body: "noise"})
	if err := p.Apply(t.Context(), cat, b); err != nil {
		t.Fatal(err)
	}
	if b.Logs.Len() != 4 {
		t.Fatalf("%d records are left, want 4: removing goes on without time", b.Logs.Len())
	}
	if got := text(b.Logs.AttrsOf(0)); !strings.HasPrefix(got, "a=x,_pipeline_error=mask some: the batch needed more than 35ms") {
		t.Errorf("in time: got %s", got)
	}
	if got := text(b.Logs.AttrsOf(3)); !strings.HasPrefix(got, "_pipeline_error=slow: the batch needed more than 35ms") {
		t.Errorf("late: got %s", got)
	}
	if b.Logs.Body[3] != "4 [redacted:email] [redacted:ipv4]" {
		t.Errorf("got %q: without time everything is redacted", b.Logs.Body[3])
	}
	stats := p.Stats()
	if stats[0].In != 5 || stats[0].Changed != 3 || stats[0].Errors != 2 || stats[3].Dropped != 1 || stats[1].Changed != 1 || stats[3].Nanos == 0 {
		t.Errorf("got %+v", stats)
	}
}

// noMemory is a claimer with nothing left.
type noMemory struct{}

func (noMemory) Claim(int64) error {
	return seamark.Errorf(seamark.Unavailable, "seamark-ingest-busy", "Too much at once.")
}

func TestWithoutMemoryTheRequestIsRefused(t *testing.T) {
	cat := catalogtest.New()
	b := batchOf(t, cat, line{body: "x"})
	b.Claim = noMemory{}
	p := compile(t, one(`"kind":"transform","statements":["set(log.attributes[\"a\"], \"x\")"]`))
	if err := p.Apply(t.Context(), cat, b); seamark.KindOf(err) != seamark.Unavailable {
		t.Errorf("got %v, want Unavailable", err)
	}
	b = batchOf(t, cat, line{body: "x"})
	if err := p.Apply(t.Context(), cat, b); err != nil {
		t.Errorf("the run kept the failure of the batch before: %v", err)
	}
}

func TestManyNewStreamsAreRefused(t *testing.T) {
	var lines []line
	for i := range 1200 {
		lines = append(lines, line{body: fmt.Sprint(i)})
	}
	b := run(t, one(`"kind":"transform","statements":["set(resource.attributes[\"id\"], log.body)"]`), lines...)
	failed := 0
	for i := range b.Logs.TimeNano {
		if strings.Contains(text(b.Logs.AttrsOf(i)), "more than 1000 streams") {
			failed++
		}
	}
	if failed != 200 {
		t.Errorf("%d records were refused their stream, want 200", failed)
	}
}

func TestAllTimeUsedUp(t *testing.T) {
	list, err := pipeline.Parse([]byte(`[{"name":"p","enabled":true,"steps":[
		{"name":"noise","kind":"drop","match":["IsMatch(log.body, \"^noise\")"]},
		{"name":"mask","kind":"redact","match":["log.body == \"never\""],"patterns":["email"],"expressions":[{"name":"x","regex":"noi"}]}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.Compile(pipeline.Options{Now: ticking(50 * time.Millisecond), Budget: 10 * time.Millisecond}, list...)
	if err != nil {
		t.Fatal(err)
	}
	var lines []line
	for range 8 {
		lines = append(lines, line{body: "noise a@b.co " + strings.Repeat("x", 100<<10)})
	}
	cat := catalogtest.New()
	b := batchOf(t, cat, lines...)
	if err := p.Apply(t.Context(), cat, b); err != nil {
		t.Fatal(err)
	}
	if b.Logs.Len() == 0 || b.Logs.Len() == 8 {
		t.Fatalf("%d records are left, want the first to be removed and the last to pass", b.Logs.Len())
	}
	last := b.Logs.Len() - 1
	if got := b.Logs.Body[last]; !strings.HasPrefix(got, "noise [redacted:email] ") {
		t.Errorf("got %.60q: built-in patterns are found without time, and nothing else", got)
	}
	if got := text(b.Logs.AttrsOf(last)); !strings.Contains(got, "noise: the batch needed more than 80ms") {
		t.Errorf("got %s", got)
	}
}
