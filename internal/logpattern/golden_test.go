package logpattern

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestCorpus mines lines of mixed formats, those of a Kubernetes control plane among them, and compares the templates with a
// golden file. The counts add up to the lines.
func TestCorpus(t *testing.T) {
	corpus, err := os.ReadFile(filepath.Join("testdata", "corpus.txt"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(corpus), "\n"), "\n")
	tree, counts := NewTree(DefaultTreeOptions()), map[string]int{}
	for _, line := range lines {
		counts[tree.Learn(line, 0).Text]++
	}
	var texts []string
	for text := range counts {
		texts = append(texts, text)
	}
	slices.Sort(texts)
	joined := map[string]int{}
	for i, general := range Fold(texts) {
		joined[texts[general]] += counts[texts[i]]
	}
	var got strings.Builder
	total := 0
	for _, text := range texts {
		if n := joined[text]; n > 0 {
			fmt.Fprintf(&got, "%4d %s\n", n, text)
			total += n
		}
	}
	if total != len(lines) {
		t.Errorf("%d lines are counted of %d", total, len(lines))
	}
	golden := filepath.Join("testdata", "templates.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("templates (-want +got):\n%s", diff)
	}
}
