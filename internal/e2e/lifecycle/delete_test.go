package lifecycle_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

const engineUser = engine.AdminUser

// furnish gives a tenant something in every place that there is.
func (f *fleet) furnish(a *account, canary string) {
	f.t.Helper()
	rule := "name: g\ninterval: 10s\nrules: [{record: \"a:b\", expr: \"vector(1)\", labels: {canary: " + canary + "}}, {alert: Always, expr: \"vector(1)\"}]\n"
	f.call(0, http.MethodPost, "/prometheus/config/v1/rules/"+canary, a.admin, rule, http.StatusAccepted)
	f.call(0, http.MethodPost, "/api/v1/alerts", a.admin, "alertmanager_config: |\n  route: {receiver: "+canary+"}\n  receivers: [{name: "+canary+"}]\n", http.StatusCreated)
	start, end := time.Now().UTC().Format(time.RFC3339), time.Now().UTC().Add(time.Hour).Format(time.RFC3339)
	f.call(0, http.MethodPost, "/alertmanager/api/v2/silences", a.admin, fmt.Sprintf(
		`{"matchers":[{"name":"x","value":%q,"isRegex":false,"isEqual":true}],"startsAt":%q,"endsAt":%q,"createdBy":"ann","comment":"c"}`, canary, start, end), http.StatusOK)
	f.call(0, http.MethodPut, "/api/v1/pipelines", a.admin,
		`{"revision":0,"pipelines":[{"name":"p","steps":[{"name":"`+canary+`","kind":"transform","statements":["set(log.attributes[\"x\"], \"y\")"]}]}]}`, http.StatusOK)
	f.call(0, http.MethodPut, "/api/v1/retention", a.session, `{"signals":{"logs":20},"streams":[{"signal":"logs","selector":"{canary=\"`+canary+`\"}","days":5}]}`, http.StatusOK)
}

// TestDeleteUnderIngest deletes a tenant while agents push to all nodes: nothing of it is left, nothing comes back, the
// tenant beside it keeps every row exactly once, and the certificate says what was deleted.
func TestDeleteUnderIngest(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, "--alerting.evaluation-interval", "1s")
	const canary, other = "canarygone", "canarystays"
	gone, stays := f.account("goner"), f.account("stayer")
	f.furnish(gone, canary)
	f.furnish(stays, other)
	leaving, staying := f.pushing(gone, canary, 3), f.pushing(stays, other, 2)
	testkit.Eventually(t, within, func() error {
		for _, a := range []*account{gone, stays} {
			if n := f.sql("SELECT count() FROM system.parts WHERE active AND database = '" + a.Database() + "' AND table = 'logs'"); n == "0" {
				return fmt.Errorf("nothing of %s is stored yet", a.Slug)
			}
		}
		return nil
	})
	result, kept := f.keepResult(gone, canary), f.keepResult(stays, other)

	f.call(0, http.MethodDelete, "/api/v1/tenants/"+gone.id+"?grace=0s", f.operator, "", http.StatusOK)
	f.refusedEverywhere(gone, time.Second)
	var signed tenant.SignedCertificate
	testkit.Eventually(t, within, func() error {
		a, err := f.send(t.Context(), 1, http.MethodGet, "/api/v1/tenants/"+gone.id+"/certificate", f.operator, "")
		if err != nil {
			return err
		}
		if a.Status != http.StatusOK {
			return fmt.Errorf("no certificate yet: %d %s", a.Status, a.Body)
		}
		return json.Unmarshal(a.Body, &signed)
	})
	leaving.end()
	f.checkCertificate(gone, signed)
	staying.end()
	f.checkEverythingGone(gone, canary)
	f.checkStays(stays, staying.stored.Load())
	f.checkResults(t, gone, stays, result, kept)
	if leaving.refused.Load() == 0 {
		t.Error("no push was refused: the deletion was not under ingest")
	}
	// Nodes that start anew find no trace either, and make none.
	for i, node := range f.nodes {
		for _, name := range []string{"seamark_writer_doubts_total", "seamark_writer_stream_losses_total", "seamark_changes_unrecorded_total"} {
			if n, err := node.Metric(t.Context(), name, ""); err != nil || n != 0 {
				t.Errorf("node %d: %s is %v, %v, want 0", i, name, n, err)
			}
		}
	}
	if answer := f.call(0, http.MethodPost, "/api/v1/tenants", f.operator, `{"slug":"goner"}`, http.StatusCreated); strings.Contains(answer, gone.id) {
		t.Errorf("the slug's new tenant is the old one: %s", answer)
	}
}

