package abuse

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// streams is a target with the listeners of protocols that have ports of their own.
type streams struct {
	*target
	syslog, forward string // addresses
}

// newStreams starts a server twice: the token that the listeners give their connections has to be there before them.
func newStreams(t *testing.T) *streams {
	t.Helper()
	dir := t.TempDir()
	first := harness.Serve(t, dir, "serve")
	account := harness.NewAccount(first.Admin(t), "streams")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := first.Terminate(ctx); err != nil {
		t.Fatal(err)
	}
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(account.Ingest), 0o600); err != nil {
		t.Fatal(err)
	}
	x := &streams{syslog: freeAddr(t), forward: freeAddr(t)}
	x.target = targetOf(t, harness.Serve(t, dir, "serve",
		"--syslog.listen", x.syslog, "--syslog.token-file", token, "--forward.listen", x.forward, "--forward.token-file", token, "--writer.max-batch-age", "100ms"))
	x.account = account
	return x
}

// freeAddr is an address that nobody listens on yet.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// text packs a MessagePack string, and binary bytes.
func text(s string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xda}, uint16(len(s))), s...)
}

func packedBytes(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0xc6}, uint32(len(b))), b...)
}

// entry is a time and a record of the Fluent forward protocol, as they follow each other in an array of two.
func entry(at time.Time, line string) []byte {
	stamp := binary.BigEndian.AppendUint32([]byte{0xd7, 0x00}, uint32(at.Unix()))
	stamp = binary.BigEndian.AppendUint32(stamp, uint32(at.Nanosecond()))
	return slices.Concat(stamp, []byte{0x82}, text("log"), text(line), text("level"), text("warn"))
}

// options is the map behind a message's entries.
func forwardOptions(pairs ...string) []byte {
	out := []byte{0x80 | byte(len(pairs)/2)}
	for _, s := range pairs {
		out = append(out, text(s)...)
	}
	return out
}

// forwardMessages are a message of each mode; chunk is to be acknowledged where it is not empty.
func forwardMessages(at time.Time, line, chunk string) map[string][]byte {
	two := append([]byte{0x92}, entry(at, line)...)
	options := forwardOptions("chunk", chunk)
	tag := text("kube.shop")
	return map[string][]byte{
		"message":    slices.Concat([]byte{0x94}, tag, entry(at, line), options),
		"forward":    slices.Concat([]byte{0x93}, tag, []byte{0x91}, two, options),
		"packed":     slices.Concat([]byte{0x93}, tag, packedBytes(two), options),
		"compressed": slices.Concat([]byte{0x93}, tag, packedBytes(zip(two)), forwardOptions("compressed", "gzip", "chunk", chunk)),
	}
}

func syslogMessages(at time.Time, line string) map[string][]byte {
	five := fmt.Sprintf(`<27>1 %s node-1 api 42 ID7 [meta@1 a="b"] %s`, at.UTC().Format(time.RFC3339Nano), line)
	return map[string][]byte{
		"counted": fmt.Appendf(nil, "%d %s", len(five), five),
		"lines":   fmt.Appendf(nil, "%s\n<30>%s node-2 cron[7]: %s\n", five, at.UTC().Format(time.Stamp), line),
	}
}

// patience is how long a connection may wait for its share of the listener's memory, several times over.
const patience = 90 * time.Second

// speakTo writes bytes on a connection of its own and returns what the server says up to its end. It fails when the server
// keeps a connection whose peer has said everything.
func speakTo(addr string, sent []byte, patience time.Duration) ([]byte, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	_, _ = conn.Write(sent) // the server may have hung up before the end
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	said, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return said, fmt.Errorf("the server keeps the connection open: %w", err)
	}
	return said, nil // a reset is an end, too
}

// alive wants a good message on each listener to be stored; name makes it unlike the others.
func (x *streams) alive(name string) {
	x.t.Helper()
	x.target.alive()
	now := time.Now()
	const ack = "a2NodW5r"
	said, err := speakTo(x.forward, forwardMessages(now, "forward "+name, ack)["packed"], patience)
	if err != nil || !slices.Contains(splitText(said), ack) {
		x.t.Errorf("a good chunk got %q, %v", said, err)
	}
	if _, err := speakTo(x.syslog, syslogMessages(now, "syslog "+name)["counted"], patience); err != nil {
		x.t.Errorf("a good line got %v", err)
	}
	testkit.Eventually(x.t, time.Minute, func() error {
		list, err := harness.LogQL(context.Background(), x.URL, x.account.Query, `sum(count_over_time({service_name=~".+"} |~ "^(syslog|forward) `+name+`$" [1h]))`)
		if err == nil && (len(list) != 1 || list[0].Point.Value != 2) {
			err = fmt.Errorf("of two good messages %v are stored", list)
		}
		return err
	})
}

// splitText finds the strings in the map {"ack": chunk}.
func splitText(packed []byte) []string {
	var list []string
	for i := 0; i < len(packed); {
		n, head := 0, 1
		switch c := packed[i]; {
		case c&0xe0 == 0xa0:
			n = int(c & 0x1f)
		case c == 0xd9 && i+1 < len(packed):
			n, head = int(packed[i+1]), 2
		case c == 0xda && i+2 < len(packed):
			n, head = int(packed[i+1])<<8|int(packed[i+2]), 3
		}
		if end := i + head + n; n > 0 && end <= len(packed) {
			list = append(list, string(packed[i+head:end]))
		}
		i += head + n
	}
	return list
}

