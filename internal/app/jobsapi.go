package app

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/jobs"
)

// jobAPI shows background jobs in the API's words. It implements api.QueryJobs.
type jobAPI struct {
	directoryAPI
	keeper *jobs.Keeper
}

func shownJob(j *jobs.Job) api.QueryJob {
	out := api.QueryJob{
		ID: j.ID, State: string(j.State), Language: j.Request.Language, Query: j.Request.Text, Path: j.Request.Path, Actor: j.Owner.Actor(), Created: j.Created,
		Started: timeOrNil(j.Started), Finished: timeOrNil(j.Finished), Expires: timeOrNil(j.Expires), Node: j.Node, Attempt: j.Attempt,
		Progress: j.Progress.Share, Rows: j.Progress.Rows, Bytes: j.Progress.Bytes, CPU: float64(j.Progress.CPUMicros) / 1e6, Expects: j.Progress.EstimateBytes,
	}
	if j.Answer.Status != 0 {
		out.Result = &api.QueryJobReply{Status: j.Answer.Status, ContentType: j.Answer.ContentType, Bytes: j.Answer.Bytes}
	}
	if j.Fault != nil {
		out.Error = &api.QueryJobFault{ID: j.Fault.ID, Detail: j.Fault.Message}
	}
	return out
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// visible reports whether a reader may see a job: its answer may hold all that its owner may read.
func visible(j *jobs.Job, scope seamark.Scope, actor string) bool {
	if actor != "" && j.Owner.Actor() != actor {
		return false
	}
	return !scope.Only.Narrows() || scope.Only.String() == j.Owner.Scope
}

// ListQueryJobs implements api.QueryJobs.
func (a jobAPI) ListQueryJobs(_ context.Context, scope seamark.Scope, actor string) ([]api.QueryJob, error) {
	if err := scope.Tenant.Validate(); err != nil { // the zero TenantID would be all
		return nil, err
	}
	list := []api.QueryJob{}
	for _, j := range a.keeper.List(scope.Tenant) {
		if visible(&j, scope, actor) {
			list = append(list, shownJob(&j))
		}
	}
	return list, nil
}

// FindQueryJob implements api.QueryJobs.
func (a jobAPI) FindQueryJob(ctx context.Context, scope seamark.Scope, actor, id string) (api.QueryJob, error) {
	j, err := a.keeper.Find(ctx, scope.Tenant, id)
	if err == nil && !visible(&j, scope, actor) {
		err = jobs.Unknown()
	}
	return shownJob(&j), err
}

// RemoveQueryJob implements api.QueryJobs.
func (a jobAPI) RemoveQueryJob(ctx context.Context, tenant seamark.TenantID, id, by string) error {
	return a.keeper.Remove(ctx, tenant, id, by)
}

// WriteResult implements api.QueryJobs.
func (a jobAPI) WriteResult(ctx context.Context, tenant seamark.TenantID, id string, w http.ResponseWriter, begin func(api.QueryJobReply)) error {
	return a.keeper.Read(ctx, tenant, id, func(answer jobs.Answer) {
		begin(api.QueryJobReply{Status: answer.Status, ContentType: answer.ContentType, Bytes: answer.Bytes})
	}, func(piece []byte) error {
		_, err := w.Write(piece)
		return err
	})
}
