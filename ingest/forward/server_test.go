package forward_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seamarkhq/seamark/ingest/forward"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	closedTotal  = "seamark_ingest_stream_closed_connections_total"
	droppedTotal = "seamark_ingest_stream_dropped_rows_total"
)

func line(text string) array { return array{eventTime(stamp), object{"log", text}} }

func chunked(chunk string, lines ...string) array {
	var entries []any
	for _, l := range lines {
		entries = append(entries, line(l))
	}
	return array{"app", stream(entries...), object{"chunk", chunk, "size", len(lines)}}
}

func busy(int) error { return seamark.Errorf(seamark.Unavailable, "seamark-bus-busy", "Busy.") }

// TestServeAck: the acknowledgement comes after the push has succeeded and never before.
func TestServeAck(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		release := make(chan struct{})
		f.fail = func(int) error { <-release; return nil }
		c := f.pipes.dial(t)
		send(t, c, chunked("c1", "one", "two"))
		answered := make(chan struct{})
		go func() {
			receive(t, c, ack("c1"))
			close(answered)
		}()
		pass(time.Minute)
		select {
		case <-answered:
			t.Fatal("acknowledged before it was stored")
		default:
		}
		close(release)
		<-answered
		if got := f.bodies(); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("got %q", got)
		}
		c.Close()
	})
}

// TestServeModes: each mode over a connection; only chunks are answered.
func TestServeModes(t *testing.T) {
	entries := stream(line("one"), line("two"))
	half := len(stream(line("one")))
	for name, message := range map[string]array{
		"Message":                          {"app", eventTime(stamp), object{"log", "one"}, object{"chunk", "c1"}},
		"Forward":                          {"app", array{line("one"), line("two")}, object{"chunk", "c1"}},
		"PackedForward":                    {"app", entries, object{"chunk", "c1"}},
		"PackedForward, said to be text":   {"app", entries, object{"chunk", "c1", "compressed", "text"}},
		"CompressedPackedForward":          {"app", zip(t, entries), object{"chunk", "c1", "compressed", "gzip"}},
		"CompressedPackedForward, members": {"app", zip(t, entries[:half], entries[half:]), object{"chunk", "c1", "compressed", "gzip", "size", 2}},
	} {
		for _, withChunk := range []bool{true, false} {
			t.Run(fmt.Sprint(name, withChunk), func(t *testing.T) {
				withServer(t, fixedToken, func(t *testing.T, f *fixture) {
					c := f.pipes.dial(t)
					want := []string{"one", "two"}
					if name == "Message" {
						want = want[:1]
					}
					if withChunk {
						send(t, c, message)
						receive(t, c, ack("c1"))
					} else {
						options := slices.Clone(message[len(message)-1].(object))
						copy(options, object{"other"})
						send(t, c, append(slices.Clone(message[:len(message)-1]), options))
						wait := 250 * time.Millisecond
						if strings.HasPrefix(name, "Compressed") { // inflated memory is not held for a batch to fill
							wait = 0
						}
						pass(wait)
					}
					if got := f.bodies(); !slices.Equal(got, want) {
						t.Errorf("got %q, want %q", got, want)
					}
					c.Close()
				})
			})
		}
	}
}

// TestServeSentAgain: a chunk that is sent again, over another connection or compressed otherwise, has the same name; the
// same text without a chunk is another message.
func TestServeSentAgain(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		for range 2 {
			c := f.pipes.dial(t)
			send(t, c, chunked("c1", "one"))
			receive(t, c, ack("c1"))
			c.Close()
		}
		c := f.pipes.dial(t)
		send(t, c, chunked("c2", "one"))
		receive(t, c, ack("c2"))
		send(t, c, chunked("c1", "another"))
		receive(t, c, ack("c1"))
		for range 2 {
			send(t, c, array{"app", eventTime(stamp), object{"log", "one"}})
			pass(time.Second)
		}
		c.Close()
		var ids []string
		for _, p := range f.pushes() {
			ids = append(ids, p.id)
		}
		if len(ids) != 6 || ids[0] != ids[1] {
			t.Fatalf("a chunk that was sent again is pushed as %q", ids)
		}
		if rest := slices.Compact(slices.Sorted(slices.Values(ids[1:]))); len(rest) != 5 {
			t.Errorf("different messages have one name: %q", ids)
		}
	})
}

