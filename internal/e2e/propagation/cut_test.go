package propagation_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

const (
	// The bounds of the node that is cut off, in the proportion of their defaults: 30 s and 5 min.
	maxAdminAge, maxIngestAge = 2 * time.Second, 20 * time.Second
	// flaggedWithin is when a node says that it does not hear of changes.
	flaggedWithin = time.Second
	// beatWithin is how old the last beat before the cut may be, from which the other bounds count; with room for a busy machine.
	beatWithin = 2 * time.Second
	// freshWithin is how long after the store is back a node may take to know all again. On a machine of its own it takes a second;
	// this is what it takes at most where the nodes share two cores with much else.
	freshWithin = 10 * time.Second
)

// cut is a node that loses touch, and what it did meanwhile. goDark runs beside other tests, so it keeps its findings for judge.
type cut struct {
	f                                         *fleet
	ingest, query                             credential // stay good
	lostIngest, lostQuery, lostKey, lostAdmin credential // are revoked while the node is cut off
	faults                                    []string
	flagged, adminClosed, ingestClosed, fresh turn
}

func (c *cut) faultf(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

func (f *fleet) prepareCut(t *testing.T) *cut {
	t.Helper()
	made, err := f.directory.CreateTenant(t.Context(), tenant.TenantSpec{Slug: "apart"})
	if err != nil {
		t.Fatal(err)
	}
	apart := *f // whose tenant is another, which nobody suspends meanwhile
	apart.tenant = made.ID
	apart.owner = apart.person(t, "apart", "--tenant", "apart", "--role", "owner")
	c := &cut{f: &apart}
	_, c.ingest = apart.cluster(t, "stays")
	_, c.lostIngest = apart.cluster(t, "goes")
	c.query, c.lostQuery, c.lostAdmin = apart.token(t, seamark.QueryToken), apart.token(t, seamark.QueryToken), apart.token(t, seamark.AdminToken)
	apart.must(t, &c.lostKey, 0, apart.owner, http.MethodPost, "/api/v1/keys", `{"name":"k","role":"admin"}`)
	testkit.Eventually(t, startWithin, func() error {
		for path, token := range map[string]string{"/api/v1/tokens": c.lostKey.Secret, "/api/v1/quotas": c.lostAdmin.Secret, "/prometheus/api/v1/query?query=1": c.lostQuery.Secret} {
			status, err := apart.ask(apart.apart, token, path)
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("%s before the cut: status %d", path, status)
			}
			if err != nil {
				return err
			}
		}
		return apart.ready(apart.apart)
	})
	return c
}

// ready fails unless the node says that all is well.
func (f *fleet) ready(node *harness.Server) error {
	if text := f.readiness(node); text != "200 ready" {
		return fmt.Errorf("the node says %q", text)
	}
	return nil
}

// stale reports whether the node says that it does not hear of changes, and works on.
func (f *fleet) stale(node *harness.Server) bool {
	return strings.HasPrefix(f.readiness(node), "200 ready\nstale: ")
}

