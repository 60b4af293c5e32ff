package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/promql"
	"github.com/seamarkhq/seamark/tenant"
)

const (
	retentionBucket = "seamark_retention"
	retentionLease  = "tenants.retention"
	// retentionQuiet is how long a day's data must have been left alone before a rule deletes from it, see store.StreamsEnd.
	retentionQuiet = time.Hour
	// retentionPartitions bounds how many partitions one rule changes in one round: each is read and written whole.
	retentionPartitions = 20
)

// retentionReport is what the rounds have done for a tenant, one document each.
type retentionReport struct {
	Ran     time.Time                `json:"ran"`
	Streams map[string]streamsReport `json:"streams,omitempty"` // by rule
}

type streamsReport struct {
	Rows  uint64 `json:"rows"`
	Fault string `json:"fault,omitempty"`
}

// retention keeps what tenants have set in force. It implements api.Retentions.
type retention struct {
	directory *tenant.Directory
	store     *store.Store
	reports   *bus.Docs[retentionReport]
	opts      TenantsOptions
	now       func() time.Time
	log       *slog.Logger
	rows      *prometheus.CounterVec
	looked    map[string]map[string]string // by tenant and rule: partitions that have nothing for it
}

// openRetention opens the reports and, where this process writes to the store, keeps retention in force.
func (a *App) openRetention(ctx context.Context) error {
	reports, err := bus.OpenDocs[retentionReport](ctx, a.js, retentionBucket, a.opts.NATS.Replicas)
	if err != nil {
		return err
	}
	a.retention = &retention{
		directory: a.directory, store: a.store, reports: reports, opts: a.opts.Tenants, now: a.opts.Now, log: a.log,
		looked: map[string]map[string]string{},
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_retention_deleted_rows_total", Help: "Rows that retention has deleted, by table and by what: whole days, or streams that a rule names.",
		}, []string{"table", "by"}),
	}
	if !a.opts.has(RoleWriter) {
		return nil
	}
	a.registry.MustRegister(a.retention.rows)
	leases, err := bus.OpenLeases(ctx, a.js, "seamark_leases", a.opts.NATS.Replicas)
	if err != nil {
		return err
	}
	lease := bus.NewLease(leases, retentionLease, a.node, purgeLeaseTTL, a.log)
	a.background("retention", func(ctx context.Context) error {
		for ctx.Err() == nil {
			err := lease.Hold(ctx, a.retention.run)
			if err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "retention stopped and starts again", slog.Any("err", err))
			}
			waitFor(ctx, purgeInterval)
		}
		return nil
	})
	return nil
}

// run makes rounds until ctx ends.
func (r *retention) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := r.round(ctx); err != nil && ctx.Err() == nil {
			r.log.ErrorContext(ctx, "a round of retention failed; the next one tries again", slog.Any("err", err))
		}
		waitFor(ctx, r.opts.RetentionInterval)
	}
	return nil
}

// round brings every tenant's tables to what holds. One tenant's failure does not keep the others waiting.
func (r *retention) round(ctx context.Context) error {
	if !r.directory.Synced() {
		return nil // what a snapshot says may be longer ago than what a tenant has set since
	}
	tables, err := r.store.ListTableDays(ctx)
	faults := []error{err} // of shards that are away; tenants of the others need not wait for them
	for _, t := range r.directory.ListTenants(ctx) {
		have, made := tables[t.Number]
		if !made || ctx.Err() != nil {
			continue
		}
		if err := r.enforce(ctx, t, have); err != nil {
			faults = append(faults, fmt.Errorf("tenant %s: %w", t.ID, err))
		}
	}
	return errors.Join(faults...)
}

func (r *retention) enforce(ctx context.Context, t tenant.Tenant, have store.TableDays) error {
	set, now := r.directory.Retention(t.ID), r.now()
	days := r.days(t.ID, &set)
	changed, err := r.store.SetTableDays(ctx, t.ID, have, days)
	if len(changed) > 0 {
		r.log.InfoContext(ctx, "a tenant's data stays for another time", slog.String("tenant", string(t.ID)), slog.Any("tables", changed), slog.Any("days", days))
	}
	if err != nil {
		return err
	}
	dropped, err := r.store.DropDays(ctx, t.ID, days, now)
	r.count(dropped, "day")
	if err != nil {
		return err
	}
	return r.endStreams(ctx, t, &set, now)
}

