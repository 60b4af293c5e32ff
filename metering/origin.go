package metering

import (
	"cmp"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxOrigins bounds the dashboards and the rules of a tenant that a node names in a day; what comes later is counted as OtherOrigin.
// Without it whoever makes up names fills the meter of all.
const maxOrigins = 500

// maxOriginName bounds a name, in bytes.
const maxOriginName = 200

// OtherOrigin stands for dashboards or rules that are not named.
const OtherOrigin = "other"

// originBook is what a tenant's queries took by where they come from.
type originBook struct {
	day   int32                                     // that names are counted for, in days since 1970
	named map[seamark.UsageKey]bool                 // of the day, without the hour
	open  map[seamark.UsageKey]*seamark.UsageCounts // since the last flush
}

// Origin counts a query by the dashboard or the rule that asked it: source is `dashboard` or `rule`. It is counted beside Query and
// not in it.
func (m *Meter) Origin(tenant seamark.TenantID, source, name string, counts seamark.UsageCounts) {
	if len(name) > maxOriginName {
		name = name[:maxOriginName]
	}
	key := seamark.UsageKey{Kind: seamark.UsageOrigin, Hour: seamark.HourOf(m.opts.Now()), Source: source, Actor: name}
	m.mu.Lock()
	defer m.mu.Unlock()
	book := m.origins[tenant]
	if book == nil {
		book = &originBook{named: map[seamark.UsageKey]bool{}, open: map[seamark.UsageKey]*seamark.UsageCounts{}}
		m.origins[tenant] = book
	}
	if book.open[key] == nil && len(book.open) >= 2*maxOrigins {
		key.Actor = OtherOrigin
	}
	if have := book.open[key]; have != nil {
		have.Add(&counts)
		return
	}
	book.open[key] = &counts
}

// closeOriginsLocked moves what was counted into the books that are published: the origins that took most are named first, as long
// as there is room for names.
func (m *Meter) closeOriginsLocked() {
	const hoursPerDay = 24
	today := seamark.HourOf(m.opts.Now()) / hoursPerDay
	for tenant, book := range m.origins {
		if book.day != today {
			if len(book.open) == 0 {
				delete(m.origins, tenant)
				continue
			}
			book.day = today
			clear(book.named)
		}
		lines := make([]seamark.Usage, 0, len(book.open))
		for key, counts := range book.open {
			lines = append(lines, seamark.Usage{UsageKey: key, UsageCounts: *counts})
		}
		clear(book.open)
		slices.SortFunc(lines, func(a, b seamark.Usage) int {
			return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Actor, b.Actor))
		})
		for i := range lines {
			name := lines[i].UsageKey
			name.Hour = 0
			if name.Actor != OtherOrigin && !book.named[name] && len(book.named) >= maxOrigins {
				lines[i].Actor = OtherOrigin
			} else {
				book.named[name] = true
			}
			m.countLocked(tenant, lines[i].UsageKey, lines[i].UsageCounts)
		}
	}
}
