package compat

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/docker/docker/daemon/logger/fluentd"
	"github.com/fluent/fluent-logger-golang/fluent"
)

func fluents() []client {
	const protocol = "Fluent forward"
	return []client{
		{
			protocol: protocol, name: "fluent-logger-golang", modules: []string{"github.com/fluent/fluent-logger-golang"}, streams: true,
			checks: []check{
				{"records with whole seconds, over TCP", func(ctx context.Context, x *account) error {
					return checkFluent(ctx, x, "seconds", time.Second, fluent.Config{})
				}},
				{"records with nanoseconds and acknowledgement, over TCP", func(ctx context.Context, x *account) error {
					return checkFluent(ctx, x, "acked", 1, fluent.Config{SubSecondPrecision: true, RequestAck: true, ReadTimeout: within})
				}},
				{"records with nanoseconds and acknowledgement, over TLS", func(ctx context.Context, x *account) error {
					return checkFluent(ctx, x, "tls", 1, fluent.Config{FluentNetwork: "tls", SubSecondPrecision: true, RequestAck: true, ReadTimeout: within})
				}},
				{"asynchronous, flushed by Close", func(ctx context.Context, x *account) error {
					return checkFluent(ctx, x, "async", 1, fluent.Config{Async: true, SubSecondPrecision: true})
				}},
			},
		},
		{
			protocol: protocol, name: "Docker's log driver fluentd", modules: []string{dockerModule}, streams: true,
			checks: []check{
				{"lines with nanoseconds and acknowledgement, over TLS", dockerCheck(func(ctx context.Context, x *account, at time.Time) error {
					err := dockerLog(fluentd.New, map[string]string{
						"fluentd-address": "tls://" + x.listeners["forward.tls-listen"], "fluentd-request-ack": "true", "fluentd-sub-second-precision": "true",
					}, at, "GET /cart 200", "GET /pay 500")
					if err != nil {
						return err
					}
					labels := map[string]string{"container": "shop-web-1", "team": "shop", "cluster": clusterName}
					return x.wantLines(ctx, `{service_name=~".+"} |= "GET /"`, []line{
						{at.UnixNano(), "GET /cart 200", labels},
						{at.Add(time.Millisecond).UnixNano(), "GET /pay 500", labels},
					})
				}).run},
			},
		},
	}
}

func checkFluent(ctx context.Context, x *account, way string, precision time.Duration, c fluent.Config) error {
	address := x.listeners["forward.listen"]
	if c.FluentNetwork == "tls" {
		address = x.listeners["forward.tls-listen"]
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	c.FluentHost = host
	if c.FluentPort, err = strconv.Atoi(port); err != nil {
		return err
	}
	f, err := fluent.New(c)
	if err != nil {
		return err
	}
	at := time.Now()
	var want []line
	for i, text := range []string{"order received", "card declined"} {
		record := map[string]any{
			"log": text, "level": "error", "way": way, "attempt": i,
			"kubernetes": map[string]any{"namespace_name": "shop-prod", "pod_name": "cart-0", "container_name": "app", "host": "node-2"},
		}
		when := at.Add(time.Duration(i) * precision)
		err = errors.Join(err, f.PostWithTime("kube.cart", when, record))
		want = append(want, line{when.Truncate(precision).UnixNano(), text, map[string]string{
			"namespace": "shop-prod", "pod": "cart-0", "container": "app", "node": "node-2", "attempt": strconv.Itoa(i), "detected_level": "error",
			"cluster": clusterName,
		}})
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return x.wantLines(ctx, `{namespace="shop-prod"} | way="`+way+`"`, want)
}