// readiness returns what the node says of itself: status and text.
func (f *fleet) readiness(node *harness.Server) string {
	answer, err := f.client.Get(node.AdminURL + "/readyz")
	if err != nil {
		return err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	return strconv.Itoa(answer.StatusCode) + " " + strings.TrimSpace(string(text))
}

// turn is when a node changed what it answers, since the way was cut or opened: it was asked last before the turn, and had
// answered first after it. The time that an answer takes on a busy machine is in neither bound.
type turn struct{ asked, answered time.Duration }

// await polls until done, within a minute, and reports whether it is.
func await(begin time.Time, done func() bool) (t turn, came bool) {
	for t.asked < time.Minute+maxIngestAge {
		asked := time.Since(begin)
		if done() {
			t.answered = time.Since(begin)
			return t, true
		}
		t.asked = asked
		<-time.After(20 * time.Millisecond)
	}
	return t, false
}

func (c *cut) await(what string, begin time.Time, done func() bool) turn {
	t, came := await(begin, done)
	if !came {
		c.faultf("%s did not come", what)
	}
	return t
}

// refusedStale asks the cut node and reports whether it refuses for want of fresh knowledge, with all that a sender needs.
func (c *cut) refusedStale(token, method, path, body string) bool {
	answer, err := c.f.send(c.f.apart, token, method, path, body)
	if err != nil {
		c.faultf("%s %s: %v", method, path, err)
		return false
	}
	stale := answer.Status == http.StatusServiceUnavailable && strings.Contains(string(answer.Body), "lost touch with the control plane")
	if stale && answer.Header.Get("Retry-After") == "" {
		c.faultf("%s %s: the refusal tells no Retry-After: %s", method, path, answer.Body)
	}
	return stale
}

// goDark cuts the node off, revokes what it cannot hear of, and looks at what it does until it is back.
func (c *cut) goDark() {
	f := c.f
	f.relay.hold(true)
	begin := time.Now()
	c.flagged = c.await("the flag of staleness", begin, func() bool { return f.stale(f.apart) })
	for _, path := range []string{"/api/v1/tokens/" + c.lostIngest.ID, "/api/v1/tokens/" + c.lostQuery.ID, "/api/v1/tokens/" + c.lostAdmin.ID, "/api/v1/keys/" + c.lostKey.ID} {
		if answer, err := f.send(f.nodes[0], f.owner, http.MethodDelete, path, ""); err != nil || answer.Status != http.StatusNoContent {
			c.faultf("DELETE %s: %v %+v", path, err, answer)
		}
	}
	c.adminClosed = c.await("the end of administration", begin, func() bool { return c.refusedStale(f.owner, http.MethodGet, "/api/v1/clusters", "") })
	<-time.After(time.Until(begin.Add(maxAdminAge))) // tokens are checked against fewer buckets than sessions, whose last beats may be newer
	for who, token := range map[string]string{"a revoked admin token": c.lostAdmin.Secret, "a revoked key": c.lostKey.Secret} {
		if !c.refusedStale(token, http.MethodPost, "/api/v1/clusters", `{"name":"dark"}`) {
			c.faultf("%s is not refused %s after the cut", who, time.Since(begin))
		}
	}
	if status, err := f.ask(f.apart, c.query.Secret, "/prometheus/api/v1/query?query=1"); err != nil || status != http.StatusOK {
		c.faultf("a query %s after the cut: status %d %v; readers go on until %s", time.Since(begin), status, err, maxIngestAge)
	}
	c.ingestClosed = c.await("the end of queries", begin, func() bool {
		return c.refusedStale(c.query.Secret, http.MethodGet, "/prometheus/api/v1/query?query=1", "")
	})
	for who, token := range map[string]string{"a good token": c.ingest.Secret, "a revoked token": c.lostIngest.Secret} {
		if !c.refusedStale(token, http.MethodPost, "/loki/api/v1/push", lineBody("dark", 1, 10)) {
			c.faultf("%s may still push %s after the cut", who, time.Since(begin))
		}
	}
	if text := f.readiness(f.apart); !strings.HasPrefix(text, "503 ") || !strings.Contains(text, "--directory.max-ingest-age") {
		c.faultf("%s after the cut the node says %q", time.Since(begin), text)
	}
	f.relay.hold(false)
	back := time.Now()
	c.fresh = c.await("the end of staleness", back, func() bool { return f.ready(f.apart) == nil })
	c.afterwards()
}

// afterwards looks that what was revoked meanwhile is refused, and the rest goes on.
func (c *cut) afterwards() {
	f := c.f
	for range after {
		for path, token := range map[string]string{"/api/v1/tokens": c.lostKey.Secret, "/api/v1/quotas": c.lostAdmin.Secret, "/prometheus/api/v1/query?query=1": c.lostQuery.Secret} {
			if status, err := f.ask(f.apart, token, path); err != nil || status != http.StatusUnauthorized {
				c.faultf("%s with what was revoked: status %d %v, want 401", path, status, err)
			}
		}
		for token, want := range map[string]int{c.lostIngest.Secret: http.StatusUnauthorized, c.ingest.Secret: http.StatusNoContent} {
			if status, err := f.push(f.apart, token, lineBody("back", 1, 10)); err != nil || status != want {
				c.faultf("a push after the node is back: status %d %v, want %d", status, err, want)
			}
		}
		if status, err := f.ask(f.apart, f.owner, "/api/v1/clusters"); err != nil || status != http.StatusOK {
			c.faultf("the owner after the node is back: status %d %v", status, err)
		}
	}
}

// judge holds what was found against the published bounds.
func (c *cut) judge(t *testing.T) {
	t.Logf("cut off: flagged after %s, administration refused after %s, all refused after %s; back: fresh after %s",
		round(c.flagged.answered), round(c.adminClosed.answered), round(c.ingestClosed.answered), round(c.fresh.answered))
	for _, fault := range c.faults {
		t.Error(fault)
	}
	const slack = 100 * time.Millisecond // between the cut and what was on its way
	for _, b := range []struct {
		what     string
		got      turn
		from, to time.Duration
	}{
		{"flag", c.flagged, 0, flaggedWithin}, {"end of administration", c.adminClosed, maxAdminAge - beatWithin, maxAdminAge},
		{"end of ingest", c.ingestClosed, maxIngestAge - beatWithin, maxIngestAge}, {"end of staleness", c.fresh, 0, freshWithin},
	} {
		if b.got.answered < b.from || b.got.asked > b.to+slack {
			t.Errorf("the %s had not come %s after the cut, and had come after %s; want it %s to %s after", b.what, b.got.asked, b.got.answered, b.from, b.to)
		}
	}
}