func (r *retention) count(dropped []store.DroppedDay, by string) (rows uint64) {
	for _, d := range dropped {
		r.rows.WithLabelValues(d.Table.String(), by).Add(float64(d.Rows))
		rows += d.Rows
	}
	return rows
}

// endStreams does what the tenant's rules for streams say, and reports it.
func (r *retention) endStreams(ctx context.Context, t tenant.Tenant, set *tenant.Retention, now time.Time) error {
	report, revision, err := r.reports.Find(ctx, string(t.ID))
	if err != nil || len(set.Streams) == 0 && revision == 0 {
		return err
	}
	before := report.Streams
	report.Ran, report.Streams = now.UTC(), map[string]streamsReport{}
	for _, rule := range set.Streams {
		key := ruleKey(rule)
		done := before[key]
		rows, err := r.endRule(ctx, t, rule, now)
		done.Rows += rows
		done.Fault = ""
		if err != nil {
			done.Fault = "The round failed; the next one tries again."
			r.log.WarnContext(ctx, "a rule of retention failed", slog.String("tenant", string(t.ID)), slog.String("rule", key), slog.Any("err", err))
		}
		report.Streams[key] = done
	}
	if r.directory.State(t.ID) == tenant.Deleted {
		return nil // its reports are gone, too
	}
	_, err = r.reports.Save(ctx, string(t.ID), report, revision)
	return err
}

func (r *retention) endRule(ctx context.Context, t tenant.Tenant, rule tenant.StreamRetention, now time.Time) (uint64, error) {
	signal, err := seamark.ParseSignal(rule.Signal)
	if err != nil {
		return 0, err
	}
	matchers, err := parseSelector(rule.Selector)
	if err != nil {
		return 0, err
	}
	key := string(t.ID) + " " + ruleKey(rule)
	if r.looked[key] == nil {
		r.looked[key] = map[string]string{}
	}
	deleted, err := r.store.EndStreams(ctx, t.ID, store.StreamsEnd{
		Signal: signal, Matchers: matchers, Days: rule.Days, Quiet: retentionQuiet, MaxPartitions: retentionPartitions,
	}, now, r.looked[key])
	return r.count(deleted, "stream"), err
}

// ruleKey names a rule in reports. Another rule begins to count anew.
func ruleKey(s tenant.StreamRetention) string {
	return s.Signal + " " + s.Selector + " " + strconv.Itoa(s.Days)
}

// days returns how many days each signal stays for a tenant.
func (r *retention) days(id seamark.TenantID, set *tenant.Retention) map[seamark.Signal]int {
	days, most := map[seamark.Signal]int{}, r.most(id)
	for _, signal := range seamark.Signals() {
		days[signal] = min(set.DaysOf(signal, daysOf(r.opts.Retention)), most)
	}
	return days
}

// most is the longest retention that a tenant may have: its plan's within the installation's.
func (r *retention) most(id seamark.TenantID) int {
	allowance := r.directory.Allowance(id, "")
	most := daysOf(r.opts.MaxRetention)
	if planned := int(allowance.Tenant().RetentionDays); planned > 0 {
		most = min(most, planned)
	}
	return most
}

func daysOf(d time.Duration) int { return int(d / (24 * time.Hour)) }

// parseSelector reads a selector in the form that PromQL and LogQL share. It refuses one that names nothing, which PromQL's
// parser takes when it reads a selector alone: such a rule deletes all there is.
func parseSelector(text string) ([]store.LogMatcher, error) {
	parsed, err := promql.NewParser().ParseMetricSelector(text)
	if err != nil {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-retention-selector", "The selector %q is none: %s.", text, err)
	}
	if !slices.ContainsFunc(parsed, func(m *labels.Matcher) bool { return !m.Matches("") }) {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-retention-selector",
			"The selector %q names nothing, and the rule would delete what has none of its labels. Ask one label for a value that is not empty.", text)
	}
	list := make([]store.LogMatcher, len(parsed))
	for i, m := range parsed {
		list[i] = store.LogMatcher{Name: m.Name, Op: store.LogEquals, Value: m.Value}
		list[i].Not = m.Type == labels.MatchNotEqual || m.Type == labels.MatchNotRegexp
		if m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp {
			list[i].Op = store.LogMatches
		}
	}
	return list, nil
}

