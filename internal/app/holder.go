package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Requests about what a tenant's rules and its Alertmanager do are answered by the replica that runs them. The others ask it over NATS,
// so that any replica may be asked.
const (
	askSubject = "seamark.alerting.ask."
	// askHolderWithin is how long a request waits for a replica that is about to take the tenant over.
	askHolderWithin = 3 * time.Second
	// askAnswerWithin bounds an answer. Without it a replica that stands still holds the others' requests.
	askAnswerWithin = 5 * time.Second
	askPause        = 100 * time.Millisecond
	askAtOnce       = 32       // requests of others that a replica works on
	maxAskBytes     = 64 << 10 // of a request's body: a silence's bound
	maxAnswerBytes  = 32 << 20
	answerPartBytes = 512 << 10 // of one message; a NATS server takes 1 MiB unless told
)

// askLeftHeader tells how many messages of an answer follow.
const askLeftHeader = "Seamark-Left"

// isHeldPath tells the routes that only the holder of a tenant can answer.
func isHeldPath(path string) bool {
	return strings.HasPrefix(path, "/alertmanager/api/v2/") || path == "/prometheus/api/v1/rules" || path == "/prometheus/api/v1/alerts"
}

// asked is a request that is passed to the holder. The one that passes it on has proven the sender.
type asked struct {
	Route       string // method and path of the route
	Method, URI string
	ContentType string `json:",omitempty"`
	Accept      string `json:",omitempty"`
	Body        []byte `json:",omitempty"`
	Tenant      seamark.TenantID
}

// answered is the first part of an answer, without the body, or why there is none.
type answered struct {
	Status int         `json:",omitempty"`
	Header http.Header `json:",omitempty"`

	Kind       seamark.Kind  `json:",omitempty"`
	ID         string        `json:",omitempty"`
	Message    string        `json:",omitempty"`
	RetryAfter time.Duration `json:",omitempty"`
}

// holderDesk answers requests about tenants at the replica that runs them.
type holderDesk struct {
	app    *App
	routes map[string]httpx.Handler
	places chan struct{}
}

// atHolder has the routes that only a tenant's holder can answer be answered there, and answers those of other replicas.
func (a *App) atHolder(routes []httpx.Route) ([]httpx.Route, error) {
	d := &holderDesk{app: a, routes: map[string]httpx.Handler{}, places: make(chan struct{}, askAtOnce)}
	for i := range routes {
		if !isHeldPath(routes[i].Path) {
			continue
		}
		name, handle := routes[i].Method+" "+routes[i].Path, routes[i].Handler
		d.routes[name] = handle
		routes[i].Handler = func(w http.ResponseWriter, r *httpx.Request) error {
			if _, here := a.alerting.Holder(r.Tenant()); here {
				return handle(w, r)
			}
			return d.pass(w, r, name)
		}
	}
	sub, err := a.nc.Subscribe(askSubjectOf(a.node), d.take)
	if err != nil {
		return nil, fmt.Errorf("subscribe to requests of other replicas: %w", err)
	}
	a.defers("requests of other replicas", func(context.Context) error { return sub.Unsubscribe() })
	return routes, nil
}

// askSubjectOf returns where a replica takes requests. Names of nodes may hold what subjects may not.
func askSubjectOf(node string) string { return askSubject + fmt.Sprintf("%x", node) }

// pass has the holder answer a request. It waits a moment for one where the tenant is being taken over.
func (d *holderDesk) pass(w http.ResponseWriter, r *httpx.Request, route string) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAskBytes+1))
	if err != nil {
		return seamark.Wrap(err, seamark.Invalid, "seamark-body-unreadable", "The body could not be read.")
	}
	if len(body) > maxAskBytes {
		return seamark.Errorf(seamark.TooLarge, "seamark-silence-large", "The body is longer than the limit of %d bytes.", maxAskBytes)
	}
	text, err := json.Marshal(asked{
		Route: route, Method: r.Method, URI: r.URL.RequestURI(), ContentType: r.Header.Get("Content-Type"), Accept: r.Header.Get("Accept"), Body: body, Tenant: r.Tenant(),
	})
	if err != nil {
		return err
	}
	for begun := time.Now(); ; {
		holder, here := d.app.alerting.Holder(r.Tenant())
		switch {
		case here:
			r.Body = io.NopCloser(bytes.NewReader(body))
			return d.routes[route](w, r)
		case holder != "" && holder != d.app.node:
			if taken, err := d.ask(w, r, holder, text); taken || err == nil {
				return err
			}
		}
		if time.Since(begun) >= askHolderWithin {
			e := seamark.Errorf(seamark.Unavailable, "seamark-alerting-takeover", "The replica that evaluates the tenant's rules is gone or busy; another one is about to take them over. Try again.")
			e.RetryAfter = 3 * time.Second
			return e
		}
		pause := time.NewTimer(askPause)
		select {
		case <-r.Context().Done():
			pause.Stop()
			return r.Context().Err()
		case <-pause.C:
		}
	}
}

