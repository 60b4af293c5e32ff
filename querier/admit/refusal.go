package admit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Limits is what a tenant's queries may take, in the fields whose names begin with query; 0 is no limit.
type Limits = seamark.Quota

// DefaultWeight is the weight of a tenant of which nothing else is said.
const DefaultWeight = 100

// field returns the quota's field that a limit of the query comes from: background jobs have their own.
func (q *Query) field(name string) string {
	switch {
	case q.Request.Job == "":
	case name == "query_max_bytes":
		return "query_job_bytes"
	case name == "query_max_seconds":
		return "query_job_seconds"
	}
	return name
}

// whose says whose limit a field is and who can raise it.
func (q *Query) whose(field string) (whose, cure string) {
	origin := "default"
	if q.state.origin != nil {
		origin = q.state.origin(field)
	}
	flag := "--" + strings.Replace(strings.ReplaceAll(field, "_", "-"), "query-", "query.tenant-", 1)
	switch origin {
	case "tenant":
		return "the tenant's limit", "An operator can raise it: PUT /api/v1/tenants/" + string(q.Request.Tenant) + "/quotas."
	case "plan":
		return "the limit of the tenant's plan", "An operator can raise it: PUT /api/v1/plans/{name}, or for this tenant PUT /api/v1/tenants/" + string(q.Request.Tenant) + "/quotas."
	}
	return "the limit of each tenant", "An operator can raise it: PUT /api/v1/tenants/" + string(q.Request.Tenant) + "/quotas, or for all " + flag + "."
}

// check ends a query that has gone over a limit.
func (q *Query) check(rows, bytes, result uint64) {
	l := &q.limits
	switch {
	case over(bytes, l.QueryMaxBytes):
		q.fail(q.exceeded("seamark-query-bytes", "query_max_bytes", "has read "+Size(float64(bytes)), Size(float64(l.QueryMaxBytes)), q.fits(bytes)))
	case over(rows, l.QueryMaxRows):
		q.fail(q.exceeded("seamark-query-rows", "query_max_rows", fmt.Sprintf("has read %d rows", rows), fmt.Sprintf("%d rows", l.QueryMaxRows), "Ask for a shorter range or narrow the selector."))
	case over(result, l.QueryMaxResultBytes) && !q.Request.Streamed:
		q.fail(q.exceeded("seamark-query-result", "query_max_result_bytes", "has an answer of "+Size(float64(result))+" or more",
			Size(float64(l.QueryMaxResultBytes)), "Ask for fewer series or lines, a larger step or a shorter range."))
	}
}

// Outcome returns what a query is answered with that failed with err: the fault for which it was ended from here, or which of its
// limits the store has ended a statement for.
func (q *Query) Outcome(err error) error {
	if q == nil || err == nil {
		return err
	}
	if fault := q.Fault(); fault != nil {
		return fault
	}
	known, ok := errors.AsType[*seamark.Error](err)
	if !ok {
		return err
	}
	l := &q.limits
	switch {
	case known.ID == "seamark-query-bytes" && (l.QueryMaxBytes > 0 || l.QueryMaxRows > 0):
		return q.stopped(known, "query_max_bytes", l.QueryMaxBytes, Size(float64(l.QueryMaxBytes)), "query_max_rows", l.QueryMaxRows)
	case known.ID == "seamark-query-memory" && l.QueryMaxMemoryBytes > 0:
		return q.stopped(known, "query_max_memory_bytes", l.QueryMaxMemoryBytes, Size(float64(l.QueryMaxMemoryBytes)), "", 0)
	}
	return err
}

// stopped words that the store ended a statement for one of two limits, of which it does not say which one: a statement is stopped
// before it reads what would be too much.
func (q *Query) stopped(known *seamark.Error, field string, limit int64, text, other string, rows int64) error { //nolint:revive // two limits
	var limits []string
	field = q.field(field)
	if limit > 0 {
		limits = append(limits, text+" ("+field+")")
	}
	if rows > 0 {
		limits = append(limits, fmt.Sprintf("%d rows (%s)", rows, other))
		if limit <= 0 {
			field = other
		}
	}
	whose, cure := q.whose(field)
	return seamark.Wrap(known, known.Kind, known.ID, "%s It had read %s; %s is %s. %s",
		known.Message, Size(float64(q.bytes.Load())), whose, strings.Join(limits, " and "), cure)
}

