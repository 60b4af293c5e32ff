package ingest_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// limited is a quota that says nothing but the limits of one request.
type limited struct{ limits seamark.Limits }

func (limited) Check(seamark.Principal, seamark.Signal) error           { return nil }
func (limited) Admit(seamark.Principal, seamark.Signal, int, int) error { return nil }
func (limited) AdmitSeries(seamark.Principal, *seamark.Batch)           {}
func (limited) Refund(seamark.Principal, int, int)                      {}
func (l limited) Limits(seamark.Principal) seamark.Limits               { return l.limits }

// TestAttributesOfATenant sends a line with three attributes where the installation takes 128 and the tenant two, and where
// it is the other way round.
func TestAttributesOfATenant(t *testing.T) {
	r := newRig(t)
	now := time.Now().UnixNano()
	loki := fmt.Sprintf(`{"streams":[{"stream":{"app":"web"},"values":[["%d","x",{"a":"1","b":"2","c":"3"}]]}]}`, now)
	value := func(key string) string { return `{"key":"` + key + `","value":{"stringValue":"1"}}` }
	otlp := fmt.Sprintf(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"x"},"attributes":[%s,%s,%s]}]}]}]}`,
		now, value("a"), value("b"), value("c"))
	open := func(installation, tenant int) {
		r.openFront(func(o *ingest.Options) {
			o.Registerer = prometheus.NewRegistry()
			o.Limits.MaxAttrs = installation
			l := o.Limits
			l.MaxAttrs = tenant
			o.Quota = limited{l}
		})
	}

	open(128, 2)
	w := r.push("/loki/api/v1/push", "application/json", loki)
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "seamark-attributes-limit x1: A line has 3 pairs of structured metadata; the limit is 2 (--ingest.max-attrs).")
	w = r.push("/v1/logs", "application/json", otlp)
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "the limit is 2")

	open(2, 128)
	w = r.push("/loki/api/v1/push", "application/json", loki)
	require.Equal(t, http.StatusNoContent, w.Code, w.Body.String())
	w = r.push("/v1/logs", "application/json", otlp)
	require.Equal(t, "{}", w.Body.String())
}
