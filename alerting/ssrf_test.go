package alerting

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/seamarkhq/seamark/alerting/receivers"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// loopSink counts the connections that reach it.
type loopSink struct {
	net.Listener
	connections atomic.Int64
}

func newLoopSink(t *testing.T, network, addr string) *loopSink {
	t.Helper()
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &loopSink{Listener: ln}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.connections.Add(1)
			_ = conn.Close()
		}
	}()
	return s
}

func (s *loopSink) port(t *testing.T) string {
	t.Helper()
	_, port, err := net.SplitHostPort(s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// rebinding returns a resolver that answers a public address at first and the given one from then on.
func rebinding(t *testing.T, then string) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	go func() {
		buf, asked := make([]byte, 1500), 0
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			if q.Type == dnsmessage.TypeA {
				addr := netip.MustParseAddr(then)
				if asked == 0 {
					addr = netip.MustParseAddr("93.184.215.14")
				}
				asked++
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: addr.As4()}}}
			}
			if out, err := m.Pack(); err == nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp4", pc.LocalAddr().String())
	}}
	// Whoever checks a name by resolving it sees the public address.
	if first, err := resolver.LookupNetIP(t.Context(), "ip4", "rebinding.example.com"); err != nil || first[0].String() != "93.184.215.14" {
		t.Fatalf("first answer = %v, %v", first, err)
	}
	return resolver
}

// placed is a configuration whose receiver "hook" has one integration of a kind at host and port.
func placed(kind, host, port string) string {
	url := "'http://" + host + ":" + port + "/x'"
	const to = "to: a@example.com, from: b@example.com, "
	fields := map[string]string{
		"webhook": "url: " + url, "slack": "api_url: " + url, "msteams": "webhook_url: " + url, "msteamsv2": "webhook_url: " + url, "discord": "webhook_url: " + url,
		"telegram": "bot_token: t, chat_id: 1, api_url: " + url, "pagerduty": "routing_key: k, url: " + url, "opsgenie": "api_key: k, api_url: " + url,
		"victorops": "api_key: k, routing_key: r, api_url: " + url, "sns": "phone_number: '+1', sigv4: {region: r1, access_key: a, secret_key: s}, api_url: " + url,
		"dingtalk": "url: " + url, "feishu": "url: " + url, "wecom": "url: " + url, "email": to + "require_tls: false, smarthost: '" + host + ":" + port + "'",
		"pushover": "user_key: u, token: t", // its address is its own
	}[kind]
	return "route: {receiver: hook, group_wait: 10ms, group_interval: 1s}\nreceivers: [{name: hook, " + kind + "_configs: [{" + fields + "}]}]\n"
}

// TestNoReceiverReachesTheInside names a listener inside the platform in every form, for every kind of receiver: it is not
// connected to when the configuration is saved, nor when it is tried.
func TestNoReceiverReachesTheInside(t *testing.T) {
	v4, v6 := newLoopSink(t, "tcp4", "127.0.0.1:0"), newLoopSink(t, "tcp6", "[::1]:0")
	w := newWorld(t)
	p := w.start(t, "one", func(o *Options) {
		o.PrivateReceivers, o.Resolver, o.Limits.TestsPerMinute = nil, rebinding(t, "127.0.0.1"), 10_000
	})
	p.ready(t)
	hosts := []string{
		"127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "localhost", "127.0.0.1.nip.example.", "rebinding.example.com",
		"[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "[2002:7f00:1::1]",
		"[fe80::1%25lo]", "[::1%25lo]", "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200",
	}
	tried := 0
	for _, kind := range receivers.Kinds() {
		for _, host := range hosts {
			port := v4.port(t)
			if strings.HasPrefix(host, "[") {
				port = v6.port(t)
			}
			config := placed(kind, host, port)
			if kind == "pushover" {
				continue // it has no address that could be changed
			}
			if err := p.SaveAlertmanagerConfig(t.Context(), tenantA, config, nil); err != nil && seamark.KindOf(err) != seamark.Invalid {
				t.Fatalf("%s at %s: %v", kind, host, err)
			}
			trials, err := p.TestReceiver(t.Context(), tenantA, "hook", ReceiverTest{Config: &config})
			if err != nil {
				if seamark.KindOf(err) != seamark.Invalid {
					t.Fatalf("%s at %s: %v", kind, host, err)
				}
				continue
			}
			tried++
			if len(trials) != 1 || trials[0].Status == DeliverySent {
				t.Errorf("%s at %s: %+v", kind, host, trials)
			}
		}
	}
	if tried < len(receivers.Kinds()) {
		t.Errorf("only %d trials went as far as the dial; this test has to try names", tried)
	}
	if a, b := v4.connections.Load(), v6.connections.Load(); a != 0 || b != 0 {
		t.Errorf("%d connections over IPv4 and %d over IPv6 reached the inside, want 0", a, b)
	}
}

