package alerting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/testkit"
)

const secretConfig = "route: {receiver: hook}\nreceivers:\n  - name: hook\n    webhook_configs: [{url: 'http://127.0.0.1:9/in-plain'}]\n"

func storedConfig(t *testing.T, p *process) jetstream.KeyValueEntry {
	t.Helper()
	entry, err := p.configs.kv.Get(t.Context(), key(tenantA, configKey))
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

// TestConfigsAreSealed reads what a saved configuration leaves in the store, and copies it to another tenant.
func TestConfigsAreSealed(t *testing.T) {
	p := newWorld(t).start(t, "a")
	p.leads(t)
	if err := p.SaveAlertmanagerConfig(t.Context(), tenantA, secretConfig, nil); err != nil {
		t.Fatal(err)
	}
	stored := storedConfig(t, p).Value()
	if bytes.Contains(stored, []byte("in-plain")) || bytes.Contains(stored, []byte("hook")) {
		t.Errorf("the configuration stands in plain: %s", stored)
	}
	if _, err := p.configs.kv.Put(t.Context(), key(tenantB, configKey), stored); err != nil {
		t.Fatal(err)
	}
	if err := p.SaveAlertmanagerConfig(t.Context(), tenantA, secretConfig, nil); err != nil { // what comes after the copy has been seen
		t.Fatal(err)
	}
	if doc, err := p.configOf(tenantB); err != nil || doc != nil {
		t.Errorf("the other tenant has the configuration %+v, %v; want none", doc, err)
	}
}

// TestPlainConfigsAreSealedAtStart starts on a store that was written before there was sealing.
func TestPlainConfigsAreSealedAtStart(t *testing.T) {
	w := newWorld(t)
	first := w.start(t, "a")
	first.leads(t)
	plain, err := json.Marshal(configSource{Config: secretConfig})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.configs.kv.Put(t.Context(), key(tenantA, configKey), plain); err != nil {
		t.Fatal(err)
	}
	second := w.start(t, "b")
	if stored := storedConfig(t, second).Value(); bytes.Contains(stored, []byte("in-plain")) {
		t.Errorf("the configuration still stands in plain: %s", stored)
	}
	for _, p := range []*process{first, second} {
		testkit.Eventually(t, patience, func() error {
			doc, err := p.configOf(tenantA)
			if err == nil && (doc == nil || !strings.Contains(doc.source.Config, "in-plain")) {
				err = fmt.Errorf("the process reads %+v", doc)
			}
			return err
		})
	}
}

// TestRotationKeepsReceivers seals everything anew while an alert is on its way.
func TestRotationKeepsReceivers(t *testing.T) {
	w := newWorld(t)
	p, r := w.start(t, "a"), newReceiver(t)
	p.leads(t)
	p.saveHook(t, tenantA, r.URL)
	before := storedConfig(t, p)
	if _, err := p.opts.Keys.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if report, err := p.opts.Keys.Reseal(t.Context()); err != nil || report.Resealed != 1 {
		t.Fatalf("got %+v, %v; want one value sealed anew", report, err)
	}
	if after := storedConfig(t, p); bytes.Equal(before.Value(), after.Value()) {
		t.Error("the stored configuration is the same as before the rotation")
	}
	w.set(tenantA, "down", pod("a"))
	p.saveGroup(t, tenantA, "ns", alertGroup("Down", "down", "0s"))
	r.hears(t, "firing Down")
}
