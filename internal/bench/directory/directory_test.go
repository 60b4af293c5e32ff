// Package directory_test measures the tenant directory at the size that it is made for: what it takes of memory, how long a
// node needs until it knows everything, and what a look-up costs then. The figures stand in docs/performance.md.
package directory_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/oklog/ulid/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// The full size is asked for by SEAMARK_BENCH_TENANTS=10000; the check of every commit does with fewer.
const (
	fewTenants = 50
	clusters   = 5
	tokens     = 10 // of a tenant: two of each cluster
)

var created = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

func tenants(b *testing.B) int {
	b.Helper()
	text := os.Getenv("SEAMARK_BENCH_TENANTS")
	if text == "" {
		return fewTenants
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 100_000 {
		b.Fatalf("SEAMARK_BENCH_TENANTS is %q, want a number from 1 to 100000", text)
	}
	return n
}

// BenchmarkDirectory opens a directory of the whole size and asks it for tokens.
func BenchmarkDirectory(b *testing.B) {
	n := tenants(b)
	js := testkit.JetStream(b)
	secrets := fill(b, js, n)
	before := heap()
	began, busy := time.Now(), cpu(b)
	d := open(b, js, "")
	synced := time.Since(began)
	busy = cpu(b) - busy
	held := heap() - before
	b.Run("start", func(b *testing.B) {
		for b.Loop() { // once: what is measured was measured above
		}
		b.ReportMetric(synced.Seconds(), "s/start")
		b.ReportMetric(busy.Seconds(), "cpu-s/start")
		b.ReportMetric(float64(held)/(1<<20), "MiB")
		b.ReportMetric(float64(held)/float64(n*tokens), "B/token")
		b.ReportMetric(0, "ns/op")
	})
	b.Run("restart from the snapshot", func(b *testing.B) { restart(b, js) })
	b.Run("authenticate", func(b *testing.B) {
		b.ReportAllocs()
		busy := cpu(b)
		for i := 0; b.Loop(); i++ {
			if _, err := d.Authenticate(b.Context(), secrets[i*7919%len(secrets)]); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64((cpu(b)-busy)/time.Duration(b.N)), "cpu-ns/op")
	})
	b.Run("authenticate, permit and note", func(b *testing.B) { push(b, d, secrets) })
	b.Run("list a tenant's tokens", func(b *testing.B) {
		who, err := d.Authenticate(b.Context(), secrets[0])
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if got := len(d.ListTokens(b.Context(), who.Tenant)); got != tokens {
				b.Fatalf("got %d tokens, want %d", got, tokens)
			}
		}
	})
}

// maxPush is what a push may cost in the directory, in time of a processor: a shared machine takes the rest.
const maxPush = 2 * time.Microsecond

// push does all that the edge asks of the directory for one push.
func push(b *testing.B, d *tenant.Directory, secrets []string) {
	b.Helper()
	b.ReportAllocs()
	for _, secret := range secrets { // the first use of a credential within a minute makes its note, the others find it
		d.Used(secret[len("smk_ingest_"):][:12], "192.0.2.1", "agent")
	}
	busy := cpu(b)
	for i := 0; b.Loop(); i++ {
		p, err := d.Authenticate(b.Context(), secrets[i*7919%len(secrets)])
		if err == nil {
			err = d.Permit(p, "ingest:logs")
		}
		if err != nil {
			b.Fatal(err)
		}
		d.Used(p.CredentialID, "192.0.2.1", "agent")
	}
	each := (cpu(b) - busy) / time.Duration(b.N)
	b.ReportMetric(float64(each), "cpu-ns/op")
	if b.N > 100_000 && each > maxPush {
		b.Errorf("one push costs %s, the limit is %s", each, maxPush)
	}
}

// cpu is what this process has taken of the processors.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// restart measures a node that has a snapshot when it begins.
func restart(b *testing.B, js jetstream.JetStream) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "directory.json")
	first := open(b, js, path)
	if err := first.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		began := time.Now()
		d := open(b, js, path)
		b.ReportMetric(time.Since(began).Seconds(), "s/start")
		if err := d.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/(1<<20), "MiB/file")
}

func open(b *testing.B, js jetstream.JetStream, snapshot string) *tenant.Directory {
	b.Helper()
	d, err := tenant.Open(b.Context(), tenant.Options{JS: js, SyncTimeout: time.Minute, SnapshotPath: snapshot})
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// heap is what lives after a collection.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// fill writes the documents as the directory would have, without its checks that are one call each, and returns the tokens.
func fill(b *testing.B, js jetstream.JetStream, n int) []string {
	b.Helper()
	if err := open(b, js, "").Close(context.Background()); err != nil { // it made the buckets
		b.Fatal(err)
	}
	var secrets []string
	put := func(bucket, key string, doc any) {
		value, err := json.Marshal(doc)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := js.PublishMsgAsync(&nats.Msg{Subject: "$KV.seamark_" + bucket + "." + key, Data: value}); err != nil {
			b.Fatal(err)
		}
	}
	for i := range n {
		id := ulid.MustNew(ulid.Timestamp(created), entropy(i)).String()
		slug := fmt.Sprintf("tenant-%05d", i)
		put("tenants", "tenant."+id, map[string]any{
			"v": 1, "id": id, "number": i + 1, "slug": slug, "name": "Tenant " + slug, "created": created, "state": "active", "generation": 1,
		})
		put("tenants", "slug."+slug, map[string]any{"v": 1, "tenant": id})
		for c := range clusters {
			secrets = append(secrets, fillCluster(put, i, c, id)...)
		}
		if i%100 == 99 {
			<-js.PublishAsyncComplete()
		}
	}
	<-js.PublishAsyncComplete()
	return secrets
}

func fillCluster(put func(bucket, key string, doc any), i, c int, tenantID string) []string {
	name := "cluster-" + strconv.Itoa(c)
	id := ulid.MustNew(ulid.Timestamp(created), entropy(1<<20+i*clusters+c)).String()
	put("clusters", "cluster."+tenantID+"."+name, map[string]any{"v": 1, "id": id, "tenant": tenantID, "name": name, "created": created})
	var secrets []string
	for k := range tokens / clusters {
		keyID := fmt.Sprintf("%012d", (i*clusters+c)*2+k)
		secret := fmt.Sprintf("%030d", (i*clusters+c)*2+k)
		sum := sha256.Sum256([]byte(secret))
		put("tokens", "token."+keyID, map[string]any{
			"v": 1, "key_id": keyID, "tenant": tenantID, "kind": seamark.IngestToken.String(), "name": "agents", "cluster": id, "signals": []string{"all"},
			"sha256": hex.EncodeToString(sum[:]), "created": created,
		})
		secrets = append(secrets, withChecksum("smk_ingest_"+keyID+"_"+secret))
	}
	return secrets
}

// entropy is a source of bytes that differs by its number, for ids that are the same in every run.
type entropy uint64

// Read implements io.Reader.
func (e entropy) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(uint64(e) >> (8 * (i % 8)))
	}
	return len(p), nil
}

// withChecksum completes the text of a token with its CRC-32 in base 62, as the published pattern says.
func withChecksum(text string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum, tail := crc32.ChecksumIEEE([]byte(text)), [6]byte{}
	for i := len(tail) - 1; i >= 0; i-- {
		tail[i] = digits[sum%62]
		sum /= 62
	}
	return text + string(tail[:])
}
