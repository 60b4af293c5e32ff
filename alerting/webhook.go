package alerting

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/notify/webhook"
	"github.com/prometheus/alertmanager/template"

	"github.com/seamarkhq/seamark/internal/guard"
)

// webhookNotifier posts Alertmanager's webhook message (version 4). It replaces upstream's notifier because that one
// makes its own client and copies the receiver's answer into the error, which is a way to read what the receiver serves.
type webhookNotifier struct {
	conf   *webhook.WebhookConfig
	tmpl   *template.Template
	client *http.Client
	logger *slog.Logger
}

func newWebhook(conf *webhook.WebhookConfig, tmpl *template.Template, g *guard.Guard, logger *slog.Logger) (*webhookNotifier, error) {
	client, err := newClient(g, conf.HTTPConfig)
	if err != nil {
		return nil, err
	}
	if conf.Timeout > 0 {
		client.Timeout = min(conf.Timeout, 30*time.Second)
	}
	return &webhookNotifier{conf: conf, tmpl: tmpl, client: client, logger: logger}, nil
}

// Notify implements notify.Notifier; the first result says whether another attempt may succeed.
func (w *webhookNotifier) Notify(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
	key, err := notify.ExtractGroupKey(ctx)
	if err != nil {
		return false, err
	}
	url, body, err := w.message(ctx, key, alerts)
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("the webhook's URL is not a URL after templating")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Seamark")
	req.Header.Set("Idempotency-Key", idempotencyKey(ctx, key, alerts))
	resp, err := w.client.Do(req)
	if err != nil {
		return !errors.Is(err, guard.ErrBlocked), notify.RedactURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body) // read to its bound so that the connection can be used again
	return checkStatus(resp.StatusCode)
}

// idempotencyKey names what is said, so that a receiver can drop the second copy of an at-least-once delivery: the same
// alerts in the same state give the same key after a retry and after a takeover. The time in units of the repeat interval
// is part of it because a reminder says the same on purpose.
func idempotencyKey(ctx context.Context, key notify.Key, alerts []*alert.Alert) string {
	h := sha256.New()
	now, _ := notify.Now(ctx)
	if repeat, ok := notify.RepeatInterval(ctx); ok && repeat > 0 {
		_, _ = fmt.Fprintf(h, "%d|", now.UnixNano()/int64(repeat))
	}
	_, _ = fmt.Fprintf(h, "%s|", key)
	said := make([]string, len(alerts))
	for i, a := range alerts {
		ended := int64(0)
		if a.Resolved() {
			ended = a.EndsAt.UnixNano()
		}
		said[i] = fmt.Sprintf("%s %d %d|", a.Fingerprint(), a.StartsAt.UnixNano(), ended)
	}
	slices.Sort(said)
	for _, s := range said {
		_, _ = io.WriteString(h, s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (w *webhookNotifier) message(ctx context.Context, key notify.Key, alerts []*alert.Alert) (url string, body []byte, err error) {
	truncated := uint64(0)
	if most := w.conf.MaxAlerts; most > 0 && uint64(len(alerts)) > most {
		truncated = uint64(len(alerts)) - most
		alerts = alerts[:most]
	}
	data := notify.GetTemplateData(ctx, w.tmpl, alerts, w.logger)
	var failed error
	expand := notify.TmplText(w.tmpl, data, &failed)
	url = expand(string(w.conf.URL))
	if failed != nil {
		return "", nil, fmt.Errorf("expand the webhook's URL: %w", failed)
	}
	var message any = &webhook.Message{Version: "4", Data: data, GroupKey: key.String(), TruncatedAlerts: truncated}
	if w.conf.Payload != nil {
		message, err = template.DeepCopyWithTemplate(w.conf.Payload, func(text string) (string, error) {
			return expand(text), failed
		})
		if err != nil {
			return "", nil, fmt.Errorf("expand the webhook's payload: %w", err)
		}
	}
	body, err = json.Marshal(message)
	return url, body, err
}

// checkStatus takes 2xx as delivered and retries what may pass: overload and the receiver's own faults.
func checkStatus(status int) (retry bool, err error) {
	if status/100 == 2 {
		return false, nil
	}
	retry = status/100 == 5 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
	return retry, notify.NewErrorWithReason(notify.GetFailureReasonFromStatusCode(status),
		fmt.Errorf("the receiver answered %d", status))
}
