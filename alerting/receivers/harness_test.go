package receivers

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/internal/guard"
)

// testNow is the time of all tests.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// sentRequest is a request that a fake got.
type sentRequest struct {
	method, path, host string
	query              url.Values
	header             http.Header
	body               []byte
}

// decode reads the body as JSON.
func (r *sentRequest) decode(t *testing.T, to any) {
	t.Helper()
	if err := json.Unmarshal(r.body, to); err != nil {
		t.Fatalf("body %s: %v", r.body, err)
	}
}

// reply is what a fake answers.
type reply struct {
	status int
	header map[string]string
	body   string
}

// fake is a service that keeps what it got and answers as told, the last reply for ever.
type fake struct {
	*httptest.Server
	mu      sync.Mutex // guards got and replies
	got     []sentRequest
	replies []reply
}

func newFake(t *testing.T, replies ...reply) *fake {
	t.Helper()
	f := &fake{replies: replies}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// ServeHTTP implements http.Handler.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f.mu.Lock()
	f.got = append(f.got, sentRequest{r.Method, r.URL.EscapedPath(), r.Host, r.URL.Query(), r.Header, body})
	answer := f.replies[0]
	if len(f.replies) > 1 {
		f.replies = f.replies[1:]
	}
	f.mu.Unlock()
	for name, value := range answer.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.status)
	_, _ = io.WriteString(w, answer.body)
}

// requests returns what the fake got.
func (f *fake) requests() []sentRequest {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.got
}

// receiverOf reads a receiver with one integration from its fields in YAML.
func receiverOf(t *testing.T, kind, fields string) *Receiver {
	t.Helper()
	r := &Receiver{}
	robots := map[string]any{"dingtalk": &r.DingTalk, "feishu": &r.Feishu, "wecom": &r.WeCom}
	entry := "- " + strings.ReplaceAll(strings.TrimSpace(fields), "\n", "\n  ")
	if to, ok := robots[kind]; ok {
		if err := yaml.Unmarshal([]byte(entry), to); err != nil {
			t.Fatal(err)
		}
		parsed, err := config.Load("route: {receiver: r}\nreceivers: [{name: r}]")
		if err != nil {
			t.Fatal(err)
		}
		r.Inherit(parsed.Global.HTTPConfig)
		return r
	}
	parsed, err := config.Load("route: {receiver: r}\nreceivers:\n- name: r\n  " + kind + "_configs:\n  " + strings.ReplaceAll(entry, "\n", "\n  "))
	if err != nil {
		t.Fatal(err)
	}
	r.Receiver = parsed.Receivers[0]
	return r
}

// loopback lets connections through to 127.0.0.1 alone.
func loopback() *guard.Guard {
	return guard.New(guard.Options{Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Ports: []uint16{443}})
}

func testTemplate(t *testing.T, texts map[string]string) *Template {
	t.Helper()
	names := make([]string, 0, len(texts))
	for name := range texts {
		names = append(names, name)
	}
	tmpl, err := ParseTemplate(&url.URL{Scheme: "https", Host: "seamark.example.com"}, true, names, texts)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

// testOptions returns options whose Pace does not wait: it tells how long it would have.
func testOptions(t *testing.T) (*Options, *[]time.Duration) {
	t.Helper()
	var waits []time.Duration
	now := testNow
	pace := NewPace(func() time.Time { return now })
	pace.wait = func(_ context.Context, d time.Duration) error {
		waits = append(waits, d)
		now = now.Add(d)
		return nil
	}
	return &Options{
		Guard: loopback(), Template: testTemplate(t, nil), Pace: pace, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
	}, &waits
}

// build returns the notifier of a receiver's only integration.
func build(t *testing.T, o *Options, r *Receiver) notify.Notifier {
	t.Helper()
	built, err := r.Build(o)
	if err != nil {
		t.Fatal(err)
	}
	if len(built) != 1 {
		t.Fatalf("%d integrations, want 1", len(built))
	}
	return built[0].Notifier
}

// testAlert is an alert that fires, or that has ended.
func testAlert(resolved bool, more ...string) *alert.Alert {
	a := &alert.Alert{Alert: model.Alert{
		Labels:      model.LabelSet{"alertname": "DiskFull", "namespace": "shop", "severity": "page"},
		Annotations: model.LabelSet{"summary": "The disk of <db-0> is full"},
		StartsAt:    testNow.Add(-time.Hour), EndsAt: time.Now().Add(time.Hour),
	}}
	if resolved {
		a.EndsAt = testNow.Add(-30 * time.Minute)
	}
	for i := 0; i+1 < len(more); i += 2 {
		a.Labels[model.LabelName(more[i])] = model.LabelValue(more[i+1])
	}
	return a
}

// groupContext is the context in which the pipeline calls notifiers.
func groupContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx = notify.WithGroupKey(notify.WithReceiverName(ctx, "r"), `{}:{alertname="DiskFull"}`)
	ctx = notify.WithGroupLabels(ctx, model.LabelSet{"alertname": "DiskFull"})
	ctx = notify.WithRepeatInterval(notify.WithNow(ctx, testNow), 4*time.Hour)
	return notify.WithNotificationReason(ctx, notify.ReasonFirstNotification)
}

// failureOf returns the failure that a notifier reports, nil for none.
func failureOf(t *testing.T, retry bool, err error) *Failure {
	t.Helper()
	if err == nil {
		return nil
	}
	f, ok := errors.AsType[*Failure](err)
	if !ok {
		t.Fatalf("the error %v is no Failure", err)
	}
	if f.Retry != retry {
		t.Errorf("the notifier says retry %v, its failure %v", retry, f.Retry)
	}
	if _, ok := errors.AsType[*notify.ErrorWithReason](err); !ok {
		t.Errorf("%v has no reason for upstream's metrics", err)
	}
	return f
}

func alertsOf(list ...*alert.Alert) []*alert.Alert { return list }
