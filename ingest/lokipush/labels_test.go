package lokipush_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/ingest/lokipush"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestParseLabels(t *testing.T) {
	for text, want := range map[string][]seamark.Label{
		`{}`:                            nil,
		` { } `:                         nil,
		`{a="b"}`:                       {{Name: "a", Value: "b"}},
		`{a="b",}`:                      {{Name: "a", Value: "b"}},
		"{ a = \"b\" ,\n\tc='d' }":      {{Name: "a", Value: "b"}, {Name: "c", Value: "d"}},
		"{a=`\\n\"`}":                   {{Name: "a", Value: `\n"`}},
		`{a="\"\\\n\t\x41\101é😀é"}`:     {{Name: "a", Value: "\"\\\n\tAAé😀é"}},
		`{a='\'"'}`:                     {{Name: "a", Value: `'"`}},
		`{a="\xff"}`:                    {{Name: "a", Value: "\xff"}},
		`{"k8s.pod/name"="x"}`:          {{Name: "k8s.pod/name", Value: "x"}},
		`{k8s.pod-name="x"}`:            {{Name: "k8s.pod-name", Value: "x"}},
		`{a="",b="}",c="x\\"}`:          {{Name: "a"}, {Name: "b", Value: "}"}, {Name: "c", Value: `x\`}},
		`{b="2",a="1",b="3"}`:           {{Name: "b", Value: "2"}, {Name: "a", Value: "1"}, {Name: "b", Value: "3"}},
		`{x="` + "\u00e9\xff\\t" + `"}`: {{Name: "x", Value: "\u00e9\xff\t"}},
	} {
		got, err := lokipush.ParseLabels(nil, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestParseLabelsFails(t *testing.T) {
	for text, message := range map[string]string{
		``:                       "at position 1 an opening brace",
		`a="b"`:                  "at position 1 an opening brace",
		`foo{a="b"}`:             "at position 1 an opening brace",
		`{`:                      "at position 2 a label name",
		`{a}`:                    "at position 3 an equals sign",
		`{a=}`:                   "at position 4 a quoted value",
		`{a=b}`:                  "at position 4 a quoted value",
		`{a=~"b"}`:               "at position 4 a quoted value",
		`{a!="b"}`:               "at position 3 an equals sign",
		`{a="b}`:                 "at position 4 a closing quote",
		"{a=`b}":                 "at position 5 a closing backquote",
		`{a="\q"}`:               "at position 5 an escape",
		`{a="\`:                  "at position 5 an escape",
		`{a="\n`:                 "at position 7 a closing quote",
		`{a="b" c="d"}`:          "at position 8 a comma",
		`{,}`:                    "at position 2 a label name",
		`{a="b",,}`:              "at position 8 a label name",
		`{a="b"} x`:              "at position 9 the end",
		strings.Repeat("x", 500): strings.Repeat("x", 128) + "...",
	} {
		_, err := lokipush.ParseLabels(nil, text)
		if err == nil {
			t.Errorf("%s: got no error, want %s", text, message)
			continue
		}
		expectError(t, err, "seamark-stream-labels", message)
	}
}

func repeats(list []seamark.Label) bool {
	seen := map[string]bool{}
	for _, l := range list {
		if seen[l.Name] {
			return true
		}
		seen[l.Name] = true
	}
	return false
}

func FuzzParseLabels(f *testing.F) {
	for _, text := range []string{`{}`, `{a="b", c='d',}`, "{a=`b`}", `{a="\"\\\n\x41\101é😀"}`, `{"k8s.pod"="x"}`, `{a="é"}`, `{__name__="x"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := lokipush.ParseLabels(nil, text)
		if err != nil {
			expectError(t, err, "seamark-stream-labels", "is expected")
			return
		}
		want, err := officialLabels(text)
		if err != nil || repeats(got) {
			return
		}
		var filled []seamark.Label
		for _, l := range got {
			if l.Value != "" {
				filled = append(filled, l)
			}
		}
		seamark.SortLabels(filled)
		if diff := cmp.Diff(want, filled); diff != "" {
			t.Fatalf("%q (-official +ours):\n%s", text, diff)
		}
	})
}