// TestServeParts: a chunk of many rows is pushed in parts with names of their own, the same ones when it is sent again.
func TestServeParts(t *testing.T) {
	var lines []string
	for i := range 25 {
		lines = append(lines, fmt.Sprint("line ", i))
	}
	withServer(t, func(o *forward.Options) { fixedToken(o); o.Listen.BatchRows = 10 }, func(t *testing.T, f *fixture) {
		for range 2 {
			c := f.pipes.dial(t)
			send(t, c, chunked("c1", lines...))
			receive(t, c, ack("c1"))
			c.Close()
		}
		got := f.pushes()
		if len(got) != 6 {
			t.Fatalf("%d pushes, want three for each time", len(got))
		}
		for i := range 3 {
			if got[i].id != got[i+3].id || !slices.Equal(got[i].bodies, got[i+3].bodies) || i > 0 && got[i].id == got[i-1].id {
				t.Errorf("part %d is %s first and %s then", i, got[i].id, got[i+3].id)
			}
		}
		if all := f.bodies(); !slices.Equal(all[:25], lines) {
			t.Errorf("got %q", all)
		}
	})
}

// TestServeNotStored: a chunk that cannot be stored in time is not acknowledged, and its connection ends. Nothing counts
// as lost: the sender has it.
func TestServeNotStored(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		f.fail = busy
		c := f.pipes.dial(t)
		send(t, c, chunked("c1", "one"))
		began := time.Now()
		if n, err := c.Read(make([]byte, 16)); err == nil {
			t.Errorf("%d bytes of an answer came", n)
		}
		if took := time.Since(began); took < 50*time.Second || took > 61*time.Second {
			t.Errorf("gave up after %s, want a minute", took)
		}
		if got := f.counter(t, droppedTotal, ""); got != 0 {
			t.Errorf("%v rows are counted as lost", got)
		}
		f.fail = nil
		c = f.pipes.dial(t)
		send(t, c, chunked("c1", "one"))
		receive(t, c, ack("c1"))
		if ids := slices.Compact(f.tries); len(ids) != 1 {
			t.Errorf("the attempts have the names %q", ids)
		}
		c.Close()
	})
}

// TestServeRetry: trouble that passes within the sender's patience is not seen by the sender.
func TestServeRetry(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		f.fail = func(attempt int) error {
			if attempt < 5 {
				return busy(attempt)
			}
			return nil
		}
		c := f.pipes.dial(t)
		send(t, c, chunked("c1", "one"))
		receive(t, c, ack("c1"))
		if len(f.tries) != 5 || !slices.Equal(f.bodies(), []string{"one"}) {
			t.Errorf("%d attempts stored %q", len(f.tries), f.bodies())
		}
		c.Close()
	})
}

// TestServeOrder: messages without a chunk that came before one with a chunk are stored before it.
func TestServeOrder(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		c := f.pipes.dial(t)
		send(t, c, array{"app", eventTime(stamp), object{"log", "first"}}, nil, chunked("c1", "second"))
		receive(t, c, ack("c1"))
		// One push would give the name of the chunk to rows that are not there when it is sent again.
		got := f.pushes()
		if len(got) != 2 || !slices.Equal(got[0].bodies, []string{"first"}) || !slices.Equal(got[1].bodies, []string{"second"}) {
			t.Errorf("got %+v", got)
		}
		c.Close()
	})
}

// TestServeBadRows: rows that can never be stored are told to the ledger's counters and acknowledged with the others.
func TestServeBadRows(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		c := f.pipes.dial(t)
		send(t, c, array{"app", stream(line("good"), array{1, "no map"}, line("fine")), object{"chunk", "c1"}})
		receive(t, c, ack("c1"))
		got := f.pushes()
		if len(got) != 1 || !slices.Equal(got[0].bodies, []string{"good", "fine"}) || len(got[0].rejected) != 1 || got[0].rejected[0].Count != 1 {
			t.Errorf("got %+v", got)
		}
		c.Close()
	})
}

