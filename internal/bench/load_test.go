package bench_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// request is one push of a tenant.
type request struct {
	tenant int
	body   []byte
}

// senders is how many push side by side.
const senders = 8

// form is how a protocol's requests are sent over HTTP.
type form struct{ path, media, encoding string }

// post sends one body and returns how long the acknowledgement took.
func (r *rig) post(f form, q request) time.Duration {
	if r.b.Failed() { // the first fault tells enough
		return 0
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, r.ingest.URL+f.path, bytes.NewReader(q.body))
	if err != nil {
		r.b.Error(err)
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+r.tokens[q.tenant])
	req.Header.Set("Content-Type", f.media)
	if f.encoding != "" {
		req.Header.Set("Content-Encoding", f.encoding)
	}
	if f == remoteWrite2Form {
		req.Header.Set("X-Prometheus-Remote-Write-Version", "2.0.0")
	}
	begin := time.Now()
	resp, err := r.client.Do(req)
	if err != nil {
		r.b.Error(err)
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode/100 != 2 || bytes.Contains(text, []byte(`"errors":true`)) {
		r.b.Errorf("push: %s %.300s", resp.Status, text)
	}
	return time.Since(begin)
}

// load sends requests from some senders side by side and returns the acknowledgement times, sorted.
func load(requests []request, send func(request) time.Duration) []time.Duration {
	queue := make(chan request)
	go func() {
		defer close(queue)
		for _, q := range requests {
			queue <- q
		}
	}()
	var mu sync.Mutex
	var acks []time.Duration
	var wait sync.WaitGroup
	for range senders {
		wait.Go(func() {
			for q := range queue {
				took := send(q)
				mu.Lock()
				acks = append(acks, took)
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	slices.Sort(acks)
	return acks
}

// connections is how many a listener is sent to over.
const connections = 4

// stream writes requests to a listener. Syslog has no answers, and forward's are one per message, so the end is when stored
// says so; the connections stay open until then.
func (r *rig) stream(listener string, requests []request, stored func()) {
	var writing sync.WaitGroup
	var open []net.Conn
	defer func() {
		for _, conn := range open {
			_ = conn.Close()
		}
	}()
	for i := range connections {
		conn, err := (&net.Dialer{}).DialContext(r.b.Context(), "tcp", r.listeners[listener])
		if err != nil {
			r.b.Fatal(err)
		}
		open = append(open, conn)
		go func() { _, _ = io.Copy(io.Discard, conn) }() // acknowledgements
		writing.Go(func() {
			for n := i; n < len(requests); n += connections {
				if _, err := conn.Write(requests[n].body); err != nil {
					r.b.Error(err)
					return
				}
			}
		})
	}
	writing.Wait()
	stored()
}
