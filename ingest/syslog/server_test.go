package syslog_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seamarkhq/seamark/ingest/syslog"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	closedTotal  = "seamark_ingest_stream_closed_connections_total"
	droppedTotal = "seamark_ingest_stream_dropped_rows_total"
	connections  = "seamark_ingest_stream_connections"
)

func TestServeRows(t *testing.T) {
	five := `<27>1 2026-08-21T11:59:00Z node-1 api 42 ID7 [meta@1 a.b="c"] it broke`
	bsd := "<30>Aug 21 11:59:01 node-2 cron[7]: it works"
	for name, input := range map[string]string{
		"counted": fmt.Sprintf("%d %s%d %s", len(five), five, len(bsd), bsd),
		"lines":   five + "\n" + bsd + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			withServer(t, fixedToken, func(t *testing.T, f *fixture) {
				c := f.pipes.dial(t)
				send(t, c, input)
				c.Close()
				synctest.Wait()
				got := f.pushes()
				if len(got) != 1 {
					t.Fatalf("got %d pushes, want 1", len(got))
				}
				p := got[0]
				if want := []string{"it broke", "it works"}; !slices.Equal(p.bodies, want) {
					t.Errorf("bodies %q, want %q", p.bodies, want)
				}
				if want := []string{"node=node-1 service_name=api", "node=node-2 service_name=cron"}; !slices.Equal(p.streams, want) {
					t.Errorf("streams %q, want %q", p.streams, want)
				}
				if want := []string{"facility=daemon procid=42 msgid=ID7 sd_meta_1_a_b=c", "facility=daemon procid=7"}; !slices.Equal(p.attrs, want) {
					t.Errorf("attributes %q, want %q", p.attrs, want)
				}
				if want := []seamark.Level{seamark.LevelError, seamark.LevelInfo}; !slices.Equal(p.levels, want) {
					t.Errorf("levels %v, want %v", p.levels, want)
				}
			})
		})
	}
}

// TestServeKubernetes: structured data as Fluent Bit's syslog output writes it gives the same identity as other protocols.
func TestServeKubernetes(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		c := f.pipes.dial(t)
		send(t, c, `<14>1 - api-0 api - - [kubernetes pod_name="api-0" namespace_name="shop" container_name="api" host="node-1"] hello`+"\n")
		c.Close()
		synctest.Wait()
		got := f.pushes()
		if len(got) != 1 || len(got[0].streams) != 1 {
			t.Fatalf("got %+v", got)
		}
		for _, want := range []string{"pod=api-0", "namespace=shop", "container=api", "node=node-1", "service_name=api"} {
			if !strings.Contains(got[0].streams[0], want) {
				t.Errorf("stream %q lacks %s", got[0].streams[0], want)
			}
		}
	})
}

// TestServeAnyCut sends messages of many sizes in pieces of many sizes: all arrive, once and in order.
func TestServeAnyCut(t *testing.T) {
	for _, framing := range []string{"counted", "lines"} {
		t.Run(framing, func(t *testing.T) {
			withServer(t, func(o *syslog.Options) {
				fixedToken(o)
				o.Listen.BatchBytes, o.Listen.BatchRows = 64<<10, 100
			}, func(t *testing.T, f *fixture) {
				random := rand.New(rand.NewPCG(1, 2))
				var input strings.Builder
				var want []string
				for i := range 3000 {
					body := fmt.Sprintf("%d %s", i, strings.Repeat("x", random.IntN(200)*random.IntN(20)))
					want = append(want, body)
					message := "<14>1 - h app - - - " + body
					if framing == "lines" {
						input.WriteString(message + "\n")
					} else {
						fmt.Fprintf(&input, "%d %s", len(message), message)
					}
				}
				c := f.pipes.dial(t)
				for rest := input.String(); rest != ""; {
					n := min(len(rest), 1+random.IntN(9000))
					send(t, c, rest[:n])
					rest = rest[n:]
				}
				c.Close()
				synctest.Wait()
				if got := f.bodies(); !slices.Equal(got, want) {
					t.Errorf("got %d messages of %d, or others", len(got), len(want))
				}
			})
		})
	}
}

func TestServeBatchAge(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		c := f.pipes.dial(t)
		send(t, c, "<14>one\n")
		pass(150 * time.Millisecond)
		send(t, c, "<14>two\n")
		pass(49 * time.Millisecond)
		if got := f.bodies(); len(got) != 0 {
			t.Fatalf("%q was pushed too early", got)
		}
		pass(2 * time.Millisecond)
		if got := f.bodies(); !slices.Equal(got, []string{"one", "two"}) {
			t.Fatalf("got %q after the batch's age", got)
		}
		c.Close()
	})
}