// TestNoRedirectIsFollowed has a receiver that may be called send on to one that may not.
func TestNoRedirectIsFollowed(t *testing.T) {
	inside := newLoopSink(t, "tcp4", "127.0.0.2:0")
	w := newWorld(t)
	p := w.start(t, "one", func(o *Options) { o.Limits.TestsPerMinute = 10_000 }) // 127.0.0.1 is allowed
	p.ready(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		outside := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "http://"+inside.Addr().String()+"/", status)
		}))
		host, port, err := net.SplitHostPort(outside.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range receivers.Kinds() {
			if kind == "email" || kind == "pushover" {
				continue
			}
			config := placed(kind, host, port)
			trials, err := p.TestReceiver(t.Context(), tenantA, "hook", ReceiverTest{Config: &config})
			if err != nil || len(trials) != 1 || trials[0].Status != DeliveryFailed || trials[0].Code != status {
				t.Errorf("%s and %d: %+v, %v; want a failure with the status", kind, status, trials, err)
			}
		}
		outside.Close()
	}
	if n := inside.connections.Load(); n != 0 {
		t.Errorf("%d connections followed a redirect, want 0", n)
	}
}

// TestNoDeliveryReachesTheInside fires an alert at receivers of all kinds whose names resolve to the inside, and at an
// address that comes out of a label.
func TestNoDeliveryReachesTheInside(t *testing.T) {
	inside := newLoopSink(t, "tcp4", "127.0.0.1:0")
	w := newWorld(t)
	p := w.start(t, "one", func(o *Options) { o.PrivateReceivers, o.Resolver = nil, rebinding(t, "127.0.0.1") })
	parts := []string{"webhook_configs: [{url: '{{ (index .Alerts 0).Labels.target }}'}]"}
	for _, kind := range receivers.Kinds() {
		if kind == "pushover" || kind == "webhook" {
			continue
		}
		_, after, _ := strings.Cut(placed(kind, "rebinding.example.com", inside.port(t)), "{name: hook, ")
		part, _, _ := strings.Cut(after, "}]\n")
		parts = append(parts, part)
	}
	config := "route: {receiver: hook, group_by: [alertname], group_wait: 10ms, group_interval: 10s}\nreceivers: [{name: hook, " + strings.Join(parts, ", ") + "}]\n"
	testkit.Eventually(t, patience, func() error { return p.SaveAlertmanagerConfig(t.Context(), tenantA, config, nil) })
	w.set(tenantA, "down", labels.FromStrings("target", "http://"+inside.Addr().String()+"/"))
	p.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	testkit.Eventually(t, patience, func() error {
		list, err := p.ListDeliveries(t.Context(), tenantA, DeliveryFilter{Receiver: "hook"})
		if err != nil {
			return err
		}
		blocked := map[string]bool{}
		for _, d := range list {
			if d.Status != DeliveryBlocked || d.Retry {
				t.Fatalf("got %+v, want every attempt blocked", d)
			}
			blocked[d.Integration] = true
		}
		if len(blocked) != len(parts) {
			return fmt.Errorf("%d of %d integrations were tried: %v", len(blocked), len(parts), blocked)
		}
		return nil
	})
	if n := inside.connections.Load(); n != 0 {
		t.Errorf("%d connections reached the inside, want 0", n)
	}
}
