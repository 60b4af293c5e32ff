package failover_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	// takeover is what is promised from a holder's end to its tenants' beginning elsewhere.
	takeover = 12 * time.Second
	// slack is ingest, storing and the evaluation itself, on a machine that is shared.
	slack = 5 * time.Second
	// underWay is how long before a holder's end a message may have arrived that it had no time to write down: the declared duplicate.
	underWay = time.Second

	steady   = 4 // groups of each tenant that fire all the time
	silenced = 1 // of them, the first, behind a silence
)

// episode is one time that an alert fires.
type episode struct {
	alert      string
	from, till time.Time // till is zero while it goes on
	hold       time.Duration
}

// soak is the record of a run.
type soak struct {
	*fleet
	episodes []*episode
	ends     []time.Time         // when holders were killed or stopped
	silences map[string]*account // that were acknowledged, by id
	quiet    map[string]bool     // alerts behind a silence
	open     [][2]int            // tenant and group of this cycle's episodes

	late, endLate, resolvedFalsely, repeated, repeatedUndeclared, lost, quietHeard int
	longest, longestEnd                                                            time.Duration
}

// TestFailoverSoak ends holders in turns, by a kill and by a pause that lasts beyond their right, while alerts begin and end.
func TestFailoverSoak(t *testing.T) {
	begun := time.Now()
	s := &soak{fleet: newFleet(t), silences: map[string]*account{}, quiet: map[string]bool{}}
	s.configure()
	s.shared()
	for _, x := range s.tenants {
		s.silence(x, alertOf(x, 0))
	}
	now := time.Now()
	for _, x := range s.tenants {
		for g := range steady {
			x.values[g] = 1
			if g >= silenced {
				s.episodes = append(s.episodes, &episode{alert: alertOf(x, g), from: now, hold: 4 * time.Second})
			}
		}
		s.push(x)
	}
	s.awaitAll()
	t.Logf("%d groups of %d tenants run on %d replicas after %s", tenantCount*groupsPerTenant, tenantCount, replicaCount, time.Since(begun).Round(time.Second))
	for n := range cycles() {
		s.cycle(n)
	}
	s.settle()
	s.judge()
	t.Logf("%d ends of holders in %s: %d alerts fired, the slowest after %s, the slowest end after %s; late %d, late ends %d, false ends %d, repeated %d of which undeclared %d, silences lost %d of %d, silenced alerts told %d",
		len(s.ends), time.Since(begun).Round(time.Second), len(s.episodes), s.longest.Round(100*time.Millisecond), s.longestEnd.Round(100*time.Millisecond), s.late, s.endLate, s.resolvedFalsely, s.repeated, s.repeatedUndeclared, s.lost, len(s.silences), s.quietHeard)
	if s.late+s.endLate+s.resolvedFalsely+s.repeatedUndeclared+s.lost+s.quietHeard > 0 {
		t.Fail()
	}
}

// cycle ends one holder right after alerts begin and one silence is set, and lets it come back.
func (s *soak) cycle(n int) {
	victim := s.replicas[n%replicaCount]
	other := s.replicas[(n+1)%replicaCount]
	begins := s.begins(n)
	for i, at := range begins { // half of them before the end, so that some are under way, and half after it
		if i == len(begins)/2 {
			s.endOf(victim, n)
			s.silenceAt(other, s.tenants[n%tenantCount], fmt.Sprintf("none-%d", n))
		}
		x := s.tenants[at[0]]
		x.values[at[1]] = 1
		s.push(x)
		hold := time.Duration(0)
		if at[1]%4 == 3 {
			hold = 4 * time.Second
		}
		s.episodes = append(s.episodes, &episode{alert: alertOf(x, at[1]), from: time.Now(), hold: hold})
	}
	for _, at := range s.open { // those of the cycle before end while their holder may be away
		x := s.tenants[at[0]]
		x.values[at[1]] = 0
		s.push(x)
		s.finish(alertOf(x, at[1]))
	}
	s.open = begins
	s.awaitAll()
	s.backAgain(victim, n)
}

// begins returns the groups that begin to fire in a cycle: one of each tenant, others than those of the cycle before.
func (s *soak) begins(n int) (list [][2]int) {
	for i := range s.tenants {
		list = append(list, [2]int{i, steady + (n+i)%(groupsPerTenant-steady)})
	}
	return list
}

func (s *soak) finish(alert string) {
	for _, e := range s.episodes {
		if e.alert == alert && e.till.IsZero() && e.from.Before(time.Now()) {
			e.till = time.Now()
			return
		}
	}
}

// endOf kills a replica, or stops it.
func (s *soak) endOf(r *replica, n int) {
	s.ends = append(s.ends, time.Now())
	if n%2 == 0 {
		r.Kill()
		return
	}
	r.stop()
}

// backAgain starts a replica that was killed, and lets one go on that was stopped; it must notice by itself what it missed.
func (s *soak) backAgain(r *replica, n int) {
	s.t.Helper()
	if n%2 == 0 {
		l := s.launch(r)
		if err := l.WaitReady(startWithin); err != nil {
			s.t.Fatal(err)
		}
		r.Server = &l.Server
	} else {
		r.goOn()
	}
	s.shared()
}

func (s *soak) silence(x *account, alert string) {
	s.quiet[alert] = true
	s.silenceAt(s.replicas[0], x, alert)
}

