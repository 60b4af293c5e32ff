// Package logs_test measures LogQL queries as people and dashboards send them, over a day of a Kubernetes cluster's logs,
// through Seamark's HTTP edge: what it costs to find a word, an id, a count, with ClickHouse's part and what is read.
package logs_test

import (
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// scaleVariable names the environment variable that the number of rows is multiplied by, to try a benchmark out.
const scaleVariable = "SEAMARK_BENCH_SCALE"

// scaled returns n times the scale, at least 1.
func scaled(b *testing.B, n int) int {
	b.Helper()
	text := os.Getenv(scaleVariable)
	if text == "" {
		return n
	}
	scale, err := strconv.ParseFloat(text, 64)
	if err != nil || scale <= 0 {
		b.Fatalf("%s is %q; it must be a positive number", scaleVariable, text)
	}
	return max(1, int(math.Round(float64(n)*scale)))
}
