// Package clients_test sends to Seamark what clients of other makers send, with those makers' own code, reads it back the
// way Grafana does, and compares value by value.
package clients_test

import (
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
)

func TestMain(m *testing.M) { inprocess.Main(m) }

// newTenant returns a tenant of the test's own on the package's server. Its cluster is named eu-1.
func newTenant(t *testing.T, slug string) *inprocess.Tenant {
	t.Helper()
	return inprocess.NewTenant(t, inprocess.App(t, nil), slug, "eu-1")
}
