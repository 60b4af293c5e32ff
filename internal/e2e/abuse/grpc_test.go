package abuse

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/grpc/codes"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// service is one method of OTLP over gRPC.
type service struct {
	path string
	p    payload
}

func services(t *testing.T) []service {
	t.Helper()
	now := time.Now()
	const prefix, call = "/opentelemetry.proto.collector.", "Service/Export"
	return []service{
		{prefix + "logs.v1.Logs" + call, payload{otlpLogs, "", goodOTLPLogs(t, now), []string{"otlp/FuzzLogs", "otlpgrpc/FuzzCall"}}},
		{prefix + "metrics.v1.Metrics" + call, payload{otlpMetrics, "", goodOTLPMetrics(t, now), []string{"otlp/FuzzMetrics", "otlpgrpc/FuzzCall"}}},
		{prefix + "trace.v1.Trace" + call, payload{otlpTraces, "", goodOTLPTraces(t, now, false), []string{"otlp/FuzzTraces", "otlpgrpc/FuzzCall"}}},
	}
}

// ours are the codes that say that a fault is ours, or that nobody knows whose it is. Senders would repeat the call or drop
// good data.
var ours = []codes.Code{codes.Unknown, codes.Internal, codes.DataLoss, codes.Unavailable, codes.Aborted, codes.DeadlineExceeded, codes.OutOfRange}

// overGRPC returns the target with a client that speaks HTTP/2 without TLS on the main port.
func (g *target) overGRPC() *target {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	h2 := *g
	h2.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{Protocols: &protocols, DisableCompression: true}}
	g.t.Cleanup(h2.client.CloseIdleConnections)
	return &h2
}

// message frames a gRPC message: a flag, the length, the bytes.
func message(compressed byte, body []byte) []byte {
	return slices.Concat([]byte{compressed}, binary.BigEndian.AppendUint32(nil, uint32(len(body))), body)
}

// call sends the bytes of a call and returns the code of its answer.
func (g *target) call(path, encoding string, body []byte) (codes.Code, string, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, g.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("TE", "trailers")
	req.Header.Set("Authorization", "Bearer "+g.account.Ingest)
	if encoding != "" {
		req.Header.Set("Grpc-Encoding", encoding)
	}
	resp, err := g.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return 0, "", err
	}
	status := resp.Trailer
	if resp.Header.Get("Grpc-Status") != "" {
		status = resp.Header
	}
	code, err := strconv.Atoi(status.Get("Grpc-Status"))
	return codes.Code(code), status.Get("Grpc-Message"), err
}

// snappyFramed compresses in snappy's framed format.
func snappyFramed(body []byte) []byte {
	var out bytes.Buffer
	w := snappy.NewBufferedWriter(&out)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// TestGRPCMutations sends damaged messages and damaged frames of messages to each method.
func TestGRPCMutations(t *testing.T) {
	t.Parallel()
	g := newTarget(t).overGRPC()
	rnd := testkit.Seed(t)
	for _, s := range services(t) {
		if code, text, err := g.call(s.path, "", message(0, s.p.body)); err != nil || code != codes.OK {
			t.Fatalf("%s: a good call got %s %s, %v", s.path, code, text, err)
		}
		t.Logf("%-16s %v", s.p.name, g.damagedCalls(rnd, &s, mutations(t)/40))
	}
	select {
	case <-g.Done():
		t.Fatal("the server ended")
	default:
	}
}

func (g *target) damagedCalls(rnd *rand.Rand, s *service, n int) map[codes.Code]int {
	g.t.Helper()
	seeds := append([][]byte{s.p.body}, fuzzInputs(g.t, s.p.fuzz)...)
	var mu sync.Mutex
	got := map[codes.Code]int{}
	var wait sync.WaitGroup
	for lane := range mutationLanes {
		rnd := rand.New(rand.NewPCG(rnd.Uint64(), rnd.Uint64()))
		wait.Go(func() {
			for i := lane; i < n; i += mutationLanes {
				body, encoding := s.p.damage(rnd, seeds, i)
				flag := byte(1)
				if encoding == "" || encoding == "identity" {
					flag = 0
				}
				framed := message(flag, body)
				if encoding == "snappy" && rnd.IntN(2) == 0 {
					framed = message(1, snappyFramed(body)) // what gRPC means by snappy, with block snappy inside
				}
				if rnd.IntN(8) == 0 {
					framed = mutate(rnd, framed)
				}
				code, text, err := g.call(s.path, encoding, framed)
				if err != nil || slices.Contains(ours, code) {
					g.t.Errorf("%s: %s %s, %v to %s %q", s.path, code, text, err, encoding, framed)
				}
				mu.Lock()
				got[code]++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return got
}

// maxCallGrowth is more than requests of HTTP/1 may take: all calls share one connection, whose window the server has to hold,
// and a call whose message waits behind others' may be told that it came too slowly.
const maxCallGrowth = maxGrowth + 32<<20

// TestGRPCBombs sends compressed bombs, and messages whose length is a lie, as calls.
func TestGRPCBombs(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	g.warmUp()
	const path = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
	lie := append([]byte{1}, 0xff, 0xff, 0xff, 0xff)
	for _, c := range []struct {
		name, encoding string
		body           []byte
	}{
		{"gzip", "gzip", message(1, compress(256<<20, "gzip"))},
		{"zstd", "zstd", message(1, compress(256<<20, "zstd"))},
		{"snappy", "snappy", message(1, snappyFramed(make([]byte, 120<<20)))},
		{"snappy of another kind", "snappy", message(1, encode("snappy", make([]byte, 120<<20)))},
		{"gzip in gzip", "gzip", message(1, zip(compress(256<<20, "gzip")))},
		{"length of 4 GiB", "gzip", append(lie, make([]byte, 1<<20)...)},
		{"many empty messages", "", bytes.Repeat(message(0, nil), 1<<20)},
		{"empty records", "snappy", message(1, snappyFramed(field(1, field(2, repeat(32<<20-64, 0x12, 0x00)))))},
	} {
		t.Run(c.name, func(t *testing.T) {
			h2 := *g
			h2.t, h2.most = t, maxCallGrowth
			caller := h2.overGRPC()
			watch := caller.watchMemory()
			got := caller.wave(func() (int, error) {
				code, _, err := caller.call(path, c.encoding, c.body)
				return int(code), err
			})
			h2.judge(watch, got, []int{int(codes.OK), int(codes.InvalidArgument), int(codes.ResourceExhausted), int(codes.Unimplemented), int(codes.Unavailable), int(codes.DeadlineExceeded)})
		})
	}
}
