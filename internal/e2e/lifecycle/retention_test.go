package lifecycle_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// shownRetention is what GET /api/v1/retention answers, as far as the test reads it.
type shownRetention struct {
	Signals []struct {
		Signal   string     `json:"signal"`
		Days     int        `json:"days"`
		Enforced int        `json:"enforced_days"`
		Oldest   *time.Time `json:"oldest_at"`
		Until    *time.Time `json:"oldest_until"`
	} `json:"signals"`
	Streams []struct {
		Selector string     `json:"selector"`
		Ran      *time.Time `json:"ran_at"`
		Fault    string     `json:"fault"`
	} `json:"streams"`
}

// TestRetention has a tenant cut the life of its logs: days that are older go whole, the tables say the new number, and the
// tenant beside it keeps all. What the API shows is what the store does.
func TestRetention(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1, "--retention.interval", "1s")
	short, long := f.account("shorty"), f.account("longer")
	now := time.Now().UTC()
	for _, a := range []*account{short, long} {
		for _, back := range []int{0, 5, 12, 20} {
			body := fmt.Sprintf(`{"streams":[{"stream":{"app":"a"},"values":[["%d","day %d"]]}]}`, now.AddDate(0, 0, -back).UnixNano(), back)
			f.call(0, http.MethodPost, "/loki/api/v1/push", a.Ingest, body, http.StatusNoContent)
		}
	}
	lines := func(a *account) string { return f.sql("SELECT count() FROM " + a.Database() + ".logs") }
	for _, a := range []*account{short, long} {
		testkit.Eventually(t, within, func() error {
			if f.sql("EXISTS TABLE "+a.Database()+".logs") == "0" || lines(a) != "4" {
				return fmt.Errorf("not all lines of %s are stored", a.Slug)
			}
			return nil
		})
	}
	f.call(0, http.MethodPut, "/api/v1/retention", short.session, `{"signals":{"logs":7},"streams":[{"signal":"logs","selector":"{app=\"a\"}","days":3}]}`, http.StatusOK)
	testkit.Eventually(t, within, func() error {
		if got := lines(short); got != "2" {
			return fmt.Errorf("%s lines are left, want those of today and 5 days ago", got)
		}
		var shown shownRetention
		if err := json.Unmarshal([]byte(f.call(0, http.MethodGet, "/api/v1/retention", short.session, "", http.StatusOK)), &shown); err != nil {
			return err
		}
		logs := shown.Signals[0]
		if logs.Signal != "logs" || logs.Days != 7 || logs.Enforced != 7 || logs.Oldest == nil || logs.Until == nil {
			return fmt.Errorf("got %+v, want logs of 7 days", logs)
		}
		if age := now.Sub(*logs.Oldest); age < 4*24*time.Hour || age > 6*24*time.Hour {
			return fmt.Errorf("the oldest line is of %s, want 5 days ago", logs.Oldest)
		}
		if left := logs.Until.Sub(now); left < 24*time.Hour || left > 4*24*time.Hour {
			return fmt.Errorf("the oldest line goes at %s, want in 2 to 3 days", logs.Until)
		}
		if rule := shown.Streams[0]; rule.Ran == nil || rule.Fault != "" {
			return fmt.Errorf("the rule has not run: %+v", rule)
		}
		return nil
	})
	if got := lines(long); got != "4" {
		t.Errorf("the other tenant has %s lines, want all 4", got)
	}
	definition := f.sql("SELECT engine_full FROM system.tables WHERE database = '" + long.Database() + "' AND name = 'logs'")
	f.call(0, http.MethodPut, "/api/v1/retention", short.session, `{"signals":{"logs":400},"streams":[]}`, http.StatusBadRequest)
	if after := f.sql("SELECT engine_full FROM system.tables WHERE database = '" + long.Database() + "' AND name = 'logs'"); after != definition {
		t.Errorf("the other tenant's table is %s, was %s", after, definition)
	}
}