func over(value uint64, limit int64) bool { return limit > 0 && value > uint64(limit) }

// fits is what a query may do that has read too much.
func (*Query) fits(uint64) string { return "Ask for a shorter range or narrow the selector." }

// exceeded words that a running query has gone over a limit.
func (q *Query) exceeded(id, field, what, limit, fits string) error {
	field = q.field(field)
	whose, cure := q.whose(field)
	return seamark.Errorf(seamark.Unprocessable, id, "The query %s and was stopped: %s is %s (%s). %s %s", what, whose, limit, field, fits, cure)
}

// startLocked begins what bounds the time of a query that was let in.
func (q *Query) startLocked() {
	if q.limits.QueryMaxSeconds <= 0 || q.Request.Job != "" {
		return
	}
	most := time.Duration(q.limits.QueryMaxSeconds) * time.Second
	q.state.timer = time.AfterFunc(max(0, most-q.state.ran), func() {
		q.fail(q.exceeded("seamark-query-seconds", "query_max_seconds", "has run for "+most.String(), most.String(), "Ask for a shorter range or narrow the selector."))
	})
}

// checkEstimate refuses a query that would read more than it may.
func (q *Query) checkEstimate(want *Want, e Estimate) error {
	most := q.limits.QueryMaxBytes
	if !e.Narrowed || !over(e.Bytes, most) {
		return nil // of a query that was not looked at itself nobody knows that it reads all
	}
	field := q.field("query_max_bytes")
	whose, cure := q.whose(field)
	fits := "Narrow the selector."
	if span := want.End.Sub(want.Start); !want.Start.IsZero() && span > 0 {
		part := float64(most) / float64(e.Bytes)
		fits = fmt.Sprintf("A range of about %s would fit where this one is %s; or narrow the selector.", short(time.Duration(float64(span)*part)), short(span))
	}
	return seamark.Errorf(seamark.Unprocessable, "seamark-query-estimate",
		"The query would read up to %s, %.1f times as much as %s, %s (%s), so it was not begun. %s %s",
		Size(float64(e.Bytes)), float64(e.Bytes)/float64(most), whose, Size(float64(most)), field, fits, cure)
}

// overBudget words that a tenant has read too much.
func (q *Query) overBudget(e *excess) error {
	whose, cure := q.whose(e.field)
	span := "within a minute"
	if e.field == "query_bytes_per_day" {
		span = "since midnight UTC"
	}
	err := seamark.Errorf(seamark.RateLimited, "seamark-query-budget",
		"The tenant's queries have read %s %s; %s is %s (%s), of which they are %s over. It ends in %s. "+
			"Until then queries whose whole range lies within the last %s are answered, behind those of other tenants. %s",
		Size(e.used), span, whose, Size(float64(e.limit)), e.field, Size(math.Max(0, e.used-float64(e.limit))), short(e.ends), short(Recent), cure)
	err.RetryAfter = max(time.Second, min(e.ends, 5*time.Minute))
	return err
}

// queueFullLocked words that too many of a tenant's queries wait.
func (a *Admission) queueFullLocked(q *Query, n int) error {
	t := a.tenantLocked(q.Request.Tenant)
	turn, words := a.turnLocked(t, q.state.lane, 1)
	err := seamark.Errorf(seamark.RateLimited, "seamark-query-queue",
		"%d of your queries of class %s wait already, the limit of a tenant on one node (--query.max-queued), and %d of yours run. %sAsk again when some have ended.",
		n, q.Request.Class, t.running, words)
	err.RetryAfter = turn
	return err
}

// gaveUp words why somebody stopped waiting for another reason than patience.
func gaveUp(cause error) error {
	if _, ok := errors.AsType[*seamark.Error](cause); ok {
		return cause
	}
	return seamark.Wrap(cause, seamark.Canceled, "seamark-query-canceled", "The query was cancelled.")
}

