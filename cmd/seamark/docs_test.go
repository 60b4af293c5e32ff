package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/seamarkhq/seamark/internal/docgen"
)

var update = flag.Bool("update", false, "rewrite docs/errors.md, docs/flags.md and docs/limits.md")

// TestDocs compares the generated documents with what the code says now.
func TestDocs(t *testing.T) {
	root := filepath.Join("..", "..")
	faults, err := docgen.Faults(root)
	if err != nil {
		t.Fatal(err)
	}
	model := commandLine(t)
	limits, err := docgen.Limits(model)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"errors.md": docgen.Errors(faults), "flags.md": docgen.Flags(model), "limits.md": limits,
	} {
		path := filepath.Join(root, "docs", name)
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("docs/%s is not what the code says; run `make generate`. First difference:\n%s", name, firstDifference(string(got), want))
		}
	}
}

func commandLine(t *testing.T) *kong.Application {
	t.Helper()
	parser, err := kong.New(new(cli), kong.Name("seamark"), kong.DefaultEnvars("SEAMARK"), kong.Vars(flagDefaults()))
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			return "missing: " + w[i]
		case i >= len(w):
			return "too much: " + g[i]
		case g[i] != w[i]:
			return "is:     " + g[i] + "\nshould: " + w[i]
		}
	}
	return ""
}
