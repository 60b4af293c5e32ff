package receivers

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/model"
)

// full is evidence with every part.
func full() Evidence {
	return Evidence{
		Value: "0.97", Threshold: "> 0.9", Sparkline: "▁▂▇█", Logs: []string{"db-0: no space left on <device>"}, Events: []string{"2x Evicted pod/db-0: low on disk"},
		Links: []Link{{"Logs", "https://seamark.example.com/logs?q=x"}},
	}
}

func TestEvidenceIsTold(t *testing.T) {
	replies := map[string]reply{
		"telegram": {200, nil, `{"ok":true}`}, "msteams": {200, nil, "1"}, "pushover": {200, nil, `{"status":1}`}, "dingtalk": {200, nil, `{"errcode":0}`},
		"feishu": {200, nil, `{"code":0}`}, "wecom": {200, nil, `{"errcode":0}`}, "slack": {200, nil, "ok"},
	}
	for _, kind := range Kinds() {
		if kind == "email" {
			continue
		}
		answer, ok := replies[kind]
		if !ok {
			answer = reply{200, nil, ""}
		}
		f := newFake(t, answer)
		o, _ := testOptions(t)
		o.pushoverURL = f.URL
		o.Evidence = NewEvidences(func(context.Context, *model.Alert) (Evidence, error) { return full(), nil }, o.Now, o.Logger)
		if _, err := build(t, o, receiverOf(t, kind, strings.ReplaceAll(fieldsOf(kind), "URL", f.URL))).Notify(groupContext(t), testAlert(false)); err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		body := string(f.requests()[0].body)
		parts := []string{"0.97"}
		if kind != "sns" { // a text message has room for the value alone
			parts = append(parts, "no", "space", "Evicted", "seamark.example.com")
		}
		wantText(t, kind, body, parts...)
	}
}

func TestEvidenceNeverDelays(t *testing.T) {
	for patience, want := range map[time.Duration]time.Duration{20 * time.Millisecond: 20 * time.Millisecond, time.Hour: evidenceTimeout} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			defer close(release)
			e := NewEvidences(func(context.Context, *model.Alert) (Evidence, error) { <-release; return full(), nil }, time.Now, slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			begun := time.Now()
			if got := e.of(ctx, alertsOf(testAlert(false))); len(got) != 0 {
				t.Errorf("got %v of a collector that hangs", got)
			}
			if took := time.Since(begun); took != want {
				t.Errorf("it took %s, want %s", took, want)
			}
		})
	}
}

func TestEvidenceIsSharedAndBounded(t *testing.T) {
	var asked atomic.Int64
	now := testNow
	e := NewEvidences(func(context.Context, *model.Alert) (Evidence, error) {
		asked.Add(1)
		return full(), errors.New("a part is missing")
	}, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	group := alertsOf(testAlert(true), testAlert(false, "pod", "1"), testAlert(false, "pod", "2"), testAlert(false, "pod", "3"), testAlert(false, "pod", "4"), testAlert(false, "pod", "5"))
	for range 2 {
		if got := e.of(t.Context(), group[:4]); len(got) != evidenceAlerts {
			t.Errorf("evidence of %d alerts, want %d", len(got), evidenceAlerts)
		}
	}
	if n := asked.Load(); n != evidenceAlerts {
		t.Errorf("asked %d times, want once for each alert that fires", n)
	}
	now = now.Add(evidenceAge)
	e.of(t.Context(), group)
	if n := asked.Load(); n != 2*evidenceAlerts {
		t.Errorf("asked %d times in all, want again after a minute, for %d", n, evidenceAlerts)
	}
	if got := (*Evidences)(nil).of(t.Context(), group); got != nil {
		t.Errorf("got %v of no collector", got)
	}
}
