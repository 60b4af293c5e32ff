package crash

import (
	"context"
	"encoding/hex"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestPoison puts messages into the streams that nobody can read, and others whose rows the store refuses, between those of
// a load. The shards move on, nothing around them is lost, and `seamark admin dead` looks after what was set aside.
func TestPoison(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{flags: []string{"--bus.shards", "1"}})
	p := newPoisoner(t, r)
	n := cycles(t, 1)
	for range n {
		r.fleet.pushes(50)
		for _, signal := range []string{"logs", "metrics", "events", "traces"} {
			p.publish("seamark."+signal+".0."+p.tenant, []byte("rubbish"))
		}
		for _, signal := range []string{"logs", "metrics"} {
			p.publish("seamark."+signal+".0."+p.tenant, p.damaged(signal))
		}
		r.fleet.pushes(50)
		for _, s := range p.fleet.senders {
			testkit.Eventually(t, time.Minute, func() error { return p.fleet.pushOnce(s, s.encode(s, uint64(s.number)*clientIDs, time.Now())) })
		}
	}
	begin := time.Now()
	unreadable, refused := p.await(4*n, 2*n)
	waited := time.Since(begin).Seconds()
	r.fleet.pause() // nothing of it is in doubt while people look at the letters
	p.inspect(unreadable[0], refused[0])
	p.replay(unreadable, refused)
	r.fleet.resume()
	r.fleet.pushes(10)
	r.settle()
	r.fleet.verdict(n, map[string]any{"unreadable": len(unreadable), "refused": len(refused), "set_aside_after_seconds": waited})
}

// poisoner publishes beside the product and looks after the dead letters with its command.
type poisoner struct {
	t      *testing.T
	rig    *rig
	fleet  *fleet // of the tenant whose messages are bad
	js     jetstream.JetStream
	tenant string
	good   map[string][]byte // a sound message of each signal
}

// letter is what the command prints of a dead letter.
type letter struct {
	Number  uint64
	Shard   string
	Segment int
	Tenant  string
	Table   string
	Rows    uint64
	Reason  string
	Data    string
}

