package main

import (
	"encoding/json"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const lockText = `{"lockfileVersion": 3, "packages": {
	"": {"version": "0.0.0", "license": "Apache-2.0"},
	"node_modules/react": {"version": "19.3.1", "integrity": "sha512-AAEC", "license": "MIT"},
	"node_modules/a/node_modules/@lezer/lr": {"version": "1.0.0", "integrity": "sha512-/w==", "license": "(MIT OR Apache-2.0)"},
	"node_modules/vite": {"version": "8.3.8", "integrity": "sha512-AAEC", "dev": true},
	"node_modules/here": {"link": true}
}}`

func TestNPMComponents(t *testing.T) {
	got, err := npmComponents([]byte(lockText))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, func(a, b component) int { return strings.Compare(a.Name, b.Name) })
	want := []component{
		{
			Ref: "pkg:npm/%40lezer/lr@1.0.0", Type: "library", Name: "@lezer/lr", Version: "1.0.0", PURL: "pkg:npm/%40lezer/lr@1.0.0",
			Hashes: []hash{{"SHA-512", "ff"}}, Licenses: []license{{"(MIT OR Apache-2.0)"}},
		},
		{
			Ref: "pkg:npm/react@19.3.1", Type: "library", Name: "react", Version: "19.3.1", PURL: "pkg:npm/react@19.3.1",
			Hashes: []hash{{"SHA-512", "000102"}}, Licenses: []license{{"MIT"}},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestNPMComponentsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"lockfileVersion": 1, "packages": {}}`: "lockfileVersion 1",
		`{"lockfileVersion": 3, "packages": {"node_modules/x": {"version": "1.0.0", "integrity": "sha1-AAEC"}}}`: "node_modules/x has the integrity",
		`[`: "unexpected end",
	} {
		if _, err := npmComponents([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", text, err, want)
		}
	}
}

func TestGoComponents(t *testing.T) {
	got := goComponents(&debug.BuildInfo{GoVersion: "go1.26.8", Deps: []*debug.Module{
		{Path: "github.com/ClickHouse/ch-go", Version: "v0.74.0", Sum: "h1:x="},
		{Path: "example.org/old", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/new", Version: "v2.0.0+incompatible", Sum: "h1:y="}},
	}})
	want := []component{
		{Ref: "pkg:golang/stdlib@1.26.8", Type: "library", Name: "stdlib", Version: "1.26.8", PURL: "pkg:golang/stdlib@1.26.8"},
		{
			Ref: "pkg:golang/github.com/clickhouse/ch-go@v0.74.0", Type: "library", Name: "github.com/ClickHouse/ch-go", Version: "v0.74.0",
			PURL: "pkg:golang/github.com/clickhouse/ch-go@v0.74.0", Properties: []property{{"go:sum", "h1:x="}},
		},
		{
			Ref: "pkg:golang/example.org/new@v2.0.0+incompatible", Type: "library", Name: "example.org/new", Version: "v2.0.0+incompatible",
			PURL: "pkg:golang/example.org/new@v2.0.0+incompatible", Properties: []property{{"go:sum", "h1:y="}},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestBillIsTheSame makes the same bill from components in two orders, and another from one more.
func TestBillIsTheSame(t *testing.T) {
	parts := []component{goComponent("b", "v1.0.0", ""), goComponent("a", "v1.0.0", ""), goComponent("b", "v1.0.0", "")}
	render := func(parts []component) (*bill, string) {
		b, err := newBill("v1.2.3", time.Unix(1_700_000_000, 0), parts)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		return b, string(text)
	}
	one, text := render(slices.Clone(parts))
	slices.Reverse(parts)
	if _, again := render(parts); again != text {
		t.Errorf("the order of components changes the bill:\n%s\n%s", text, again)
	}
	if len(one.Components) != 2 || one.Metadata.Timestamp != "2023-11-14T22:13:20Z" || len(one.Dependencies[0].DependsOn) != 2 {
		t.Errorf("bill: %s", text)
	}
	if other, _ := render(append(parts, goComponent("c", "v1.0.0", ""))); other.SerialNumber == one.SerialNumber {
		t.Errorf("two bills have the serial number %s", one.SerialNumber)
	}
}