// TestServeUnreadable: a chunk that cannot be read is not acknowledged and stays with its sender; without a chunk the
// connection goes on, and the ledger has what was lost.
func TestServeUnreadable(t *testing.T) {
	bomb := zip(t, bytes.Repeat(stream(line("x")), 1<<20))
	entries := stream(line("one"), line("two"))
	for reason, message := range map[string]array{
		"seamark-body-compression": {"app", []byte("no gzip"), object{"chunk", "c1", "compressed", "gzip", "size", 2}},
		"seamark-body-inflated":    {"app", bomb, object{"chunk", "c1", "compressed", "gzip", "size", 2}},
		"seamark-body-encoding":    {"app", entries, object{"chunk", "c1", "compressed", "br", "size", 2}},
		"seamark-forward-message":  {"app", array{line("one"), line("two")}, object{"chunk", "c1", "compressed", "gzip", "size", 2}},
		"seamark-forward-entries":  {"app", []byte{0xc1}, object{"chunk", "c1", "x", 1, "size", 2}},
		"seamark-forward-signal":   {"app", entries, object{"chunk", "c1", "fluent_signal", 1, "size", 2}},
	} {
		t.Run(reason, func(t *testing.T) {
			change := func(o *forward.Options) { fixedToken(o); o.MaxInflatedBytes = 1 << 20 }
			withServer(t, change, func(t *testing.T, f *fixture) {
				c := f.pipes.dial(t)
				send(t, c, message)
				if n, err := c.Read(make([]byte, 16)); err == nil {
					t.Errorf("%d bytes of an answer came", n)
				}
				if f.counter(t, closedTotal, reason) != 1 || f.counter(t, droppedTotal, reason) != 2 || len(f.drops) != 1 || f.drops[0].Reason != reason {
					t.Errorf("the ledger has %+v; the log says %s", f.drops, f.log)
				}
			})
			withServer(t, change, func(t *testing.T, f *fixture) {
				c := f.pipes.dial(t)
				options := slices.Clone(message[2].(object))
				options[0] = "no chunk"
				send(t, c, array{"app", message[1], options}, array{"app", eventTime(stamp), object{"log", "after"}})
				pass(time.Second)
				if got := f.bodies(); !slices.Equal(got, []string{"after"}) {
					t.Errorf("got %q", got)
				}
				if f.counter(t, droppedTotal, reason) != 2 {
					t.Errorf("the ledger has %+v", f.drops)
				}
				c.Close()
			})
		})
	}
}

// TestServeClosed: what is not the protocol ends the connection, with the cure in the log.
func TestServeClosed(t *testing.T) {
	for name, c := range map[string]struct {
		raw    []byte
		reason string
	}{
		"HTTP":                 {[]byte("GET / HTTP/1.1\r\n\r\n"), "seamark-forward-message"},
		"a byte of nothing":    {[]byte{0xc1}, "seamark-forward-message"},
		"gigabytes":            {[]byte{0x92, 0xa1, 't', 0xc6, 0x40, 0, 0, 0}, "seamark-forward-large"},
		"an array without end": {[]byte{0xdd, 0xff, 0xff, 0xff, 0xff}, "seamark-forward-large"},
		"an array of no tag":   {pack(array{1, 2}), "seamark-forward-message"},
		"a cut message":        {pack(chunked("c1", "one"))[:20], "seamark-forward-cut"},
	} {
		t.Run(name, func(t *testing.T) {
			withServer(t, fixedToken, func(t *testing.T, f *fixture) {
				conn := f.pipes.dial(t)
				_, _ = conn.Write(c.raw) // the server may close before it has read all
				if name == "a cut message" {
					conn.Close()
				}
				expectClosed(t, conn)
				if f.counter(t, closedTotal, c.reason) != 1 || len(f.bodies()) != 0 {
					t.Errorf("stored %q; the log says %s", f.bodies(), f.log)
				}
			})
		})
	}
}

// TestServePartialReads: messages in pieces of every size, heartbeats between them.
func TestServePartialReads(t *testing.T) {
	var input []byte
	var want []string
	for i := range 40 {
		text := fmt.Sprint("line ", i, strings.Repeat("x", i*7))
		want = append(want, text)
		input = append(input, stream(array{"app", eventTime(stamp), object{"log", text, "n", i}}, nil)...)
	}
	for _, step := range []int{1, 2, 3, 7, 100, 4096, len(input)} {
		withServer(t, fixedToken, func(t *testing.T, f *fixture) {
			c := f.pipes.dial(t)
			for part := range slices.Chunk(input, step) {
				if _, err := c.Write(part); err != nil {
					t.Fatal(err)
				}
			}
			c.Close()
			synctest.Wait()
			if got := f.bodies(); !slices.Equal(got, want) {
				t.Errorf("in steps of %d: %d messages of %d, or others", step, len(got), len(want))
			}
		})
	}
}

