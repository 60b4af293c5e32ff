package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	resultStream  = "SEAMARK_RESULTS"
	resultSubject = "seamark.results."
	// pieceBytes is one message of a result: less than what a NATS server takes unless told.
	pieceBytes = 512 << 10
)

// results keeps answers in a stream: a subject for each attempt of a job, with its tenant's id, so that the purge of a deleted
// tenant finds it.
type results struct {
	js     jetstream.JetStream
	stream jetstream.Stream
}

func openResults(ctx context.Context, js jetstream.JetStream, replicas int, maxBytes int64) (*results, error) {
	s, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: resultStream, Description: "Seamark: answers of queries in the background", Subjects: []string{resultSubject + ">"}, Storage: jetstream.FileStorage,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, MaxBytes: maxBytes, Replicas: max(1, replicas), AllowDirect: true,
	})
	if err != nil {
		return nil, fmt.Errorf("create stream %s: %w", resultStream, err)
	}
	return &results{js, s}, nil
}

func subjectOf(job *Job) string {
	return resultSubject + keyOf(job.Tenant, job.ID) + "." + strconv.Itoa(job.Attempt)
}

// purge deletes the answers of all attempts of a job.
func (r *results) purge(ctx context.Context, job *Job) error {
	return r.purgeSubject(ctx, resultSubject+keyOf(job.Tenant, job.ID)+".*")
}

// purgeAttempt deletes the answer of one attempt.
func (r *results) purgeAttempt(ctx context.Context, job *Job) error {
	return r.purgeSubject(ctx, subjectOf(job))
}

func (r *results) purgeSubject(ctx context.Context, subject string) error {
	if err := r.stream.Purge(ctx, jetstream.WithPurgeSubject(subject)); err != nil {
		return fmt.Errorf("purge the result of a job: %w", err)
	}
	return nil
}

// read hands out an answer piece by piece. begin is called before the first, and also for an empty answer.
func (r *results) read(ctx context.Context, job *Job, begin func(), write func([]byte) error) error {
	subject, left := subjectOf(job), job.Answer.Bytes
	for next := uint64(1); left > 0; {
		msg, err := r.stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return seamark.Errorf(seamark.NotFound, "seamark-job-expired", "The result was deleted. Run the query again.")
		}
		if err != nil {
			return unreachable(err)
		}
		if begin != nil {
			begin()
			begin = nil
		}
		if err := write(msg.Data); err != nil {
			return err
		}
		next = msg.Sequence + 1
		left -= int64(len(msg.Data))
	}
	if begin != nil {
		begin()
	}
	return nil
}

// Result takes a job's answer. Head comes before the first Write. It is not safe for concurrent use.
type Result struct {
	ctx    context.Context //nolint:containedctx // an io.Writer is given none, and each piece is a message
	js     jetstream.JetStream
	job    *Job
	limit  int64
	answer Answer
	fault  *Fault
	buffer []byte
	err    error

	measure atomic.Pointer[func() Progress]
}

// Head says what is answered.
func (w *Result) Head(status int, contentType string) {
	if w.answer.Status == 0 {
		w.answer.Status, w.answer.ContentType = status, contentType
	}
}

// Refused says which error the answer tells of.
func (w *Result) Refused(err error) { w.fault = faultOf(err) }

// Watch has measure asked for what the job has taken so far, until it ends. It comes before the first Write.
func (w *Result) Watch(measure func() Progress) { w.measure.Store(&measure) }

// progress returns what the job has taken so far, with the share of what it is expected to.
func (w *Result) progress() (p Progress) {
	measure := w.measure.Load()
	if measure == nil {
		return p
	}
	if p = (*measure)(); p.EstimateBytes > 0 {
		const almost = 0.99 // an estimate is none to be sure of: 1 is what is done
		p.Share = min(almost, float64(p.Bytes)/float64(p.EstimateBytes))
	}
	return p
}

// Write implements io.Writer. Its error is of kind TooLarge for an answer over the limit, Unavailable when there is no room for it.
func (w *Result) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.answer.Bytes += int64(len(p)); w.answer.Bytes > w.limit {
		w.err = seamark.Errorf(seamark.TooLarge, "seamark-job-large",
			"The answer is larger than %d bytes, the limit of a background job's result (query_job_result_bytes). Ask for a shorter range, a larger step or fewer series.", w.limit)
		return 0, w.err
	}
	w.buffer = append(w.buffer, p...)
	for len(w.buffer) >= pieceBytes && w.err == nil {
		w.publish(w.buffer[:pieceBytes])
		w.buffer = append(w.buffer[:0], w.buffer[pieceBytes:]...)
	}
	return len(p), w.err
}

// flush writes what is left.
func (w *Result) flush() error {
	if len(w.buffer) > 0 && w.err == nil {
		w.publish(w.buffer)
	}
	return w.err
}

func (w *Result) publish(piece []byte) {
	_, err := w.js.Publish(w.ctx, subjectOf(w.job), piece, jetstream.WithExpectStream(resultStream))
	switch fault, isAPI := errors.AsType[*jetstream.APIError](err); {
	case err == nil:
	case isAPI && fault.ErrorCode == codeStreamFull:
		w.err = seamark.Wrap(err, seamark.Unavailable, "seamark-job-room",
			"The room for results of background jobs is full. Delete results that you do not need, or ask the operator of this installation for more (--query.job-store-bytes).")
	default:
		w.err = unreachable(err)
	}
}

// codeStreamFull is JetStream's code for a stream that takes no more (JSStreamStoreFailedF).
const codeStreamFull = 10077
