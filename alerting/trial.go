package alerting

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/common/model"

	"github.com/seamarkhq/seamark/alerting/receivers"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// ReceiverTest says how a receiver is tried.
type ReceiverTest struct {
	// Config and Templates are tried instead of what is stored; nil tries what is stored. Secrets may be sent as `<secret>`,
	// by the same rules as when a configuration is saved.
	Config    *string
	Templates map[string]string
	// Labels and Annotations are added to those of the test alert.
	Labels, Annotations map[string]string
}

// ReceiverTrial is what one integration of a receiver made of the test alert.
type ReceiverTrial struct {
	Integration string
	Status      DeliveryStatus
	Code        int
	Error       string
	Duration    time.Duration
}

// ReceiverInfo is a receiver and where it tells of alerts.
type ReceiverInfo struct {
	Name         string
	Integrations []string // such as slack[0]
}

// Bounds of a test.
const (
	maxTrial       = 40 * time.Second
	maxTestLabels  = 64
	maxTestTextLen = 4096
)

// evidenceOf returns what collects evidence for a tenant's alerts, nil when nothing does.
func (s *Service) evidenceOf(tenant seamark.TenantID) *receivers.Evidences {
	if s.opts.Evidence == nil {
		return nil
	}
	return receivers.NewEvidences(func(ctx context.Context, a *model.Alert) (receivers.Evidence, error) {
		return s.opts.Evidence(ctx, tenant, a)
	}, s.opts.Now, s.opts.Logger.With("tenant", tenant))
}

// ListReceivers returns the receivers of the tenant's configuration by name; none when none is set.
func (s *Service) ListReceivers(_ context.Context, tenant seamark.TenantID) ([]ReceiverInfo, error) {
	doc, err := s.configOf(tenant)
	if err != nil || doc == nil {
		return nil, err
	}
	list := make([]ReceiverInfo, len(doc.receivers))
	for i, r := range doc.receivers {
		list[i] = ReceiverInfo{Name: r.Name, Integrations: r.Integrations()}
	}
	slices.SortFunc(list, func(a, b ReceiverInfo) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// TestReceiver sends a test alert to every integration of a receiver, past routing and silences, and returns what each
// service answered. It runs on any process, whichever evaluates. NotFound names a receiver that the configuration lacks.
func (s *Service) TestReceiver(ctx context.Context, tenant seamark.TenantID, name string, t ReceiverTest) ([]ReceiverTrial, error) {
	doc, err := s.configToTest(tenant, &t)
	if err != nil {
		return nil, err
	}
	r := doc.receiver(name)
	if r == nil {
		return nil, seamark.Errorf(seamark.NotFound, "seamark-receiver-unknown", "The Alertmanager configuration has no receiver of this name.")
	}
	a, err := s.testAlert(&t)
	if err != nil {
		return nil, err
	}
	if !s.tests.Take("test "+string(tenant), s.opts.Limits.TestsPerMinute, time.Minute) {
		return nil, seamark.Errorf(seamark.RateLimited, "seamark-receiver-test-limit",
			"Receivers of a tenant can be tried %d times a minute. Try again in a minute.", s.opts.Limits.TestsPerMinute)
	}
	external := s.opts.ExternalURL(tenant)
	tmpl, err := doc.template(external)
	if err != nil {
		return nil, err
	}
	integrations, err := r.Build(&receivers.Options{
		Guard: s.guard, Template: tmpl, Pace: receivers.NewPace(s.opts.Now), Evidence: s.evidenceOf(tenant), Redact: doc.redact,
		Logger: s.opts.Logger.With("tenant", tenant), Now: s.opts.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("make receiver: %w", err)
	}
	return s.try(ctx, tenant, name, integrations, a), nil
}

// configToTest returns the configuration that is to be tried.
func (s *Service) configToTest(tenant seamark.TenantID, t *ReceiverTest) (*configDoc, error) {
	stored, err := s.configOf(tenant)
	if err != nil {
		return nil, err
	}
	if t.Config == nil {
		if stored == nil {
			return s.silent, nil
		}
		return stored, nil
	}
	was := ""
	if stored != nil {
		was = stored.source.Config
	}
	text, err := restoreSecrets(*t.Config, was)
	if err != nil {
		return nil, err
	}
	return s.parseConfig(configSource{Config: text, Templates: t.Templates})
}

// testAlert makes the alert of a test. Its labels make it plain in every place where it may turn up.
func (s *Service) testAlert(t *ReceiverTest) (*alert.Alert, error) {
	a := &alert.Alert{
		Alert: model.Alert{
			Labels: model.LabelSet{"alertname": "SeamarkTest", "severity": "info"},
			Annotations: model.LabelSet{
				"summary": "Test notification of Seamark", "description": "Somebody tried this receiver. Nothing is wrong, and nobody has to do anything.",
			},
			StartsAt: s.opts.Now(),
		},
		UpdatedAt: s.opts.Now(),
	}
	if len(t.Labels)+len(t.Annotations) > maxTestLabels {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-receiver-test", "A test alert has at most %d labels and annotations.", maxTestLabels)
	}
	for _, side := range []struct {
		from map[string]string
		to   model.LabelSet
	}{{t.Labels, a.Labels}, {t.Annotations, a.Annotations}} {
		for name, value := range side.from {
			if len(value) > maxTestTextLen {
				return nil, seamark.Errorf(seamark.Invalid, "seamark-receiver-test", "The value of %q has %d bytes; the limit is %d.", cutText(name, 64), len(value), maxTestTextLen)
			}
			side.to[model.LabelName(name)] = model.LabelValue(value)
		}
	}
	maps.DeleteFunc(a.Labels, func(_ model.LabelName, value model.LabelValue) bool { return value == "" })
	if err := a.Validate(); err != nil {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-receiver-test", "The test alert is not valid: %s.", err)
	}
	return a, nil
}

// try notifies all integrations at once and logs what came of it.
func (s *Service) try(ctx context.Context, tenant seamark.TenantID, name string, integrations []receivers.Integration, a *alert.Alert) []ReceiverTrial {
	ctx, cancel := context.WithTimeout(ctx, maxTrial)
	defer cancel()
	key := fmt.Sprintf(`{}/{test=%q}:{alertname=%q}`, name, a.Name())
	ctx = notify.WithGroupKey(notify.WithReceiverName(ctx, name), key)
	ctx = notify.WithGroupLabels(ctx, model.LabelSet{"alertname": a.Labels["alertname"]})
	ctx = notify.WithNotificationReason(notify.WithNow(ctx, s.opts.Now()), notify.ReasonFirstNotification)
	trials := make([]ReceiverTrial, len(integrations))
	var all sync.WaitGroup
	for n, i := range integrations {
		all.Go(func() {
			begun, at := time.Now(), s.opts.Now()
			_, err := i.Notifier.Notify(ctx, a)
			t := ReceiverTrial{Integration: i.Name(), Duration: time.Since(begun)}
			t.Status, t.Code, t.Error = told(err)
			trials[n] = t
			s.deliveries.record(tenant, &Delivery{
				Time: at, Receiver: name, Integration: t.Integration, GroupKey: cutText(key, maxGroupKeyBytes), Alerts: 1, Attempt: 1, Status: t.Status, Code: t.Code,
				Error: t.Error, Duration: t.Duration, Test: true,
			})
		})
	}
	all.Wait()
	return trials
}
