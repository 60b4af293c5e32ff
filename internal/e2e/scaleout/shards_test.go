package scaleout

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const countLines = `sum(count_over_time({app="scaleout"}[1h]))`

// TestFewerShards starts a server again that is told of one shard where there are two. The other's tenant is refused loudly and looked for
// nowhere else, what is pushed for it waits in its stream, and is there once when the server is told of both.
func TestFewerShards(t *testing.T) {
	bus, engines, dir := harness.StartNATS(t, t.TempDir()), harness.StartShards(t, shards), t.TempDir()
	serve := func(engines []*harness.Engine) *harness.Server {
		t.Helper()
		return harness.Serve(t, dir, append([]string{"serve", "--nats.url", bus.URL, "--bus.shards", "1", "--writer.max-batch-age", "100ms"}, harness.ShardFlags(engines)...)...)
	}
	server := serve(engines)
	admin := func(out any, args ...string) {
		t.Helper()
		harness.Admin(t, t.TempDir(), out, append(args, "--nats.url", bus.URL)...)
	}
	_, err := harness.Run(t, "", "admin", "--nats.url", bus.URL, "tenant", "create", "third", "--shard", "3")
	if err == nil || !strings.Contains(err.Error(), "Field shard is 3; this installation has 2 ClickHouse shards") {
		t.Errorf("a tenant on a third shard: %v", err)
	}
	second := harness.NewAccount(admin, "second", "--shard", "2")
	first := harness.NewAccount(admin, "first")
	if second.Shard != 2 || first.Shard != 1 {
		t.Fatalf("the tenants are on the shards %d and %d", second.Shard, first.Shard)
	}
	for _, a := range []*harness.Account{first, second} {
		pushLines(t, server, a, 1)
		linesAre(t, server, a, batchRows)
	}

	if err := server.Terminate(t.Context()); err != nil {
		t.Fatal(err)
	}
	server = serve(engines[:1])
	linesAre(t, server, first, batchRows)
	testkit.Eventually(t, within, func() error {
		a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{
			Method: http.MethodGet, URL: server.URL + "/loki/api/v1/query?query=" + url.QueryEscape(countLines), Token: second.Query,
		})
		if err == nil && (a.Status != http.StatusServiceUnavailable || !strings.Contains(string(a.Body), "is on ClickHouse shard 2")) {
			err = fmt.Errorf("the other shard's tenant is told %d %s", a.Status, a.Body)
		}
		return err
	})
	pushLines(t, server, second, 1+batchRows)

	if err := server.Terminate(t.Context()); err != nil {
		t.Fatal(err)
	}
	server = serve(engines)
	linesAre(t, server, second, 2*batchRows)
	linesAre(t, server, first, batchRows)
}

func pushLines(t *testing.T, server *harness.Server, a *harness.Account, first uint64) {
	t.Helper()
	answer, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{
		URL: server.URL + "/loki/api/v1/push", Token: a.Ingest, Type: "application/json", Body: logs(&sender{number: 1}, first, time.Now()),
	})
	if err != nil || answer.Status/100 != 2 {
		t.Fatalf("lines of %s: %+v, %v", a.Slug, answer, err)
	}
}

func linesAre(t *testing.T, server *harness.Server, a *harness.Account, want int) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		found, err := harness.LogQL(t.Context(), server.URL, a.Query, countLines)
		if err != nil || len(found) != 1 || found[0].Point.Value != float64(want) {
			return fmt.Errorf("lines of %s are %v, want %d: %w", a.Slug, found, want, err)
		}
		return nil
	})
}
