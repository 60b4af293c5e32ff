package lambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
)

// event is what Lambda hands over: payload format 2.0 of HTTP APIs and function URLs, or the event of a load balancer's target group.
type event struct {
	Version        string   `json:"version"`
	RawPath        string   `json:"rawPath"`
	RawQueryString string   `json:"rawQueryString"`
	Cookies        []string `json:"cookies"`

	HTTPMethod                      string              `json:"httpMethod"`
	Path                            string              `json:"path"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`

	Headers         map[string]string `json:"headers"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
	RequestContext  struct {
		RequestID string `json:"requestId"`
		HTTP      struct {
			Method   string `json:"method"`
			SourceIP string `json:"sourceIp"`
		} `json:"http"`
		ELB *struct{} `json:"elb"`
	} `json:"requestContext"`
}

// source is where an event came from, which decides the form of its answer.
type source int

const (
	httpAPI source = iota + 1
	loadBalancer
	loadBalancerMulti // whose target group has multi-value headers on
)

// parseEvent turns an event into a request. What is no request of HTTP is an error: the function was invoked in another way.
func parseEvent(ctx context.Context, payload []byte) (*http.Request, source, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, 0, fmt.Errorf("the event is not JSON of an HTTP request: %w", err)
	}
	from, err := e.source()
	if err != nil {
		return nil, 0, err
	}
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, 0, fmt.Errorf("the event's body is not base64: %w", err)
		}
	}
	method, path, query := e.RequestContext.HTTP.Method, e.RawPath, e.RawQueryString
	if from != httpAPI {
		method, path, query = e.HTTPMethod, e.Path, e.balancerQuery()
	}
	u, err := target(path, query)
	if err != nil {
		return nil, 0, err
	}
	r, err := http.NewRequestWithContext(ctx, method, "/", bytes.NewReader(body))
	if err != nil {
		return nil, 0, fmt.Errorf("the event's method is none of HTTP: %w", err)
	}
	r.Method, r.URL, r.RequestURI = method, u, u.RequestURI()
	if len(body) == 0 {
		r.Body = http.NoBody
	}
	r.Body, r.GetBody = io.NopCloser(r.Body), nil
	e.setHeader(r, from)
	return r, from, nil
}

func (e *event) source() (source, error) {
	switch {
	case e.RequestContext.ELB != nil && e.MultiValueHeaders != nil:
		return loadBalancerMulti, nil
	case e.RequestContext.ELB != nil:
		return loadBalancer, nil
	case e.Version == "2.0" && e.RequestContext.HTTP.Method != "":
		return httpAPI, nil
	}
	return 0, errors.New("the event is neither of an HTTP API with payload format 2.0, nor of a load balancer's target group; " +
		"set the integration's payload format version to 2.0")
}

// target builds the request's URL. Gateways hand over the path as it was sent, or with its escapes resolved; what cannot be the
// first is taken for the second.
func target(path, query string) (*url.URL, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("the event's path is %.60q; it must begin with a slash", path)
	}
	u := &url.URL{Path: path, RawQuery: query}
	if plain, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = plain, path
	}
	if strings.ContainsFunc(query, func(c rune) bool { return c <= ' ' || c == '#' || c == 0x7f }) {
		return nil, errors.New("the event's query string has characters that no request line can have")
	}
	return u, nil
}

// balancerQuery returns the query string as it was sent: load balancers split it and resolve nothing.
func (e *event) balancerQuery() string {
	var pairs []string
	for name, value := range e.QueryStringParameters {
		pairs = append(pairs, name+"="+value)
	}
	for name, values := range e.MultiValueQueryStringParameters {
		for _, value := range values {
			pairs = append(pairs, name+"="+value)
		}
	}
	slices.SortStableFunc(pairs, func(a, b string) int {
		nameA, _, _ := strings.Cut(a, "=")
		nameB, _, _ := strings.Cut(b, "=")
		return strings.Compare(nameA, nameB)
	})
	return strings.Join(pairs, "&")
}

// hopHeaders describe the connection that ended at the gateway.
var hopHeaders = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Content-Length", "Expect"}

// setHeader gives the request its headers, and the client's address as the gateway saw it: what a client says of itself in
// X-Forwarded-For stands before that and is not believed.
func (e *event) setHeader(r *http.Request, from source) {
	for name, value := range e.Headers {
		r.Header[textproto.CanonicalMIMEHeaderKey(name)] = []string{value}
	}
	for name, values := range e.MultiValueHeaders {
		r.Header[textproto.CanonicalMIMEHeaderKey(name)] = values
	}
	if len(e.Cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(e.Cookies, "; "))
	}
	r.Host = r.Header.Get("Host")
	for _, name := range append(hopHeaders, "Host") {
		r.Header.Del(name)
	}
	client := e.RequestContext.HTTP.SourceIP
	if from != httpAPI {
		client = lastForwarded(r.Header)
	}
	if ip := net.ParseIP(client); ip != nil {
		r.RemoteAddr = net.JoinHostPort(ip.String(), "0")
	}
}

// lastForwarded returns the address that the load balancer itself has added.
func lastForwarded(h http.Header) string {
	all := strings.Split(strings.Join(h.Values("X-Forwarded-For"), ","), ",")
	return strings.TrimSpace(all[len(all)-1])
}
