package engine_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// parentCommand makes the test binary a parent that starts an engine, tells its address and waits to be killed.
const parentCommand = "engine-test-parent"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == parentCommand {
		os.Exit(runParent(os.Args[2]))
	}
	if len(os.Args) > 1 && os.Args[1] == engine.ChildCommand {
		awaitLeave(os.Getenv("HOME"))
	}
	testkit.Main(m)
}

// holdFile in an engine's folder keeps its child from starting until it is gone.
const holdFile = "hold"

func awaitLeave(folder string) {
	for {
		if _, err := os.Stat(filepath.Join(folder, holdFile)); err != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func runParent(folder string) int {
	ch, err := engine.StartClickHouse(context.Background(), engine.ClickHouseOptions{DataDir: folder, TenantUsers: 1})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	tcp, _ := ch.Addrs()
	fmt.Println(tcp)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// start starts an engine on folder and stops it at the test's end.
func start(t *testing.T, options engine.ClickHouseOptions) *engine.ClickHouse {
	t.Helper()
	if options.TenantUsers == 0 {
		options.TenantUsers = 3
	}
	options.KeepFreeBytes = 1 << 20
	options.Log = slog.New(slog.DiscardHandler)
	ch, err := engine.StartClickHouse(t.Context(), options)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() { stop(t, ch) })
	return ch
}

func stop(t *testing.T, ch *engine.ClickHouse) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := ch.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// client keeps no connection, so that an engine never waits for one when it ends.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// exec runs one statement over HTTP and returns its output without the last line break.
func exec(t *testing.T, ch *engine.ClickHouse, user, password, statement string) (string, error) {
	t.Helper()
	_, addr := ch.Addrs()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/", strings.NewReader(statement))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(user, password)
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("code %s: %s", response.Header.Get("X-ClickHouse-Exception-Code"), body)
	}
	return strings.TrimSuffix(string(body), "\n"), nil
}

// admin runs a statement that must succeed, with every right.
func admin(t *testing.T, ch *engine.ClickHouse, statement string) string {
	t.Helper()
	out, err := exec(t, ch, ch.AdminUser(), ch.AdminPassword(), statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return out
}

// tenant runs a statement as tenant number n.
func tenant(t *testing.T, ch *engine.ClickHouse, n int, statement string) (string, error) {
	t.Helper()
	user := engine.TenantUser(n)
	return exec(t, ch, user, engine.TenantPassword(ch.TenantSecret(), user), statement)
}