// TestStreamMutations sends damaged streams to the listeners: each connection ends, the server and the others go on.
func TestStreamMutations(t *testing.T) {
	t.Parallel()
	x := newStreams(t)
	x.alive("before")
	rnd := testkit.Seed(t)
	now := time.Now()
	for _, c := range []struct {
		addr  string
		good  map[string][]byte
		fuzz  []string
		named string
	}{
		{x.syslog, syslogMessages(now, "one"), []string{"syslog/FuzzParse", "syslog/FuzzFramer"}, "syslog"},
		{x.forward, forwardMessages(now, "one", "Y2h1bms="), []string{"forward/FuzzDecode", "forward/FuzzSizer"}, "forward"},
	} {
		seeds := fuzzInputs(t, c.fuzz)
		for _, name := range slices.Sorted(maps.Keys(c.good)) {
			seeds = append([][]byte{c.good[name]}, seeds...)
		}
		n := mutations(t) / 20
		x.damagedStreams(rnd, c.addr, seeds, n)
		t.Logf("%s: %d streams", c.named, n)
		x.alive("after-" + c.named)
	}
}

func (x *streams) damagedStreams(rnd *rand.Rand, addr string, seeds [][]byte, n int) {
	x.t.Helper()
	var wait sync.WaitGroup
	for lane := range mutationLanes {
		rnd := rand.New(rand.NewPCG(rnd.Uint64(), rnd.Uint64()))
		wait.Go(func() {
			for i := lane; i < n; i += mutationLanes {
				sent := seeds[i%len(seeds)]
				if i >= len(seeds) {
					sent = slices.Concat(mutate(rnd, sent), seeds[0], mutate(rnd, seeds[rnd.IntN(len(seeds))]))
				}
				if _, err := speakTo(addr, sent, patience); err != nil {
					x.t.Errorf("%q: %v", sent, err)
				}
			}
		})
	}
	wait.Wait()
}

// How the connection of a bomb ended, and how long it is watched: the listeners make connections wait their turn.
const (
	ended = iota
	stillWaiting
	failed

	bombPatience = 5 * time.Second
	// maxStreamGrowth is what the listeners together may hold, 96 and 64 MiB, with what they run beside it.
	maxStreamGrowth = 192 << 20
)

// TestStreamBombs sends streams that announce or unfold to more than anybody has, on many connections at once.
func TestStreamBombs(t *testing.T) {
	t.Parallel()
	x := newStreams(t)
	x.warmUp()
	tag := text("bomb")
	compressed := func(entries []byte) []byte {
		return slices.Concat([]byte{0x93}, tag, packedBytes(entries), forwardOptions("compressed", "gzip", "chunk", "Y2h1bms="))
	}
	for _, c := range []struct {
		name, addr string
		sent       []byte
	}{
		{"forward, gzip 1:1000", x.forward, compressed(compress(256<<20, "gzip"))},
		{"forward, gzip in gzip", x.forward, compressed(zip(compress(256<<20, "gzip")))},
		{"forward, many gzip members", x.forward, compressed(repeat(8<<20, zip(nil)...))},
		{"forward, empty entries", x.forward, compressed(zip(repeat(32<<20-64, 0x92, 0x00, 0x80)))},
		{"forward, bytes of 4 GiB", x.forward, slices.Concat([]byte{0x93}, tag, []byte{0xc6, 0xff, 0xff, 0xff, 0xff}, make([]byte, 1<<20))},
		{"forward, array of 4 G entries", x.forward, slices.Concat([]byte{0x92}, tag, []byte{0xdd, 0xff, 0xff, 0xff, 0xff}, repeat(8<<20, 0x92, 0x00, 0x80))},
		{"forward, deep arrays", x.forward, repeat(8<<20, 0x91)},
		{"forward, deep maps", x.forward, slices.Concat([]byte{0x93}, tag, []byte{0x00}, repeat(8<<20, 0x81, 0xa1, 'a'))},
		{"forward, heartbeats", x.forward, repeat(4<<20, 0xc0)},
		{"syslog, count of a terabyte", x.syslog, append([]byte("999999999999 <13>"), make([]byte, 1<<20)...)},
		{"syslog, count without end", x.syslog, repeat(4<<20, '9')},
		{"syslog, line without end", x.syslog, append([]byte("<13>"), repeat(16<<20, 'a')...)},
		{"syslog, empty lines", x.syslog, repeat(8<<20, '\n')},
		{"syslog, short lines", x.syslog, repeat(4<<20, '<', '1', '>', '\n')},
		{"syslog, structured data without end", x.syslog, append([]byte("<13>1 - - - - - ["), repeat(4<<20, 'a', ' ', 'b', '=', '"', '"', ' ')...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := *x.target
			g.t, g.most = t, maxStreamGrowth
			watch := g.watchMemory()
			ends := g.wave(func() (int, error) {
				if _, err := speakTo(c.addr, c.sent, bombPatience); errors.Is(err, os.ErrDeadlineExceeded) {
					return stillWaiting, nil // it holds nothing while it does
				} else if err != nil {
					return failed, err
				}
				return ended, nil
			})
			g.judge(watch, ends, []int{ended, stillWaiting})
		})
	}
	x.alive("after-" + strconv.Itoa(parallelBombs))
}