// TestServeLarge: a chunk much larger than a connection's first buffer.
func TestServeLarge(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		var lines []string
		for i := range 3000 {
			lines = append(lines, fmt.Sprint(i, strings.Repeat("y", 1000)))
		}
		c := f.pipes.dial(t)
		for _, chunk := range []string{"c1", "c2"} {
			send(t, c, chunked(chunk, lines...))
			receive(t, c, ack(chunk))
		}
		if got := f.bodies(); !slices.Equal(got, append(slices.Clone(lines), lines...)) {
			t.Errorf("%d messages of %d", len(got), 2*len(lines))
		}
		c.Close()
	})
}

// TestServeSlow: a client that trickles, or that does not take its acknowledgements, loses its place.
func TestServeSlow(t *testing.T) {
	t.Run("trickling", func(t *testing.T) {
		withServer(t, fixedToken, func(t *testing.T, f *fixture) {
			c := f.pipes.dial(t)
			send(t, c, chunked("c1", "one"))
			receive(t, c, ack("c1"))
			var err error
			for i := 0; err == nil && i < 100; i++ {
				_, err = c.Write(pack(chunked("c2", strings.Repeat("x", 1000)))[i : i+1])
				pass(time.Second)
			}
			if err == nil || f.counter(t, closedTotal, "seamark-stream-slow") != 1 {
				t.Errorf("got %v; the log says %s", err, f.log)
			}
		})
	})
	t.Run("deaf", func(t *testing.T) {
		withServer(t, fixedToken, func(t *testing.T, f *fixture) {
			c := f.pipes.dial(t)
			send(t, c, chunked("c1", "one"))
			pass(11 * time.Second)
			expectClosed(t, c)
			if f.counter(t, closedTotal, "seamark-stream-unanswered") != 1 || len(f.bodies()) != 1 {
				t.Errorf("stored %q; the log says %s", f.bodies(), f.log)
			}
		})
	})
}

// TestServeBackpressure: while nothing can be stored, messages without a chunk are not read; afterwards none is missing.
func TestServeBackpressure(t *testing.T) {
	withServer(t, func(o *forward.Options) { fixedToken(o); o.Listen.BatchRows = 10 }, func(t *testing.T, f *fixture) {
		down := true
		f.fail = func(n int) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			if down {
				return busy(n)
			}
			return nil
		}
		c := f.pipes.dial(t)
		sent := make(chan int, 500)
		go func() {
			for i := range 500 {
				if _, err := c.Write(pack(array{"app", 1 + i, object{"log", fmt.Sprint(i)}})); err != nil {
					t.Errorf("message %d: %v", i, err)
					return
				}
				sent <- i
			}
			c.Close()
		}()
		pass(2 * time.Hour)
		if n := len(sent); n > 11 {
			t.Errorf("%d messages were taken while none could be stored", n)
		}
		f.mu.Lock()
		down = false
		f.mu.Unlock()
		pass(time.Minute)
		if got := f.bodies(); len(got) != 500 || got[499] != "499" {
			t.Errorf("%d messages of 500", len(got))
		}
	})
}

// TestServeDrain: at the end a chunk that is being stored is stored and acknowledged, and one that came in part is not.
func TestServeDrain(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		release := make(chan struct{})
		f.fail = func(int) error { <-release; return nil }
		storing, arriving := f.pipes.dial(t), f.pipes.dial(t)
		send(t, storing, chunked("c1", "one"))
		if _, err := arriving.Write(pack(chunked("c2", "two"))[:20]); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		f.stop()
		expectClosed(t, arriving)
		go close(release)
		receive(t, storing, ack("c1"))
		expectClosed(t, storing)
		if got := f.bodies(); !slices.Equal(got, []string{"one"}) {
			t.Errorf("got %q", got)
		}
	})
}

// TestServeHeartbeat: Fluentd's heartbeat of type transport connects and hangs up.
func TestServeHeartbeat(t *testing.T) {
	for name, change := range map[string]func(o *forward.Options){"token": fixedToken, "handshake": func(o *forward.Options) { o.SharedKey = "k" }} {
		withServer(t, change, func(t *testing.T, f *fixture) {
			c := f.pipes.dial(t)
			if name == "handshake" {
				readHelo(t, c)
			}
			c.Close()
			synctest.Wait()
			if f.log.Len() > 0 || f.counter(t, closedTotal, "") != 0 {
				t.Errorf("%s: the log says %s", name, f.log)
			}
		})
	}
}