// ask asks one replica. Unless it has taken the request, another may be asked.
func (d *holderDesk) ask(w http.ResponseWriter, r *httpx.Request, holder string, text []byte) (taken bool, err error) {
	ctx, cancel := context.WithTimeout(r.Context(), askAnswerWithin)
	defer cancel()
	inbox := d.app.nc.NewInbox()
	sub, err := d.app.nc.SubscribeSync(inbox)
	if err != nil {
		return false, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := d.app.nc.PublishRequest(askSubjectOf(holder), inbox, text); err != nil {
		return false, err
	}
	var head answered
	var body []byte
	for first := true; ; first = false {
		m, err := sub.NextMsgWithContext(ctx)
		switch {
		case errors.Is(err, nats.ErrNoResponders):
			return false, err
		case err != nil:
			return true, seamark.Wrap(err, seamark.Unavailable, "seamark-alerting-silent",
				"The replica that evaluates the tenant's rules does not answer. The request may or may not have been taken; try again.")
		case first:
			if err := json.Unmarshal(m.Data, &head); err != nil {
				return true, fmt.Errorf("read the answer of %s: %w", holder, err)
			}
			if head.ID == "seamark-alerting-standby" {
				return false, errNotHolder
			}
			if head.ID != "" {
				return true, &seamark.Error{Kind: head.Kind, ID: head.ID, Message: head.Message, RetryAfter: head.RetryAfter}
			}
		default:
			body = append(body, m.Data...)
		}
		if m.Header.Get(askLeftHeader) == "0" {
			break
		}
	}
	for name, values := range head.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(head.Status)
	_, err = w.Write(body)
	return true, err
}

var errNotHolder = errors.New("the replica does not hold the tenant")

// take answers a request of another replica.
func (d *holderDesk) take(m *nats.Msg) {
	select {
	case d.places <- struct{}{}:
	default:
		d.refuse(m, seamark.Errorf(seamark.Unavailable, "seamark-alerting-busy", "The replica that evaluates the tenant's rules answers %d requests at once already. Try again.", askAtOnce))
		return
	}
	go func() {
		defer func() { <-d.places }()
		if err := d.answer(m); err != nil {
			d.refuse(m, err)
		}
	}()
}

func (d *holderDesk) answer(m *nats.Msg) error {
	var q asked
	if err := json.Unmarshal(m.Data, &q); err != nil {
		return fmt.Errorf("read a request of another replica: %w", err)
	}
	handle, known := d.routes[q.Route]
	if !known || q.Tenant == "" {
		return seamark.Errorf(seamark.NotFound, "seamark-route-unknown", "There is nothing at %s.", q.Route)
	}
	ctx, cancel := context.WithTimeout(context.Background(), askAnswerWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, q.Method, q.URI, bytes.NewReader(q.Body))
	if err != nil {
		return err
	}
	request.RequestURI = q.URI
	for name, value := range map[string]string{"Content-Type": q.ContentType, "Accept": q.Accept} {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	w := &keptAnswer{head: answered{Header: http.Header{}}}
	if err := handle(w, httpx.Background(request, seamark.Principal{Tenant: q.Tenant}, func() error { return nil })); err != nil {
		return err
	}
	if w.over {
		return seamark.Errorf(seamark.TooLarge, "seamark-alerting-answer", "The answer is longer than the limit of %d bytes. Ask for less: filter by label.", maxAnswerBytes)
	}
	if w.head.Status == 0 {
		w.head.Status = http.StatusOK
	}
	return d.send(m, &w.head, w.body.Bytes())
}

// send sends an answer in parts.
func (d *holderDesk) send(m *nats.Msg, head *answered, body []byte) error {
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	left := (len(body) + answerPartBytes - 1) / answerPartBytes
	for part := text; ; left-- {
		reply := nats.NewMsg(m.Reply)
		reply.Header.Set(askLeftHeader, strconv.Itoa(left))
		reply.Data = part
		if err := d.app.nc.PublishMsg(reply); err != nil || left == 0 {
			return err
		}
		part = body[:min(len(body), answerPartBytes)]
		body = body[len(part):]
	}
}

func (d *holderDesk) refuse(m *nats.Msg, err error) {
	e, known := errors.AsType[*seamark.Error](err)
	if !known {
		d.app.log.Error("a request of another replica failed", "err", err)
		e = seamark.Wrap(err, seamark.Internal, "seamark-internal", "Internal error.")
	}
	if err := d.send(m, &answered{Kind: e.Kind, ID: e.ID, Message: e.Message, RetryAfter: e.RetryAfter}, nil); err != nil {
		d.app.log.Debug("a request of another replica was not answered", "err", err)
	}
}

// keptAnswer keeps a bounded answer. It implements http.ResponseWriter.
type keptAnswer struct {
	head answered
	body bytes.Buffer
	over bool
}

// Header implements http.ResponseWriter.
func (k *keptAnswer) Header() http.Header { return k.head.Header }

// WriteHeader implements http.ResponseWriter.
func (k *keptAnswer) WriteHeader(status int) { k.head.Status = status }

// Write implements http.ResponseWriter.
func (k *keptAnswer) Write(p []byte) (int, error) {
	if k.body.Len()+len(p) > maxAnswerBytes {
		k.over = true
		return len(p), nil
	}
	return k.body.Write(p)
}
