package app

import (
	"fmt"
	"time"
)

// TenantsOptions configures the life of tenants: what is recorded of it, how it ends, and how long their data stays.
type TenantsOptions struct {
	// ChangeRetention is how long the change log keeps records.
	ChangeRetention time.Duration
	// DeleteGrace is how long a tenant that is being deleted can be had back before it is purged.
	DeleteGrace time.Duration
	// PurgeSettle is how long after its end a tenant's things are left alone, and how far apart the looks are that must find nothing.
	PurgeSettle time.Duration
	// Retention is how long data stays where a tenant has set nothing, MaxRetention the longest that a tenant may set.
	Retention, MaxRetention time.Duration
	// RetentionInterval is how often rows are looked at that rules for streams let go earlier than the rest.
	RetentionInterval time.Duration
	// TransferDir is where exports of whole tenants are put; "" is a folder in the data folder.
	TransferDir string
	// TransferKeep is how long an export of a tenant stays there.
	TransferKeep time.Duration
	// TransferMaxBytes bounds all exports together that are kept.
	TransferMaxBytes int64
}

// DefaultTenantsOptions returns the options of a process that was told nothing.
func DefaultTenantsOptions() TenantsOptions {
	const day = 24 * time.Hour
	return TenantsOptions{
		ChangeRetention: 400 * day, DeleteGrace: 72 * time.Hour, PurgeSettle: 15 * time.Second, Retention: 30 * day, MaxRetention: 365 * day, RetentionInterval: time.Hour,
		TransferKeep: 72 * time.Hour, TransferMaxBytes: 20 << 30,
	}
}

// flagCheck is what is wrong with one flag; a nil error is nothing.
type flagCheck struct {
	flag string
	err  error
}

func (o *TenantsOptions) checks() []flagCheck {
	const day = 24 * time.Hour
	checks := []flagCheck{
		{"tenants.change-retention", between(o.ChangeRetention, day, 3650*day)},
		{"tenants.delete-grace", between(o.DeleteGrace, 0, 365*day)},
		{"tenants.purge-settle", between(o.PurgeSettle, 100*time.Millisecond, time.Hour)},
		{"retention.default", between(o.Retention, day, 3650*day)},
		{"retention.max", between(o.MaxRetention, day, 3650*day)},
		{"retention.interval", between(o.RetentionInterval, time.Second, day)},
		{"tenants.export-keep", between(o.TransferKeep, time.Minute, 365*day)},
		{"tenants.export-max-bytes", positive(o.TransferMaxBytes)},
	}
	if o.Retention > o.MaxRetention {
		checks = append(checks, flagCheck{"retention.default", fmt.Errorf("is %s, more than --retention.max, %s", o.Retention, o.MaxRetention)})
	}
	return checks
}

func between(d, lo, hi time.Duration) error {
	if d < lo || d > hi {
		return fmt.Errorf("is %s; it must be %s to %s", d, lo, hi)
	}
	return nil
}

// DirectoryOptions says how old a node's knowledge of tenants and credentials may be while it still goes by it.
type DirectoryOptions struct {
	// MaxAdminAge holds for whatever can change something: admin tokens, API keys, operators, and people who are more than viewers.
	MaxAdminAge time.Duration
	// MaxIngestAge holds for ingest tokens, query tokens and viewers.
	MaxIngestAge time.Duration
}

func (o *DirectoryOptions) checks() []flagCheck {
	// Shorter ones would refuse credentials between two beats of a busy machine.
	return []flagCheck{
		{"directory.max-admin-age", between(o.MaxAdminAge, 2*time.Second, time.Hour)},
		{"directory.max-ingest-age", between(o.MaxIngestAge, max(2*time.Second, o.MaxAdminAge), 24*time.Hour)},
	}
}
