// Package isolation_test proves that tenants are apart: it walks the route table of a running server with the credentials
// of two tenants that hold the same data but for a marker each, and with every sort of bad credential. It also holds every
// answer of that walk against openapi.yaml.
package isolation_test

import (
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
)

func TestMain(m *testing.M) { inprocess.Main(m) }

func server(t *testing.T) *app.App {
	t.Helper()
	return inprocess.App(t, func(o *app.Options) {
		o.Alerting.EvaluationInterval = time.Second
		o.Tenants.PurgeSettle = time.Hour // the credentials of a deleted tenant are refused as such, until they are purged
	})
}