func newPoisoner(t *testing.T, r *rig) *poisoner {
	t.Helper()
	nc, err := engine.DialSocket(filepath.Join(r.dir, "nats", "seamark.sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	p := &poisoner{t: t, rig: r, js: js, good: map[string][]byte{}}
	p.fleet = newFleet(t, r.rnd, harness.NewAccount(r.server.Admin(t), "poisoned"))
	p.fleet.aim(r.server)
	var tenants []struct{ ID, Slug string }
	r.server.Admin(t)(&tenants, "tenant", "list")
	for _, known := range tenants {
		if known.Slug == "poisoned" {
			p.tenant = known.ID
		}
	}
	for signal, rows := range map[string]string{"logs": "logs", "metrics": "samples"} {
		s := p.fleet.senderOf(rows)
		if err := p.fleet.pushOnce(s, s.encode(s, uint64(s.number)*clientIDs, time.Now())); err != nil {
			t.Fatal(err)
		}
		p.good[signal] = p.last(signal)
	}
	return p
}

// last returns the last message of the tenant.
func (p *poisoner) last(signal string) []byte {
	p.t.Helper()
	s, err := p.js.Stream(p.t.Context(), "SEAMARK_"+strings.ToUpper(signal)+"_0")
	if err != nil {
		p.t.Fatal(err)
	}
	msg, err := s.GetLastMsgForSubject(p.t.Context(), "seamark."+signal+".0."+p.tenant)
	if err != nil {
		p.t.Fatal(err)
	}
	return msg.Data
}

// damaged returns a message whose head is sound, and whose rows are not: what counts them, behind them, is.
func (p *poisoner) damaged(signal string) []byte {
	p.t.Helper()
	data := slices.Clone(p.good[signal])
	frame, err := store.ParseFrame(data)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, s := range frame.Segments {
		if s.Table == store.TableLogs || s.Table == store.TableSamples {
			s.Payload[len(s.Payload)-3] ^= 0x40
			return data
		}
	}
	p.t.Fatalf("the last message of %s has no rows", signal)
	return nil
}

func (p *poisoner) publish(subject string, data []byte) {
	p.t.Helper()
	if _, err := p.js.Publish(p.t.Context(), subject, data); err != nil {
		p.t.Fatal(err)
	}
}

// list returns the dead letters: those that cannot be read, and those that the store refuses.
func (p *poisoner) list() (unreadable, refused []letter) {
	p.t.Helper()
	var letters []letter
	p.rig.server.Admin(p.t)(&letters, "dead", "list", "--limit", "100000")
	for _, l := range letters {
		if l.Tenant == "" {
			unreadable = append(unreadable, l)
		} else {
			refused = append(refused, l)
		}
	}
	return unreadable, refused
}

// await waits for so many dead letters of each kind.
func (p *poisoner) await(wantUnreadable, wantRefused int) (unreadable, refused []letter) {
	p.t.Helper()
	patience := 4*time.Minute + time.Duration(wantRefused)*5*time.Second // each is tried some times before it is taken apart
	testkit.Eventually(p.t, patience, func() error {
		if unreadable, refused = p.list(); len(unreadable) != wantUnreadable || len(refused) != wantRefused {
			return fmt.Errorf("%d letters cannot be read and %d are refused; want %d and %d", len(unreadable), len(refused), wantUnreadable, wantRefused)
		}
		return nil
	})
	return unreadable, refused
}

// inspect looks at one letter of each kind.
func (p *poisoner) inspect(unreadable, refused letter) {
	p.t.Helper()
	var shown letter
	p.rig.server.Admin(p.t)(&shown, "dead", "show", fmt.Sprint(unreadable.Number))
	if shown.Data != hex.EncodeToString([]byte("rubbish")) || shown.Segment != -1 || shown.Reason == "" {
		p.t.Errorf("got %+v; want the message as it came, and why it cannot be read", shown)
	}
	p.rig.server.Admin(p.t)(&shown, "dead", "show", fmt.Sprint(refused.Number))
	if shown.Tenant != p.tenant || shown.Rows == 0 || shown.Data == "" || shown.Reason == "" || (shown.Table != "logs" && shown.Table != "samples") {
		p.t.Errorf("got %+v; want rows of tenant %s, and why the store refuses them", shown, p.tenant)
	}
	if text, err := p.dead("show", fmt.Sprint(refused.Number)); err != nil || !strings.Contains(text, p.tenant) {
		p.t.Errorf("show: %v: %s", err, text)
	}
}

// replay puts letters back, of which none can be stored, then one that can, and removes the rest.
func (p *poisoner) replay(unreadable, refused []letter) {
	p.t.Helper()
	if text, err := p.dead("replay", fmt.Sprint(unreadable[0].Number)); err == nil || !strings.Contains(text, "cannot be read") {
		p.t.Errorf("replay of an unreadable letter: %v: %s", err, text)
	}
	p.rig.server.Admin(p.t)(nil, "dead", "replay", "--all")
	again := p.come(refused)
	p.mend(again)
	var numbers []string
	left, rest := p.list()
	for _, l := range append(left, rest...) {
		numbers = append(numbers, fmt.Sprint(l.Number))
	}
	p.rig.server.Admin(p.t)(nil, append([]string{"dead", "remove"}, numbers...)...)
	if left, rest := p.list(); len(left)+len(rest) > 0 {
		p.t.Errorf("%d letters are left after all were removed", len(left)+len(rest))
	}
}

// come waits until letters that were put back are set aside once more, under new numbers.
func (p *poisoner) come(before []letter) (after []letter) {
	p.t.Helper()
	newest := before[len(before)-1].Number
	testkit.Eventually(p.t, 4*time.Minute+time.Duration(len(before))*5*time.Second, func() error {
		if _, after = p.list(); len(after) != len(before) || after[0].Number <= newest {
			return fmt.Errorf("%d letters from %+v on; want %d after %d", len(after), after[:min(len(after), 1)], len(before), newest)
		}
		return nil
	})
	return after
}

// mend puts a sound message beside the letters, as if its damage were undone, and replays it: its rows are stored.
func (p *poisoner) mend(refused []letter) {
	p.t.Helper()
	s := p.fleet.senderOf("logs")
	count := func() (int, error) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		list, err := harness.LogQL(ctx, p.rig.server.URL, s.account.Query, fmt.Sprintf(`sum by (id) (count_over_time({app="crash",sender="%d"} | logfmt [26h]))`, s.number))
		if err != nil {
			return 0, err
		}
		return counts(list, "id")[uint64(s.number)*clientIDs], nil
	}
	before, err := count()
	if err != nil {
		p.t.Fatal(err)
	}
	msg := nats.NewMsg("seamark.dead.logs.0")
	msg.Header.Set("Seamark-Tenant", p.tenant)
	msg.Header.Set("Seamark-Sequence", "1")
	msg.Header.Set("Seamark-Segment", "0")
	msg.Header.Set("Seamark-Reason", "for the test")
	msg.Data = p.good["logs"]
	ack, err := p.js.PublishMsg(p.t.Context(), msg)
	if err != nil {
		p.t.Fatal(err)
	}
	p.rig.server.Admin(p.t)(nil, "dead", "replay", fmt.Sprint(ack.Sequence))
	testkit.Eventually(p.t, time.Minute, func() error {
		if now, err := count(); err != nil || now != before+1 {
			return fmt.Errorf("the row is stored %d times, was %d: %w", now, before, err)
		}
		return nil
	})
	if _, now := p.list(); len(now) != len(refused) {
		p.t.Errorf("%d letters after one was stored; want the %d from before", len(now), len(refused))
	}
}

// dead runs `seamark admin dead` as people do and returns all it prints.
func (p *poisoner) dead(args ...string) (string, error) {
	cmd := exec.Command(harness.Binary(p.t), append([]string{"admin", "--data-dir", p.rig.dir, "dead"}, args...)...)
	text, err := cmd.CombinedOutput()
	return string(text), err
}
