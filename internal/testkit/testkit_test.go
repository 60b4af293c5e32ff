package testkit_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestClickHouseIsShared(t *testing.T) {
	first, second := testkit.ClickHouse(t), testkit.ClickHouse(t)
	if first != second || !first.Up() {
		t.Fatalf("got two engines or one that is down: %p %p up=%v", first, second, first.Up())
	}
	_, addr := first.Addrs()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/", strings.NewReader("SELECT 6 * 7"))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(first.AdminUser(), first.AdminPassword())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if got := strings.TrimSpace(string(body)); err != nil || got != "42" {
		t.Fatalf("got %q, %v, want 42", got, err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestClock(t *testing.T) {
	start := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC)
	clock := testkit.NewClock(start)
	if got := clock.Advance(time.Hour); !got.Equal(start.Add(time.Hour)) || !clock.Now().Equal(got) {
		t.Fatalf("got %v and %v, want %v", got, clock.Now(), start.Add(time.Hour))
	}
	clock.Set(start)
	if got := clock.Now(); !got.Equal(start) {
		t.Fatalf("got %v, want %v", got, start)
	}
}

func TestEventuallyWaitsForTheCondition(t *testing.T) {
	calls := 0
	testkit.Eventually(t, time.Minute, func() error {
		if calls++; calls < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	if calls != 3 {
		t.Fatalf("got %d calls, want 3", calls)
	}
}

func TestFreezeReturnsWhenNothingMoves(t *testing.T) {
	busy := exec.Command("sh", "-c", "while :; do :; done")
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = busy.Process.Kill()
		_ = busy.Wait()
	}()
	testkit.Freeze(t, busy.Process.Pid)
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", busy.Process.Pid))
	if err != nil || !strings.Contains(string(text), " T ") {
		t.Errorf("the process is %q, %v", text, err)
	}
}

func TestSeedIsHonoured(t *testing.T) {
	t.Setenv("SEED", "7")
	if a, b := testkit.Seed(t).Uint64(), testkit.Seed(t).Uint64(); a != b {
		t.Fatalf("same seed gave %d and %d", a, b)
	}
}
