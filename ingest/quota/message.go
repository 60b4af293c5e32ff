package quota

import (
	"fmt"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// error words a refusal for the sender: the limit, whose it is, what comes now and who can raise it.
func (r *refusal) error() error {
	whose, cure := r.scope.owner(string(r.limit))
	e := &seamark.Error{Kind: seamark.RateLimited, RetryAfter: r.wait}
	wait := r.wait.Round(time.Second)
	if wait == 0 {
		wait = time.Second
	}
	switch r.limit {
	case bytesLimit:
		e.ID = "seamark-quota-bytes"
		e.Message = fmt.Sprintf("%s sends %s of data a second, and its limit is %s (%s). Retry in %s. %s",
			whose, size(r.rate), size(float64(r.most)), r.limit, wait, cure)
	case rowsLimit:
		e.ID = "seamark-quota-rows"
		e.Message = fmt.Sprintf("%s sends %.0f rows a second, and its limit is %d (%s). Retry in %s. %s",
			whose, r.rate, r.most, r.limit, wait, cure)
	case dailyLimit:
		e.ID = "seamark-quota-daily"
		e.Message = fmt.Sprintf("%s has sent %s since midnight UTC, and its limit for a day is %s (%s). Retry in %s. %s",
			whose, size(r.rate), size(float64(r.most)), r.limit, wait, cure)
	}
	return e
}

// owner says whose limit it is and how it is raised.
func (s *scope) owner(limit string) (whose, cure string) {
	if s.parent != nil {
		return fmt.Sprintf("The cluster %q", s.name), "An admin of the tenant can raise it: PUT /api/v1/clusters/" + string(s.key.cluster) + "/quotas."
	}
	return "The tenant", "An operator can raise it: PUT /api/v1/tenants/" + string(s.key.tenant) + "/quotas, or for all tenants --quota." +
		strings.ReplaceAll(limit, "_", "-") + "."
}

// size writes a number of bytes for people.
func size(bytes float64) string {
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

// activeDetail words the refusal of new series or streams.
func (s *scope) activeDetail(what kind, first *seamark.Series) string {
	noun, limit := "series", "active_series"
	if what == streams {
		noun, limit = "streams", "active_streams"
	}
	root := s.root()
	root.gateMu.Lock()
	most := s.gates[what].limit
	root.gateMu.Unlock()
	whose, cure := s.owner(limit)
	return fmt.Sprintf("%s has as many active %s as its limit of %d lets it have (%s, with a row within the last hour), so the new %s is refused. "+
		"Send fewer different label values. %s", whose, noun, most, limit, describe(first), cure)
}

// describe names a series by its first labels.
func describe(s *seamark.Series) string {
	var b strings.Builder
	if s.Kind == seamark.MetricSeries {
		b.WriteString(clip(s.Name))
	}
	b.WriteByte('{')
	written := 0
	for _, l := range s.Labels {
		if l.Name == seamark.MetricNameLabel {
			continue
		}
		if written == 3 {
			b.WriteString(", ...")
			break
		}
		if written > 0 {
			b.WriteString(", ")
		}
		b.WriteString(clip(l.Name) + "=" + clip(l.Value))
		written++
	}
	b.WriteByte('}')
	return b.String()
}

// clip cuts text of a sender for a message.
func clip(s string) string {
	const most = 48
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
