package app

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"

	"github.com/seamarkhq/seamark/alerting"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
)

// startAlerting starts evaluating rules and sending notifications.
func (a *App) startAlerting(ctx context.Context) error {
	o := alerting.DefaultOptions()
	var err error
	if o.Leases, err = bus.OpenLeases(ctx, a.js, "seamark_leases", a.opts.NATS.Replicas); err != nil {
		return err
	}
	for _, s := range a.opts.Alerting.AllowedReceivers {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			return fmt.Errorf("--alerting.allowed-receivers: %w", err)
		}
		o.PrivateReceivers = append(o.PrivateReceivers, prefix)
	}
	external := a.opts.Alerting.ExternalURL
	if external == "" {
		external = "http://" + a.opts.HTTP.Listen
	}
	console, err := url.Parse(external)
	if err != nil {
		return fmt.Errorf("--alerting.external-url: %w", err)
	}
	o.JS, o.Keys, o.Replicas, o.Owner = a.js, a.keys, a.opts.NATS.Replicas, a.node
	o.Query = func(t seamark.TenantID) rules.QueryFunc {
		query := a.promql.QueryFunc(t)
		return func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
			return a.evaluateRule(withReader(ctx, reader{language: "rules"}), t, query, expr, at)
		}
	}
	o.Queryable, o.Publish = a.promql.Queryable, a.publishSamples
	o.Standing = a.standing
	o.ExternalURL = func(seamark.TenantID) *url.URL { return console }
	o.EvaluationInterval = a.opts.Alerting.EvaluationInterval
	o.Limits.MinInterval = min(o.Limits.MinInterval, o.EvaluationInterval)
	o.Logger, o.Registerer, o.Now = a.log, a.registry, a.opts.Now
	if a.alerting, err = alerting.New(ctx, o); err != nil {
		return err
	}
	a.background("alerting", a.alerting.Run)
	a.defers("alerting service", a.alerting.Stop)
	a.followStates(a.alerting.Touch)
	return nil
}

// evaluateRule asks for a rule, which is a query of its own.
func (a *App) evaluateRule(ctx context.Context, t seamark.TenantID, query rules.QueryFunc, expr string, at time.Time) (vector promql.Vector, err error) {
	request := admit.Request{Tenant: t, Class: admit.RuleQuery, Language: "promql", Text: expr, Source: ruleSource(ctx)}
	err = a.work(ctx, request, a.metrics().want(t, expr, at, at, 0, 0), func(ctx context.Context) error {
		vector, err = query(ctx, expr, at)
		return err
	})
	return vector, err
}

// ruleSource names the rule that ctx evaluates: rule:<namespace>/<group>/<name>.
func ruleSource(ctx context.Context) string {
	source := "rule:"
	if origin, ok := ctx.Value(promql.QueryOrigin{}).(map[string]any); ok {
		if group, ok := origin["ruleGroup"].(map[string]string); ok {
			source += group["file"] + "/" + group["name"] + "/"
		}
	}
	return source + rules.FromOriginContext(ctx).Name
}

// rulesCluster stands for the platform itself where rows come from no cluster: rules' results keep the labels that the
// rules gave them.
const rulesCluster = seamark.ClusterID("00000000000000000000000000")

// publishSamples stores what rules produced as the tenant's metrics, over the same path as everybody's.
func (a *App) publishSamples(ctx context.Context, id seamark.TenantID, samples []alerting.Sample) error {
	p := seamark.Principal{Tenant: id, Cluster: rulesCluster, CredentialID: "rules"}
	catalog := a.ingester.Catalog(p)
	b := &seamark.Batch{}
	h := sha256.New()
	for i := range samples {
		s := &samples[i]
		series, err := findSeries(catalog, s.Labels)
		if err != nil {
			return err
		}
		b.Samples.Append(b.Samples.AddSeries(series), s.TimeMilli, s.Value)
		_ = binary.Write(h, binary.LittleEndian, [3]uint64{series.FP, uint64(s.TimeMilli), math.Float64bits(s.Value)})
	}
	return a.ingester.Push(ctx, p, seamark.Metrics, "rules-"+hex.EncodeToString(h.Sum(nil)[:16]), b)
}

func findSeries(catalog seamark.Catalog, ls labels.Labels) (*seamark.Series, error) {
	key := ls.Hash()
	if found := catalog.Find(key); found != nil {
		return found, nil
	}
	list := make([]seamark.Label, 0, ls.Len())
	ls.Range(func(l labels.Label) { list = append(list, seamark.Label{Name: l.Name, Value: l.Value}) })
	return catalog.Create(key, seamark.MetricSeries, list)
}