// refusedEverywhere waits until every node refuses a tenant's credentials, at most for the time that is promised.
func (f *fleet) refusedEverywhere(a *account, promise time.Duration) {
	f.t.Helper()
	begin := time.Now()
	for node := range f.nodes {
		testkit.Eventually(f.t, within, func() error {
			got, err := f.send(f.t.Context(), node, http.MethodGet, "/loki/api/v1/labels", a.Query, "")
			if err == nil && got.Status != http.StatusForbidden && got.Status != http.StatusUnauthorized {
				err = fmt.Errorf("node %d: got %d %s, want 403", node, got.Status, got.Body)
			}
			return err
		})
	}
	if took := time.Since(begin); took > promise {
		f.t.Logf("all nodes refused after %s; the promise is %s on a machine that is not shared", took, promise)
	}
}

func (f *fleet) checkCertificate(a *account, signed tenant.SignedCertificate) {
	f.t.Helper()
	if _, err := tenant.VerifyCertificate(signed); err != nil {
		f.t.Errorf("the certificate: %v", err)
	}
	erased := map[string]uint64{}
	for _, e := range signed.Certificate.Erased {
		erased[e.Place] = e.Items
	}
	for _, place := range []string{
		"clickhouse table " + a.Database() + ".logs", "seamark_tokens", "seamark_clusters", "seamark_rules", "seamark_alertmanager", "seamark_users", "SEAMARK_CHANGES",
		"seamark_query_jobs", "SEAMARK_RESULTS",
	} {
		if erased[place] == 0 {
			f.t.Errorf("the certificate tells of nothing from %s: %v", place, erased)
		}
	}
	if c := signed.Certificate; string(c.Tenant) != a.id || c.Slug != a.Slug || len(c.Proof.Looks) != 2 || len(c.Kept) == 0 {
		f.t.Errorf("got the certificate %+v", c)
	}
	signed.Certificate.Passes++
	if _, err := tenant.VerifyCertificate(signed); err == nil {
		f.t.Error("a changed certificate is believed")
	}
}

// checkEverythingGone looks for a tenant's id, its canary, its database, its tokens and its person in all tables and in all
// messages of NATS, the documents among them.
func (f *fleet) checkEverythingGone(a *account, canary string) {
	f.t.Helper()
	if n := f.sql("SELECT count() FROM system.tables WHERE database = '" + a.Database() + "'"); n != "0" {
		f.t.Errorf("ClickHouse has %s tables of it", n)
	}
	if n := f.sql("SELECT count() FROM system.databases WHERE name = '" + a.Database() + "'"); n != "0" {
		f.t.Error("ClickHouse has its database")
	}
	nc, err := nats.Connect(f.nats.URL)
	if err != nil {
		f.t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		f.t.Fatal(err)
	}
	needles := []string{a.id, canary, a.Database(), a.IngestKey, a.Slug + "@example.org"}
	names := js.StreamNames(f.t.Context())
	for name := range names.Name() {
		stream, err := js.Stream(f.t.Context(), name)
		if err != nil {
			f.t.Fatal(err)
		}
		state := stream.CachedInfo().State
		for n := state.FirstSeq; n <= state.LastSeq && state.Msgs > 0; n++ {
			msg, err := stream.GetMsg(f.t.Context(), n)
			if errors.Is(err, jetstream.ErrMsgNotFound) {
				continue
			}
			if err != nil {
				f.t.Fatal(err)
			}
			if len(msg.Data) == 0 && msg.Header.Get("KV-Operation") != "" && !strings.Contains(msg.Subject, a.id) {
				continue // the marker of a deleted document, whose random key says nothing of a tenant
			}
			text := msg.Subject + " " + fmt.Sprint(msg.Header) + " " + string(msg.Data)
			for _, needle := range needles {
				if strings.Contains(text, needle) && !kept(msg.Subject, a.id) {
					f.t.Errorf("stream %s holds %q: %.300q", name, needle, text)
				}
			}
		}
	}
	if err := names.Err(); err != nil {
		f.t.Fatal(err)
	}
}

// kept are the subjects that may mention a deleted tenant, as its certificate says.
func kept(subject, id string) bool {
	for _, prefix := range []string{
		"$KV.seamark_tenants.tenant." + id, "$KV.seamark_certificates.", "seamark.changes.platform", "$KV.seamark_quota.", "$KV.seamark_writer.",
		"$KV.seamark_idempotency.", // sealed
	} {
		if strings.HasPrefix(subject, prefix) {
			return true
		}
	}
	return false
}

// checkStays counts the rows of the tenant that was not deleted: each that was acknowledged, once.
func (f *fleet) checkStays(a *account, lines int64) {
	f.t.Helper()
	testkit.Eventually(f.t, within, func() error {
		got, err := strconv.ParseInt(f.sql("SELECT count() FROM "+a.Database()+".logs"), 10, 64)
		if err == nil && got < lines {
			err = fmt.Errorf("%d of %d lines are stored", got, lines)
		}
		return err
	})
	rows := strings.Fields(f.sql("SELECT count(), uniqExact(body) FROM " + a.Database() + ".logs"))
	if len(rows) != 2 || rows[0] != rows[1] {
		f.t.Errorf("lines and different lines are %v: some are there twice", rows)
	}
	f.call(0, http.MethodGet, "/api/v1/retention", a.session, "", http.StatusOK)
}
