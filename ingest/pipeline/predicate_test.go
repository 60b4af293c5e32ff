package pipeline_test

import (
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/pipeline"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// verdicts returns, per line, whether a condition holds: the lines that a route step marks.
func verdicts(t testing.TB, condition string, lines []line) (string, bool) {
	t.Helper()
	p, err := pipeline.Compile(options(), pipeline.Definition{Name: "p", Enabled: true, Steps: []pipeline.Step{
		{Name: "s", Kind: pipeline.Route, Match: []string{condition}, Stream: map[string]string{"hit": "yes"}},
	}})
	if err != nil {
		return "", false
	}
	cat := catalogtest.New()
	b := batchOf(t, cat, lines...)
	if err := p.Apply(t.Context(), cat, b); err != nil {
		t.Fatal(err)
	}
	var v strings.Builder
	for i := range b.Logs.TimeNano {
		switch {
		case strings.Contains(text(b.Logs.AttrsOf(i)), pipeline.ErrorAttribute):
			v.WriteByte('!')
		case b.Logs.Streams[b.Logs.Stream[i]].Label("hit") == "yes":
			v.WriteByte('+')
		default:
			v.WriteByte('-')
		}
	}
	return v.String(), true
}

// same checks that a condition gives the same answers from the columns and through OTTL alone: a conversion that has no
// effect keeps the second from being of simple form.
func same(t testing.TB, condition string, lines []line) string {
	t.Helper()
	quick, ok := verdicts(t, condition, lines)
	slow, okSlow := verdicts(t, `(`+condition+`) and Len("x") == 1`, lines)
	if ok != okSlow || quick != slow {
		t.Errorf("%s: from the columns %s, through OTTL %s", condition, quick, slow)
	}
	return quick
}

func probes() []line {
	return []line{
		{body: "x"}, {body: "hello world", level: seamark.LevelDebug, attrs: "a=1"}, {body: "", attrs: "a="}, {body: "x", attrs: "b=2,a=x"},
		{body: "nil", level: seamark.LevelError, labels: "app=other,a=x"}, {body: "warn", level: seamark.LevelWarn, attrs: "a=error"},
	}
}

func TestConditionsFromTheColumnsAgreeWithOTTL(t *testing.T) {
	for condition, want := range map[string]string{
		`log.body == "x"`:            "+--+--",
		`log.body != "x"`:            "-++-++",
		`log.attributes["a"] == "x"`: "---+--",
		`log.attributes["a"] != "x"`: "+++-++",
		`log.attributes["a"] == nil`: "+---+-",
		`log.attributes["a"] != nil`: "-+++-+",
		`resource.attributes["app"] == "other" or log.attributes["b"] == "2"`:        "---++-",
		`resource.attributes["nope"] == nil and not (log.body == "x")`:               "-++-++",
		`log.severity_number < SEVERITY_NUMBER_WARN`:                                 "++++--",
		`log.severity_number >= 13 and log.severity_number != SEVERITY_NUMBER_ERROR`: "-----+",
		`log.severity_text == "debug" or log.severity_text == ""`:                    "++++--",
		`IsMatch(log.body, "^[hw]") and not IsMatch(log.attributes["a"], "err")`:     "-+----",
		`IsMatch(resource.attributes["app"], "o") or HasSuffix(log.body, "n")`:       "++++++",
		`HasPrefix(log.body, "hel") or HasPrefix(log.body, "nil")`:                   "-+--+-",
		`log.body == "x" or log.body == "warn" and log.attributes["a"] == "nothing"`: "+--+--",
		`not log.body == "x" and true`:                                               "-++-++",
		`log.body == "\"" or log.body == "\u0078"`:                                   "+--+--",
		`HasPrefix(log.attributes["a"], "e")`:                                        "!---!+",
		`log.attributes["a"] > "w"`:                                                  "---+--",
		`Len(log.body) > 4`:                                                          "-+----",
	} {
		if got := same(t, condition, probes()); got != want {
			t.Errorf("%s: got %s, want %s", condition, got, want)
		}
	}
}

func FuzzPredicate(f *testing.F) {
	for _, seed := range []string{
		`log.body == "x"`, `not (log.attributes["a"] != nil) or log.severity_number < SEVERITY_NUMBER_WARN2`, `IsMatch(log.severity_text, "w")`,
		`log.body == nil`, `log.severity_text != "warn"`, `true and false`, `log.severity_number == SEVERITY_NUMBER_UNSPECIFIED`, `"x" == log.body`,
		`log.attributes["a"]["b"] == "c"`, `HasSuffix(log.body, "")`, `log.attributes == nil`, `resource.attributes["a"] != "x" and not true`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, condition string) {
		if strings.Contains(condition, "Len") {
			return // it would be of simple form in neither
		}
		same(t, condition, probes())
	})
}