// giveUpLocked words why a query was not let in.
func (a *Admission) giveUpLocked(k *ticket, waited time.Duration, cause error) error {
	if cause != nil && !errors.Is(cause, context.DeadlineExceeded) {
		return gaveUp(cause)
	}
	q, t := k.query, k.tenant
	position, all := t.positionsLocked()[q], len(t.tickets[lightLane])+len(t.tickets[scanLane])
	place := fmt.Sprintf("The query waited %s and was not begun: it is number %d of your %d that wait, as class %s",
		waited.Round(time.Millisecond), position, all, q.Request.Class)
	turn, words := a.turnLocked(t, q.state.lane, position)
	err := a.crowdedLocked(q, t, place, words)
	err.RetryAfter = turn
	return err
}

// crowdedLocked words what was in the way of a query that has waited.
func (a *Admission) crowdedLocked(q *Query, t *tenant, place, turn string) *seamark.Error {
	if limit := t.limits.QueryConcurrency; limit > 0 && int64(t.running) >= limit {
		_, cure := q.whose("query_concurrency")
		return seamark.Errorf(seamark.RateLimited, "seamark-query-concurrency",
			"%s, and %d of yours run on this node, which is your limit (query_concurrency). %s %sAsk again when some have ended. %s", place, t.running, a.runsLocked(t), turn, cure)
	}
	if q.state.lane == scanLane {
		return seamark.Errorf(seamark.Unavailable, "seamark-query-busy",
			"%s. It reads much, and of such queries %d run on this node, the limit of all tenants (--query.max-scans is %d), %d of them yours; a tenant leaves others a place. %s "+
				"%sTry again then, or ask for a shorter range: what reads less than %s waits for none of them.",
			place, a.scans, a.opts.MaxScans, t.scans, a.runsLocked(t), turn, Size(float64(a.opts.ScanBytes)))
	}
	return seamark.Errorf(seamark.Unavailable, "seamark-query-busy",
		"%s. %d queries run on this node, the limit of all tenants (--query.max-concurrent is %d), %d of them yours; a tenant leaves others a place. %s %sTry again then.",
		place, a.running, a.places, t.running, a.runsLocked(t), turn)
}

// The shortest and the longest time after which somebody is told to come back.
const (
	minTurn = time.Second
	maxTurn = 5 * time.Minute
	// unknownTurn is told while no query has ended yet.
	unknownTurn = 5 * time.Second
)

// turnLocked returns when the turn of one of a tenant's waiting queries comes, if its position is that, by how long queries of its
// lane have held a place lately and how many tenants wait for one, and says so.
func (a *Admission) turnLocked(t *tenant, in lane, position int) (turn time.Duration, words string) {
	held := a.held[in]
	if held == 0 {
		return unknownTurn, ""
	}
	places := float64(a.places)
	if in == scanLane {
		places = float64(a.opts.MaxScans)
	}
	mine := places / float64(max(1, a.lanes[in].Len()))
	if limit := float64(t.limits.QueryConcurrency); limit > 0 {
		mine = min(mine, limit)
	}
	turn = time.Duration(min(float64(position)*float64(held)/mine, float64(maxTurn)))
	turn = max(turn, minTurn).Round(time.Second)
	return turn, fmt.Sprintf("As such queries have run for about %s lately, its turn comes in about %s. ", short(held), short(turn))
}

// runsLocked tells how long a tenant's queries have run.
func (a *Admission) runsLocked(t *tenant) string {
	var most time.Duration
	for _, q := range t.queries {
		if q.state.held > 0 {
			most = max(most, a.opts.Now().Sub(q.state.entered))
		}
	}
	if most == 0 {
		return "None of yours has run for long."
	}
	return "Of yours the longest has run for " + short(most) + "."
}

// short writes a duration for people.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	text := d.Round(time.Minute).String()
	return strings.TrimSuffix(text, "0s")
}

// Size writes a number of bytes for people.
func Size(bytes float64) string {
	const units = "KMGTPE"
	if bytes < 1024 {
		return fmt.Sprintf("%.0f B", bytes)
	}
	unit := -1
	for bytes >= 1024 && unit < len(units)-1 {
		bytes /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", bytes, units[unit])
}
