package syslog_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/ingest/syslog"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestServeTooLong(t *testing.T) {
	withServer(t, func(o *syslog.Options) { fixedToken(o); o.MaxMessageBytes = 2048 }, func(t *testing.T, f *fixture) {
		c := f.pipes.dial(t)
		long := "<14>" + strings.Repeat("x", 3<<20)
		send(t, c, fmt.Sprintf("5 <1>ab%d %s5 <1>cd", len(long), long))
		c.Close()
		synctest.Wait()
		if got := f.bodies(); !slices.Equal(got, []string{"ab", "cd"}) {
			t.Errorf("got %q", got)
		}
		rejected := 0
		for _, p := range f.pushes() {
			for _, r := range p.rejected {
				if r.Reason != "seamark-syslog-message" || !strings.Contains(r.Detail, "2048 bytes") {
					t.Errorf("rejected for %+v", r)
				}
				rejected += r.Count
			}
		}
		if rejected != 1 {
			t.Errorf("%d messages were told as rejected, want 1", rejected)
		}
	})
}

func TestServeLostFraming(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		c := f.pipes.dial(t)
		send(t, c, "5 <1>ab<2>cd\n")
		expectClosed(t, c)
		if got := f.bodies(); !slices.Equal(got, []string{"ab"}) {
			t.Errorf("got %q: what was read before the fault must be kept", got)
		}
		if got := f.counter(t, closedTotal, "seamark-syslog-framing"); got != 1 {
			t.Errorf("counted %v times, want 1", got)
		}
	})
}

// TestServeSlow: peers that vanish, trickle or never say who they are lose their places.
func TestServeSlow(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		withServer(t, fixedToken, func(t *testing.T, f *fixture) {
			c := f.pipes.dial(t)
			for range 3 {
				pass(59 * time.Minute)
				send(t, c, "<14>still here\n")
			}
			pass(61 * time.Minute)
			expectClosed(t, c)
			if got := f.counter(t, closedTotal, "seamark-stream-idle"); got != 1 || len(f.bodies()) != 3 {
				t.Errorf("closed as idle %v times with %d messages", got, len(f.bodies()))
			}
		})
	})
	t.Run("trickling", func(t *testing.T) {
		withServer(t, fixedToken, func(t *testing.T, f *fixture) {
			c := f.pipes.dial(t)
			send(t, c, "<14>one\n<14>tw")
			began := time.Now()
			for {
				pass(time.Second)
				if _, err := c.Write([]byte("o")); err != nil {
					break
				}
			}
			if took := time.Since(began); took < 30*time.Second || took > 35*time.Second {
				t.Errorf("closed after %s, want 30 s", took)
			}
			if got := f.counter(t, closedTotal, "seamark-stream-slow"); got != 1 || !slices.Equal(f.bodies(), []string{"one"}) {
				t.Errorf("closed as slow %v times with %q", got, f.bodies())
			}
		})
	})
	t.Run("slow and steady", func(t *testing.T) {
		withServer(t, fixedToken, func(t *testing.T, f *fixture) {
			c := f.pipes.dial(t)
			send(t, c, "<14>")
			part := strings.Repeat("x", 5<<10)
			for range 40 {
				send(t, c, part)
				pass(time.Second)
			}
			send(t, c, "\n")
			c.Close()
			synctest.Wait()
			if got := f.bodies(); len(got) != 1 || len(got[0]) != 40*len(part) {
				t.Errorf("got %d messages", len(got))
			}
		})
	})
	t.Run("silent", func(t *testing.T) {
		withServer(t, nil, func(t *testing.T, f *fixture) {
			c := f.pipes.dial(t)
			pass(31 * time.Second)
			expectClosed(t, c)
			if got := f.counter(t, closedTotal, "seamark-stream-silent"); got != 1 {
				t.Errorf("closed as silent %v times", got)
			}
		})
	})
}

func TestServeMaxConns(t *testing.T) {
	withServer(t, func(o *syslog.Options) { fixedToken(o); o.Listen.MaxConns = 2 }, func(t *testing.T, f *fixture) {
		first, second := f.pipes.dial(t), f.pipes.dial(t)
		third := f.pipes.dial(t)
		expectClosed(t, third)
		first.Close()
		synctest.Wait()
		fourth := f.pipes.dial(t)
		send(t, fourth, "<14>four\n")
		send(t, second, "<14>two\n")
		fourth.Close()
		second.Close()
		synctest.Wait()
		got := f.bodies()
		slices.Sort(got)
		if !slices.Equal(got, []string{"four", "two"}) || f.counter(t, closedTotal, "seamark-stream-conns") != 1 {
			t.Errorf("got %q", got)
		}
	})
}

// TestServeMemory: connections that hold unfinished messages get no more than there is; one that waits too long is
// closed, and the others go on.
func TestServeMemory(t *testing.T) {
	withServer(t, func(o *syslog.Options) {
		fixedToken(o)
		o.Listen.BatchBytes, o.MaxMessageBytes = 4<<10, 128<<10
		o.Listen.MaxMemoryBytes = 300 << 10
		o.Listen.StallTimeout = 20 * time.Second
	}, func(t *testing.T, f *fixture) {
		half := "<14>" + strings.Repeat("x", 100<<10)
		var conns []net.Conn
		for range 8 {
			c := f.pipes.dial(t)
			conns = append(conns, c)
			go func() { _, _ = c.Write([]byte(half)) }()
		}
		pass(time.Minute * 2)
		if f.counter(t, closedTotal, "seamark-stream-memory") == 0 {
			t.Error("no connection was told that there is no memory")
		}
		c := f.pipes.dial(t)
		send(t, c, half+"\n")
		c.Close()
		synctest.Wait()
		if got := f.bodies(); len(got) != 1 {
			t.Errorf("%d messages came through after the wave, want 1", len(got))
		}
		for _, c := range conns {
			c.Close()
		}
	})
}

// TestServeMaxAttrs: a row has as many attributes as its tenant may send at that moment, whoever the listener's token stands
// for and however long the connection lives. What is over that is left out and counted, and its neighbours are whole.
func TestServeMaxAttrs(t *testing.T) {
	var most atomic.Int64 // of tenant A, whose listener it is
	most.Store(2)
	withServer(t, func(o *syslog.Options) {
		fixedToken(o)
		o.Listen.MaxAttrs = func(p seamark.Principal) int {
			if p.Tenant == tenantA {
				return int(most.Load())
			}
			return 100
		}
	}, func(t *testing.T, f *fixture) {
		const many = `<14>1 - - app - - [x a="1" b="2" c="3"] many` + "\n"
		c := f.pipes.dial(t)
		send(t, c, many+"<14>1 - - app - - - few\n")
		pass(time.Second)
		most.Store(3)
		send(t, c, many)
		c.Close()
		other := f.pipes.dial(t)
		send(t, other, `<14>1 - - app - - [seamark@0 token="b1"][x a="1" b="2" c="3"] theirs`+"\n")
		other.Close()
		synctest.Wait()
		got := map[seamark.TenantID][]string{}
		for _, p := range f.pushes() {
			got[p.tenant] = append(got[p.tenant], p.attrs...)
		}
		want := map[seamark.TenantID][]string{
			tenantA: {"facility=user _dropped_attributes=3", "facility=user", "facility=user sd_x_a=1 _dropped_attributes=2"},
			tenantB: {"facility=user sd_x_a=1 sd_x_b=2 sd_x_c=3"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("attributes (-want +got):\n%s", diff)
		}
	})
}
