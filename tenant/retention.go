package tenant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Retention is how long a tenant's data stays. What it does not set stays as long as the installation says.
type Retention struct {
	// Days are those of each signal, by its name; absent or 0 is the installation's default.
	Days map[string]int `json:"days,omitempty"`
	// Streams end earlier than the rest of their signal.
	Streams []StreamRetention `json:"streams,omitempty"`
}

// StreamRetention ends the streams or series that a selector matches.
type StreamRetention struct {
	Signal   string `json:"signal"` // logs or metrics
	Selector string `json:"selector"`
	Days     int    `json:"days"`
}

const (
	// maxStreamRetentions bounds the rules of a tenant: each is a look at every old day, again and again.
	maxStreamRetentions = 50
	maxSelectorBytes    = 1000
	// maxRetentionDays is ten years. The tables count days from 1970, and beyond there is no use.
	maxRetentionDays = 3650
)

// retentionDoc is stored under the tenant's id.
type retentionDoc struct {
	Version   int              `json:"v"`
	Tenant    seamark.TenantID `json:"tenant"`
	Retention Retention        `json:"retention"`
}

func (r *retentionDoc) validate(key string) error {
	if _, err := seamark.ParseTenantID(key); err != nil {
		return err
	}
	if string(r.Tenant) != key {
		return fmt.Errorf("retention of %.40q stands under the key of another", r.Tenant)
	}
	return r.Retention.check()
}

// check returns what is wrong with a retention by itself. Selectors are checked by who knows their language.
func (r *Retention) check() error {
	var faults []error
	for name, days := range r.Days {
		if _, err := seamark.ParseSignal(name); err != nil {
			faults = append(faults, fmt.Errorf("the signal %.40q is unknown; use logs, metrics, events or traces", name))
		}
		if days < 0 || days > maxRetentionDays {
			faults = append(faults, fmt.Errorf("the retention of %.40s is %d days; it must be 1 to %d, or 0 for the installation's own", name, days, maxRetentionDays))
		}
	}
	if len(r.Streams) > maxStreamRetentions {
		faults = append(faults, fmt.Errorf("there are %d rules for streams; the limit is %d", len(r.Streams), maxStreamRetentions))
	}
	for i, s := range r.Streams {
		switch {
		case s.Signal != seamark.Logs.String() && s.Signal != seamark.Metrics.String():
			faults = append(faults, fmt.Errorf("rule %d is for the signal %.40q; only logs and metrics have streams", i+1, s.Signal))
		case s.Days < 1 || s.Days > maxRetentionDays:
			faults = append(faults, fmt.Errorf("rule %d keeps %d days; it must keep 1 to %d", i+1, s.Days, maxRetentionDays))
		case strings.TrimSpace(s.Selector) == "" || len(s.Selector) > maxSelectorBytes || !utf8.ValidString(s.Selector):
			faults = append(faults, fmt.Errorf("the selector of rule %d has %d bytes; it needs 1 to %d of UTF-8", i+1, len(s.Selector), maxSelectorBytes))
		}
	}
	return errors.Join(faults...)
}

// DaysOf returns how many days a signal stays where nothing else is set than fallback.
func (r *Retention) DaysOf(signal seamark.Signal, fallback int) int {
	if days := r.Days[signal.String()]; days > 0 {
		return days
	}
	return fallback
}

// Retention returns what was set for a tenant, the zero Retention where nothing was. It answers from memory and says nothing
// about whether the tenant exists. The caller changes nothing in it.
func (d *Directory) Retention(id seamark.TenantID) Retention {
	if doc, _ := d.retentions.find(string(id)); doc != nil {
		return doc.Retention
	}
	return Retention{}
}

// SetRetention replaces what was set for a tenant, unless accept refuses what it replaces, which is compare-and-set. The error
// is accept's, of kind Invalid for a value out of bounds, NotFound when the tenant is gone.
func (d *Directory) SetRetention(ctx context.Context, id seamark.TenantID, r Retention, accept func(now Retention) error) error {
	if _, err := d.FindTenant(ctx, id); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return invalid(err, "seamark-retention-invalid")
	}
	change := func(doc *retentionDoc) error {
		if err := accept(doc.Retention); err != nil {
			return err
		}
		*doc = retentionDoc{Version: docVersion, Tenant: id, Retention: r}
		return nil
	}
	_, err := d.retentions.mutate(ctx, string(id), change)
	if errors.Is(err, errAbsent) {
		first := new(retentionDoc)
		if err := change(first); err != nil {
			return err
		}
		err = d.retentions.create(ctx, string(id), first)
	}
	if errors.Is(err, errTaken) {
		_, err = d.retentions.mutate(ctx, string(id), change)
	}
	if err != nil {
		return fmt.Errorf("save retention: %w", err)
	}
	return nil
}
