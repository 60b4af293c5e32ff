// Package crash proves that what Seamark has acknowledged is stored exactly once, whichever of its processes dies when.
package crash

import (
	"os"
	"strconv"
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// cycles is how often each kind of crash happens: few in every run, twice where the second meets what the first has left, and
// many where SEAMARK_CRASH_CYCLES says so.
func cycles(t *testing.T, few int) int {
	t.Helper()
	text := os.Getenv("SEAMARK_CRASH_CYCLES")
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("SEAMARK_CRASH_CYCLES=%q is not a number from 1 up", text)
	}
	return n
}
