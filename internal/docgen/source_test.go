package docgen_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/internal/docgen"
)

func TestFaults(t *testing.T) {
	got, err := docgen.Faults("testdata")
	if err != nil {
		t.Fatal(err)
	}
	want := []docgen.Fault{
		{ID: "seamark-order-empty", Kind: "Invalid", Message: "Ask for more than … wares.", Package: "desk"},
		{ID: "seamark-shop-busy", Kind: "Unavailable", Message: "Come back in … s.", Package: "shop"},
		{ID: "seamark-ware-broken", Message: "Ware 7 is broken.", Package: "shop"},
		{ID: "seamark-ware-hidden", Package: "shop"},
		{ID: "seamark-ware-large", Kind: "TooLarge", Message: "It has … bytes; the limit is … (--shop.max).", Package: "shop"},
		{ID: "seamark-ware-odd", Kind: "Invalid", Package: "shop"},
		{ID: "seamark-ware-sold", Kind: "NotFound", Message: "It is sold.", Package: "shop"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestErrorsJoinsMessages(t *testing.T) {
	text := docgen.Errors([]docgen.Fault{
		{ID: "seamark-a-b", Kind: "Invalid", Message: "One | two.", Package: "x"},
		{ID: "seamark-a-b", Kind: "Invalid", Message: "Three.", Package: "y"},
		{ID: "seamark-c-d", Package: "x"},
	})
	for _, want := range []string{
		"| `seamark-a-b` | Invalid | One \\| two.<br>Three. | x, y |\n",
		"| `seamark-c-d` | says what is wrong in the case at hand | x |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("got no row %q in\n%s", want, text)
		}
	}
}

// TestEveryModuleHasAReason reads the direct modules of go.mod, of the Terraform provider's and of the tests of Terraform's modules, and looks
// for each in the decision about dependencies.
func TestEveryModuleHasAReason(t *testing.T) {
	root := filepath.Join("..", "..")
	reasons := read(t, filepath.Join(root, "docs", "decisions", "0005-dependencies.md"))
	all := read(t, filepath.Join(root, "go.mod")) + read(t, filepath.Join(root, "terraform", "provider", "go.mod")) + read(t, filepath.Join(root, "terraform", "modules", "test", "go.mod"))
	direct := regexp.MustCompile(`(?m)^\t(\S+\.\S+/\S+) v\S+$`).FindAllStringSubmatch(all, -1)
	seen := map[string]bool{"github.com/prometheus/common": true, "github.com/seamarkhq/seamark": true} // excluded versions, and ourselves
	count := 0
	for _, m := range direct {
		if seen[m[1]] {
			continue
		}
		seen[m[1]] = true
		count++
		if !strings.Contains(reasons, "| `"+m[1]+"` | ") {
			t.Errorf("%s has no line in docs/decisions/0005-dependencies.md", m[1])
		}
	}
	if lines := strings.Count(reasons, "\n| `"); lines != count {
		t.Errorf("docs/decisions/0005-dependencies.md lists %d modules, go.mod has %d direct ones", lines, count)
	}
}

// TestLinks follows every relative link of the documents.
func TestLinks(t *testing.T) {
	root := filepath.Join("..", "..")
	var files []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	link := regexp.MustCompile(`\]\(([^)#]+)`)
	links := 0
	for _, file := range files {
		for _, m := range link.FindAllStringSubmatch(read(t, file), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", file, m[1])
			}
		}
	}
	if links == 0 {
		t.Error("no link was found: the test looked in the wrong place")
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
