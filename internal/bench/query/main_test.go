// Package query_test measures PromQL queries of the size that dashboards send, over a day of a Kubernetes cluster's
// metrics, and the same queries over the same samples in Prometheus' engine and storage in the same run. Only the engine
// and what lies under it differ: both answer through Seamark's HTTP edge and its JSON.
package query_test

import (
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// scaleVariable names the environment variable that the number of series is multiplied by, to try a benchmark out.
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