// SaveRetention implements api.Retentions.
func (r *retention) SaveRetention(ctx context.Context, id seamark.TenantID, set api.RetentionSet, accept func(api.RetentionSet) error) error {
	next := tenant.Retention{Days: set.Signals}
	for _, s := range set.Streams {
		next.Streams = append(next.Streams, tenant.StreamRetention(s))
	}
	if err := r.check(id, &next); err != nil {
		return err
	}
	return r.directory.SetRetention(ctx, id, next, func(now tenant.Retention) error { return accept(shownRetention(&now)) })
}

// check refuses what the directory cannot know to be wrong.
func (r *retention) check(id seamark.TenantID, next *tenant.Retention) error {
	most, days := r.most(id), r.days(id, next)
	for name, n := range next.Days {
		if n > most {
			return seamark.Errorf(seamark.Invalid, "seamark-retention-long", "The retention of %.40s is %d days; your limit is %d.", name, n, most)
		}
	}
	for i, s := range next.Streams {
		signal, err := seamark.ParseSignal(s.Signal)
		if err != nil {
			continue // the directory says so in its own words
		}
		if _, err := parseSelector(s.Selector); err != nil {
			return err
		}
		if s.Days >= days[signal] {
			return seamark.Errorf(seamark.Invalid, "seamark-retention-rule",
				"Rule %d keeps %d days, and %s are kept for %d: a rule can only end streams earlier, because days go whole. Raise the signal's days and end the others by rules.",
				i+1, s.Days, s.Signal, days[signal])
		}
	}
	return nil
}

func shownRetention(set *tenant.Retention) api.RetentionSet {
	out := api.RetentionSet{Signals: map[string]int{}, Streams: []api.StreamRetention{}}
	maps.Copy(out.Signals, set.Days)
	for _, s := range set.Streams {
		out.Streams = append(out.Streams, api.StreamRetention(s))
	}
	return out
}

// tableOf is the table that shows what holds for a signal.
func tableOf(signal seamark.Signal) store.Table {
	return map[seamark.Signal]store.Table{
		seamark.Logs: store.TableLogs, seamark.Metrics: store.TableSamples, seamark.Events: store.TableEvents, seamark.Traces: store.TableSpans,
	}[signal]
}

// FindRetention implements api.Retentions.
func (r *retention) FindRetention(ctx context.Context, id seamark.TenantID) (api.Retention, error) {
	if _, err := r.directory.FindTenant(ctx, id); err != nil {
		return api.Retention{}, err
	}
	set := r.directory.Retention(id)
	days, lag := r.days(id, &set), r.opts.RetentionInterval
	oldest, err := r.store.OldestRows(ctx, id)
	if err != nil {
		return api.Retention{}, err
	}
	tables, err := r.store.FindTableDays(ctx, id)
	if err != nil {
		return api.Retention{}, err
	}
	out := api.Retention{MaxDays: r.most(id), Set: shownRetention(&set), Signals: []api.SignalRetention{}, Streams: []api.StreamRetentionState{}}
	for _, signal := range seamark.Signals() {
		s := api.SignalRetention{
			Signal: signal.String(), Days: days[signal], Set: set.Days[signal.String()] > 0, Enforced: tables[tableOf(signal)],
			Partition: store.PartitionDays(signal), Lag: int(lag / time.Second),
		}
		if at, ok := oldest[signal]; ok {
			end := at.Truncate(24*time.Hour).AddDate(0, 0, s.Partition+s.Days).Add(lag)
			s.Oldest, s.OldestOut = &at, &end
		}
		out.Signals = append(out.Signals, s)
	}
	report, _, err := r.reports.Find(ctx, string(id))
	if err != nil {
		return api.Retention{}, seamark.Wrap(err, seamark.Unavailable, "seamark-retention-unreachable", "What retention has done cannot be read right now. Retry in some seconds.")
	}
	for _, rule := range set.Streams {
		state := api.StreamRetentionState{StreamRetention: api.StreamRetention(rule)}
		if done, ran := report.Streams[ruleKey(rule)]; ran {
			state.Rows, state.Fault, state.Ran = done.Rows, done.Fault, &report.Ran
		}
		out.Streams = append(out.Streams, state)
	}
	slices.SortStableFunc(out.Streams, func(a, b api.StreamRetentionState) int { return a.Days - b.Days })
	return out, nil
}