// silenceAt sets a silence at a replica, whoever holds the tenant, and keeps in mind what was acknowledged.
func (s *soak) silenceAt(at *replica, x *account, alert string) {
	s.t.Helper()
	now := time.Now().UTC()
	body := fmt.Sprintf(`{"matchers":[{"name":"alertname","value":%q,"isRegex":false,"isEqual":true}],"startsAt":%q,"endsAt":%q,"createdBy":"soak","comment":"soak"}`,
		alert, now.Format(time.RFC3339Nano), now.Add(time.Hour).Format(time.RFC3339Nano))
	testkit.Eventually(s.t, time.Minute, func() error {
		answer, err := harness.Do(s.t.Context(), http.DefaultClient, &harness.Request{URL: at.URL + "/alertmanager/api/v2/silences", Token: x.admin, Type: "application/json", Body: []byte(body)})
		if err != nil {
			return err
		}
		var made struct{ SilenceID string }
		if err := decode(answer, &made); err != nil {
			return err
		}
		s.silences[made.SilenceID] = x
		return nil
	})
}

// awaitAll waits until every alert that fires was told, or its time is long over.
func (s *soak) awaitAll() {
	limit := interval + takeover + 2*slack + 4*time.Second
	begun := time.Now()
	for time.Since(begun) < 2*limit {
		missing := slices.ContainsFunc(s.episodes, func(e *episode) bool {
			return e.till.IsZero() && len(s.told(e)) == 0 && time.Since(e.from) < limit
		})
		if !missing {
			return
		}
		pause := time.NewTimer(100 * time.Millisecond)
		<-pause.C
	}
}

// told returns the notifications that an alert fires, of one episode.
func (s *soak) told(e *episode) (list []heard) {
	for _, one := range s.hook.of(e.alert, e.from) {
		if one.status == "firing" && (e.till.IsZero() || one.at.Before(e.till.Add(interval+takeover+slack))) {
			list = append(list, one)
		}
	}
	return list
}

// settle waits until the last holder's end is over, and whatever a stopped one would still do is done.
func (s *soak) settle() {
	s.shared()
	pause := time.NewTimer(3 * interval)
	<-pause.C
}

// judge counts what went wrong.
func (s *soak) judge() {
	for _, e := range s.episodes {
		list := s.told(e)
		if len(list) == 0 || list[0].at.Sub(e.from) > interval+takeover+slack+e.hold {
			s.late++
			s.t.Errorf("%s, which began at %s, was told of %v", e.alert, e.from.Format(time.StampMilli), list)
			continue
		}
		s.longest = max(s.longest, list[0].at.Sub(e.from)-e.hold)
		for i, again := range list[1:] {
			s.repeated++
			if !s.declared(list[i], again) {
				s.repeatedUndeclared++
				s.t.Errorf("%s was told at %s and again at %s, keys %q and %q", e.alert, list[i].at.Format(time.StampMilli), again.at.Format(time.StampMilli), list[i].key, again.key)
			}
		}
		s.judgeEnd(e)
		for _, one := range s.hook.of(e.alert, list[0].at) {
			if one.status == "resolved" && (e.till.IsZero() || one.at.Before(e.till)) {
				s.resolvedFalsely++
				s.t.Errorf("%s was told to have ended at %s, while it went on", e.alert, one.at.Format(time.StampMilli))
			}
		}
	}
	for alert := range s.quiet {
		s.quietHeard += len(s.hook.of(alert, time.Time{}))
	}
	s.judgeSilences()
}

// judgeEnd wants the end of an alert told in time. Rules with a for need two evaluations more after a takeover.
func (s *soak) judgeEnd(e *episode) {
	if e.till.IsZero() {
		return
	}
	for _, one := range s.hook.of(e.alert, e.till) {
		if took := one.at.Sub(e.till); one.status == "resolved" && took <= 3*interval+takeover+slack {
			s.longestEnd = max(s.longestEnd, took)
			return
		}
	}
	s.endLate++
	s.t.Errorf("%s, which ended at %s, was told of %v", e.alert, e.till.Format(time.StampMilli), s.hook.of(e.alert, e.till))
}

// declared reports whether a message may come twice: the first came when its sender was ended, and both have the same key.
func (s *soak) declared(first, again heard) bool {
	return first.key == again.key && slices.ContainsFunc(s.ends, func(end time.Time) bool {
		return first.at.After(end.Add(-underWay)) && first.at.Before(end.Add(underWay))
	})
}

// judgeSilences asks every replica for every tenant's silences.
func (s *soak) judgeSilences() {
	found := map[string]int{}
	for _, r := range s.replicas {
		for _, x := range s.tenants {
			var list []struct{ ID string }
			if err := harness.Get(s.t.Context(), r.URL+"/alertmanager/api/v2/silences", x.admin, &list); err != nil {
				s.t.Errorf("silences of %s at a replica: %v", x.slug, err)
			}
			for _, one := range list {
				found[one.ID]++
			}
		}
	}
	for id, x := range s.silences {
		if found[id] != replicaCount {
			s.lost++
			s.t.Errorf("silence %s of %s, which was acknowledged, is known at %d of %d replicas", id, x.slug, found[id], replicaCount)
		}
	}
}
