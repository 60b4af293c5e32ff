package docgen_test

import (
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