func TestServeBatchRows(t *testing.T) {
	withServer(t, func(o *syslog.Options) { fixedToken(o); o.Listen.BatchRows = 3 }, func(t *testing.T, f *fixture) {
		c := f.pipes.dial(t)
		send(t, c, strings.Repeat("<14>same\n", 7))
		synctest.Wait()
		got := f.pushes()
		if len(got) != 2 || len(got[0].bodies) != 3 || len(got[1].bodies) != 3 {
			t.Fatalf("got %d pushes, want two of three rows", len(got))
		}
		if got[0].id == got[1].id {
			t.Error("two batches of the same text have one name: the second would be taken for a repeat")
		}
		c.Close()
	})
}

// TestServeBusy: a busy sender's buffer grows, so that it is pushed in few large batches, and an idle one's shrinks again:
// afterwards there is memory for others.
func TestServeBusy(t *testing.T) {
	withServer(t, func(o *syslog.Options) {
		fixedToken(o)
		o.Listen.BatchBytes, o.Listen.MaxMemoryBytes = 256<<10, 2200<<10
		o.Listen.StallTimeout = time.Minute
	}, func(t *testing.T, f *fixture) {
		var conns []net.Conn
		for range 12 { // together they would hold more than there is
			c := f.pipes.dial(t)
			for range 100 {
				send(t, c, strings.Repeat("<14>"+strings.Repeat("x", 1000)+"\n", 40))
			}
			for range 20 {
				send(t, c, "<14>quiet\n")
				pass(time.Second)
			}
			conns = append(conns, c)
		}
		pass(time.Second)
		if got := len(f.bodies()); got != 12*(4000+20) {
			t.Errorf("%d messages of %d", got, 12*4020)
		}
		if n := len(f.pushes()); n > 12*(30+20) {
			t.Errorf("%d pushes of 48 MB and a few lines", n)
		}
		for _, c := range conns {
			c.Close()
		}
		synctest.Wait()
		if got := f.counter(t, closedTotal, ""); got != 0 {
			t.Errorf("%v connections were closed for a fault: %s", got, f.log)
		}
	})
}

func TestServeRetries(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		f.fail = func(attempt int) error {
			switch attempt {
			case 1:
				return seamark.Errorf(seamark.Unavailable, "seamark-bus-busy", "Busy.")
			case 2:
				return &seamark.Error{Kind: seamark.RateLimited, ID: "seamark-quota", Message: "Quota.", RetryAfter: 20 * time.Second}
			case 3:
				return fmt.Errorf("of no kind")
			}
			return nil
		}
		c := f.pipes.dial(t)
		send(t, c, "<14>one\n")
		pass(time.Minute)
		got := f.pushes()
		if len(got) != 1 || !slices.Equal(got[0].bodies, []string{"one"}) {
			t.Fatalf("got %+v", got)
		}
		if got[0].after < 20*time.Second {
			t.Errorf("stored after %s, before the 20 s that the quota asked for", got[0].after)
		}
		if len(f.tries) != 4 || len(slices.Compact(slices.Clone(f.tries))) != 1 {
			t.Errorf("attempts %q must be four of one name", f.tries)
		}
		c.Close()
	})
}

// TestServeBackpressure: while a push does not succeed, the sender's bytes are not read; afterwards nothing is missing.
func TestServeBackpressure(t *testing.T) {
	withServer(t, func(o *syslog.Options) { fixedToken(o); o.Listen.BatchRows = 10 }, func(t *testing.T, f *fixture) {
		down := true
		f.fail = func(int) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			if down {
				return seamark.Errorf(seamark.Unavailable, "seamark-bus-busy", "Busy.")
			}
			return nil
		}
		c := f.pipes.dial(t)
		sent := make(chan int, 1000)
		go func() {
			defer close(sent)
			for i := range 1000 {
				if _, err := fmt.Fprintf(c, "<14>message %d\n", i); err != nil {
					t.Errorf("message %d: %v", i, err)
					return
				}
				sent <- i
			}
			c.Close()
		}()
		pass(2 * time.Hour) // longer than any timeout of the connection: waiting was not the sender's doing
		synctest.Wait()
		if n := len(sent); n > 11 {
			t.Errorf("%d messages were taken while none could be stored", n)
		}
		f.mu.Lock()
		down = false
		f.mu.Unlock()
		pass(time.Minute)
		got := f.bodies()
		if len(got) != 1000 || got[0] != "message 0" || got[999] != "message 999" {
			t.Errorf("got %d messages of 1000", len(got))
		}
	})
}

