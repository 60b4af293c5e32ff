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
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"

	"github.com/seamarkhq/seamark/alerting"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
)

// startAlerting starts evaluating rules and sending notifications.
func (a *App) startAlerting(ctx context.Context) error {
	o := alerting.DefaultOptions()
	for _, s := range a.opts.Alerting.AllowedReceivers {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			return fmt.Errorf("--alerting.allowed-receivers: %w", err)
		}
		o.PrivateReceivers = append(o.PrivateReceivers, prefix)
	}
	console, err := a.externalURL()
	if err != nil {
		return err
	}
	o.JS, o.Keys, o.Replicas, o.Owner = a.js, a.keys, a.opts.NATS.Replicas, a.node
	a.setRules(&o)
	o.Publish, o.Runbooks = a.publishSamples, console
	o.Standing = a.standing
	o.ExternalURL = func(seamark.TenantID) *url.URL { return console }
	o.Evidence = a.evidence(console)
	set := &a.opts.Alerting
	o.EvaluationInterval, o.EvaluationDelay, o.MaxHold = set.EvaluationInterval, set.EvaluationDelay, set.LateDataHold
	if o.Behind, err = a.watchBacklog(ctx); err != nil {
		return err
	}
	o.Limits.GroupsPerTenant, o.Limits.RulesPerGroup, o.Limits.GroupBytes = set.GroupsPerTenant, set.RulesPerGroup, set.MaxGroupBytes
	o.Limits.MinInterval, o.Limits.MaxQueryOffset = min(set.MinInterval, o.EvaluationInterval), set.MaxQueryOffset
	o.Limits.DeliveriesKept, o.Limits.TestsPerMinute = set.DeliveriesKept, set.TestsPerMinute
	o.Logger, o.Registerer, o.Now = a.log, a.registry, a.opts.Now
	if a.alerting, err = alerting.New(ctx, o); err != nil {
		return err
	}
	a.background("alerting", a.alerting.Run)
	a.defers("alerting service", a.alerting.Stop)
	a.followStates(a.alerting.Touch)
	return nil
}

// externalURL returns where people reach this server.
func (a *App) externalURL() (*url.URL, error) {
	external := a.opts.Alerting.ExternalURL
	if external == "" {
		external = "http://" + a.opts.HTTP.Listen
	}
	parsed, err := url.Parse(external)
	if err != nil {
		return nil, fmt.Errorf("--alerting.external-url: %w", err)
	}
	return parsed, nil
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
			namespace, _, _ := strings.Cut(group["file"], "\x00")
			source += namespace + "/" + group["name"] + "/"
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
