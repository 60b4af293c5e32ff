// Package promcompat_test asks Seamark over HTTP and Prometheus' own engine over its own storage the same questions about
// the same samples, and wants the same answers, bit for bit.
package promcompat_test

import (
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
)

func TestMain(m *testing.M) { inprocess.Main(m) }