func TestServePermanentFailure(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		f.fail = func(int) error { return seamark.Errorf(seamark.Forbidden, "seamark-tenant-suspended", "Suspended.") }
		c := f.pipes.dial(t)
		send(t, c, "<14>one\n<14>two\n")
		pass(time.Second)
		expectClosed(t, c)
		if got := f.counter(t, droppedTotal, "seamark-tenant-suspended"); got != 2 {
			t.Errorf("%v rows were counted as lost, want 2", got)
		}
		if len(f.drops) != 1 || f.drops[0].Rows != 2 || f.drops[0].Protocol != "syslog" || f.drops[0].Token != "key-a1" {
			t.Errorf("the ledger has %+v", f.drops)
		}
		if len(f.tries) != 1 {
			t.Errorf("tried %d times what can never succeed", len(f.tries))
		}
	})
}

func TestServeCut(t *testing.T) {
	for name, c := range map[string]struct {
		input string
		want  []string
		cut   float64
	}{
		"counted, in a message":          {"5 <1>ab9 <2>abc", []string{"ab"}, 1},
		"counted, in a count":            {"5 <1>ab1", []string{"ab"}, 1},
		"lines, the last without an end": {"<1>ab\n<2>cd", []string{"ab", "cd"}, 0},
		"nothing but a digit":            {"1", []string{"1"}, 0},
		"nothing":                        {"", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			withServer(t, fixedToken, func(t *testing.T, f *fixture) {
				conn := f.pipes.dial(t)
				send(t, conn, c.input)
				conn.Close()
				synctest.Wait()
				if got := f.bodies(); !slices.Equal(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
				if got := f.counter(t, droppedTotal, "seamark-syslog-cut"); got != c.cut {
					t.Errorf("%v messages were counted as cut, want %v", got, c.cut)
				}
				if got := f.counter(t, connections, ""); got != 0 {
					t.Errorf("%v connections are counted as open", got)
				}
			})
		})
	}
}

func TestServeDrain(t *testing.T) {
	t.Run("what was read is stored", func(t *testing.T) {
		withServer(t, fixedToken, func(t *testing.T, f *fixture) {
			c := f.pipes.dial(t)
			send(t, c, "<14>one\n<14>tw")
			synctest.Wait()
			f.finish(t)
			if got := f.bodies(); !slices.Equal(got, []string{"one"}) {
				t.Errorf("got %q", got)
			}
			if got := f.counter(t, droppedTotal, "seamark-syslog-cut"); got != 1 {
				t.Errorf("%v messages were counted as cut, want 1", got)
			}
			expectClosed(t, c)
			f.ended <- nil
		})
	})
	t.Run("what cannot be stored is counted", func(t *testing.T) {
		withServer(t, fixedToken, func(t *testing.T, f *fixture) {
			f.fail = func(int) error { return seamark.Errorf(seamark.Unavailable, "seamark-bus-busy", "Busy.") }
			c := f.pipes.dial(t)
			send(t, c, "<14>one\n<14>two\n")
			pass(time.Second)
			began := time.Now()
			f.finish(t)
			if took := time.Since(began); took < 10*time.Second || took > 16*time.Second {
				t.Errorf("draining took %s, want 15 s", took)
			}
			if got := f.counter(t, droppedTotal, "seamark-stream-ended"); got != 2 {
				t.Errorf("%v rows were counted as lost, want 2", got)
			}
			if !strings.Contains(f.log.String(), "rows dropped") {
				t.Errorf("the log says %s", f.log)
			}
			f.ended <- nil
		})
	})
}

// TestServePanic: a fault in what a connection calls costs that connection alone.
func TestServePanic(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		f.fail = func(attempt int) error {
			if attempt == 1 {
				panic("a bug")
			}
			return nil
		}
		c := f.pipes.dial(t)
		send(t, c, "<14>one\n")
		pass(time.Second)
		expectClosed(t, c)
		c = f.pipes.dial(t)
		send(t, c, "<14>two\n")
		c.Close()
		synctest.Wait()
		if got := f.bodies(); !slices.Equal(got, []string{"two"}) {
			t.Errorf("got %q", got)
		}
		if got := f.counter(t, droppedTotal, "seamark-stream-panic"); got != 1 {
			t.Errorf("%v rows were counted as lost, want 1", got)
		}
	})
}
