package main

import (
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/app"
)

// jobFlags are the flags of queries that have ended, run in the background, or are quarantined.
type jobFlags struct {
	QueryHistory int `name:"query.history" default:"${query_history}" help:"Ended queries of one tenant that a node remembers, with what they cost. Without any nobody sees what was expensive lately."`

	QueryJobTimeout        time.Duration `name:"query.job-timeout" default:"${job_timeout}" help:"Longest run of a query in the background. A tenant's quota query_job_seconds goes before it."`
	QueryJobMaxQueued      int           `name:"query.job-max-queued" default:"${job_queued}" help:"Background jobs of one tenant that wait or run; more get 429. A tenant's quota query_job_queued goes before it."`
	QueryJobMaxKept        int           `name:"query.job-max-kept" default:"${job_kept}" help:"Background jobs of one tenant, those that have ended included. A tenant's quota query_job_kept goes before it."`
	QueryJobKeep           time.Duration `name:"query.job-keep" default:"${job_keep}" help:"How long the result of a background job is kept. A tenant's quota query_job_keep_seconds goes before it."`
	QueryJobMaxResultBytes int64         `name:"query.job-max-result-bytes" default:"${job_result}" help:"Bytes of the result of one background job. A tenant's quota query_job_result_bytes goes before it."`
	QueryJobMaxConcurrent  int           `name:"query.job-max-concurrent" default:"${job_concurrent}" help:"Background jobs of all tenants that run at once on one node; more wait."`
	QueryJobStoreBytes     int64         `name:"query.job-store-bytes" default:"${job_store}" help:"Bytes of the results of all tenants' background jobs."`

	QueryQuarantineWithin   time.Duration `name:"query.quarantine-within" default:"${quarantine_within}" help:"How far apart two deaths of an engine may be for a query that was under way at both to be quarantined."`
	QueryQuarantineLasts    time.Duration `name:"query.quarantine-lasts" default:"${quarantine_lasts}" help:"How long a quarantined query is refused."`
	QueryQuarantineSuspects int           `name:"query.quarantine-suspects" default:"${quarantine_suspects}" help:"Queries that are suspected when an engine dies: those that had read most, then those that had run longest. With more, dashboards are quarantined beside the culprit."`
}

// jobDefaults are the variables in the defaults of jobFlags.
func jobDefaults(vars map[string]string, d *app.QueryOptions) map[string]string {
	jobs, n := &d.Jobs.Limits, func(v int64) string { return strconv.FormatInt(v, 10) }
	for name, value := range map[string]string{
		"query_history": n(int64(d.History)), "job_timeout": jobs.Timeout.String(), "job_queued": n(int64(jobs.MaxQueued)), "job_kept": n(int64(jobs.MaxKept)),
		"job_keep": jobs.Keep.String(), "job_result": n(jobs.MaxResultBytes), "job_concurrent": n(int64(d.Jobs.Concurrent)), "job_store": n(d.Jobs.StoreBytes),
		"quarantine_within": d.Quarantine.Within.String(), "quarantine_lasts": d.Quarantine.Lasts.String(), "quarantine_suspects": n(int64(d.Quarantine.Suspects)),
	} {
		vars[name] = value
	}
	return vars
}

// set puts the flags into the options.
func (f *jobFlags) set(o *app.QueryOptions) {
	d := app.DefaultOptions().Query
	o.History, o.Quarantine = f.QueryHistory, d.Quarantine
	o.Quarantine.Within, o.Quarantine.Lasts, o.Quarantine.Suspects = f.QueryQuarantineWithin, f.QueryQuarantineLasts, f.QueryQuarantineSuspects
	o.Jobs = app.JobOptions{Concurrent: f.QueryJobMaxConcurrent, StoreBytes: f.QueryJobStoreBytes, Limits: d.Jobs.Limits}
	limits := &o.Jobs.Limits
	limits.Timeout, limits.MaxQueued, limits.MaxKept, limits.Keep, limits.MaxResultBytes = f.QueryJobTimeout, f.QueryJobMaxQueued, f.QueryJobMaxKept, f.QueryJobKeep, f.QueryJobMaxResultBytes
}
