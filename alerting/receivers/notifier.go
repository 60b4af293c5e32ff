package receivers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/common/model"

	"github.com/seamarkhq/seamark/internal/guard"
)

// service is the API of one kind of receiver: it turns a notification into requests and reads their answers.
type service interface {
	// requests returns what to send, in this order. Templates are expanded through the note, which keeps their faults.
	requests(n *note) ([]request, error)
	// judge returns nil when the answer means that the service took the message.
	judge(a *answer) *Failure
}

// request is one HTTP request.
type request struct {
	method      string // "" is POST
	url         string
	contentType string // "" is JSON
	header      http.Header
	body        []byte
	// sign is called just before sending, for signatures that hold the time; nil for none.
	sign func(r *http.Request, body []byte, now time.Time) error
}

// answer is what came back, the body cut at maxResponseBytes.
type answer struct {
	status int
	header http.Header
	body   []byte
	now    time.Time
}

// note is one notification that is about to be told: the group's alerts, their evidence, and the templates' data.
type note struct {
	key    notify.Key
	dedup  string // names what is said, see dedupKey
	alerts []*alert.Alert
	data   *template.Data
	*execution
	evidence  map[model.Fingerprint]Evidence
	truncated uint64 // alerts that were left out
	now       time.Time
	logger    *slog.Logger
}

func (n *note) firing() bool { return n.data.Status == string(model.AlertFiring) }

// Options is what all receivers of a tenant share.
type Options struct {
	// Guard decides which addresses may be connected to.
	Guard *guard.Guard
	// Template is the tenant's templates.
	Template *Template
	// Pace keeps to the services' limits.
	Pace *Pace
	// Evidence collects what helps whoever is told of an alert; nil attaches none.
	Evidence *Evidences
	// Redact takes secrets out of what services say; nil takes out nothing.
	Redact func(string) string
	Logger *slog.Logger
	Now    func() time.Time
	// May is asked just before anything is sent, after all that takes time, whether this process is still the one to send it; nil is yes.
	May func() bool

	// pushoverURL is Pushover's address, which its configuration cannot name; "" is the real one.
	pushoverURL string
}

// mayNot fails where another process sends by now.
func (o *Options) mayNot() *Failure {
	if o.May == nil || o.May() {
		return nil
	}
	return final("another process notifies about these alerts by now")
}

func (o *Options) redact(text string) string {
	if o.Redact != nil {
		text = o.Redact(text)
	}
	return printable(text)
}

// httpNotifier tells one place over HTTP. It implements notify.Notifier.
type httpNotifier struct {
	kind    string
	target  string // whose rate limit it shares
	service service
	client  *http.Client
	raw     bool   // the template data is left as Alertmanager makes it
	most    uint64 // alerts of one message; 0 is all
	opts    *Options
}

// Notify implements notify.Notifier; the first result says whether another attempt may succeed. Errors are of *Failure.
func (h *httpNotifier) Notify(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
	n, err := newNote(ctx, h.opts, !h.raw, h.most, alerts)
	if err != nil {
		return false, err
	}
	requests, err := h.service.requests(n)
	if f := n.fault(); f != nil {
		return false, f
	}
	if err != nil {
		return false, asFailure(err)
	}
	for i := range requests {
		if f := h.send(ctx, &requests[i]); f != nil {
			return f.Retry, f
		}
	}
	return false, nil
}

func asFailure(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return final("the message cannot be made: %s", printable(err.Error()))
}

// send waits for the target's turn, sends one request and judges the answer.
func (h *httpNotifier) send(ctx context.Context, r *request) *Failure {
	if f := h.opts.Pace.enter(ctx, h.target, ratesOf(h.kind)); f != nil {
		return f
	}
	a, f := h.exchange(ctx, r)
	if f == nil {
		f = h.service.judge(a)
	}
	if f == nil {
		return nil
	}
	f.Said = h.opts.redact(f.Said)
	h.opts.Pace.hold(h.target, f.RetryAfter)
	return f
}

func (h *httpNotifier) exchange(ctx context.Context, r *request) (*answer, *Failure) {
	method := r.method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, r.url, bytes.NewReader(r.body))
	if err != nil {
		return nil, final("the receiver's URL is not a URL after templating")
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", "Seamark")
	req.Header.Set("Content-Type", "application/json")
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	now := h.opts.Now()
	if r.sign != nil {
		if err := r.sign(req, r.body, now); err != nil {
			return nil, final("the request cannot be signed: %s", printable(err.Error()))
		}
	}
	if f := h.opts.mayNot(); f != nil {
		return nil, f
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, unreached(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body) // the client bounds it
	if err != nil {
		return nil, unreached(err)
	}
	return &answer{status: resp.StatusCode, header: resp.Header, body: body, now: now}, nil
}

// newNote collects what one notification says. Evidence is put among the annotations unless that is left to the service.
func newNote(ctx context.Context, o *Options, annotate bool, most uint64, alerts []*alert.Alert) (*note, error) {
	key, err := notify.ExtractGroupKey(ctx)
	if err != nil {
		return nil, err
	}
	truncated := uint64(0)
	if most > 0 && uint64(len(alerts)) > most {
		truncated, alerts = uint64(len(alerts))-most, alerts[:most]
	}
	n := &note{key: key, truncated: truncated, dedup: dedupKey(ctx, key, alerts), alerts: alerts, now: o.Now(), logger: o.Logger}
	n.evidence = o.Evidence.of(ctx, alerts)
	n.data = notify.GetTemplateData(ctx, o.Template.Upstream, alerts, o.Logger)
	if annotate {
		for i := range n.data.Alerts {
			if e, ok := n.evidence[alerts[i].Fingerprint()]; ok {
				e.annotate(n.data.Alerts[i].Annotations)
			}
		}
	}
	n.execution = o.Template.execute(n.data)
	return n, nil
}

// dedupKey names what is said, so that a receiver can drop the second copy of an at-least-once delivery: the same alerts in
// the same state give the same key after a retry and after a takeover. The time in units of the repeat interval is part of
// it because a reminder says the same on purpose.
func dedupKey(ctx context.Context, key notify.Key, alerts []*alert.Alert) string {
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

// cut shortens a text to most runes.
func cut(text string, most int) string {
	short, _ := notify.TruncateInRunes(text, most)
	return short
}

// cutBytes shortens a text to most bytes.
func cutBytes(text string, most int) string {
	short, _ := notify.TruncateInBytes(text, most)
	return short
}
