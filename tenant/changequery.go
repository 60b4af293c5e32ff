package tenant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// ChangeQuery selects records of one chain. Zero fields select all.
type ChangeQuery struct {
	// Tenant is whose chain is read; "" reads the installation's.
	Tenant seamark.TenantID
	// About narrows the installation's chain to changes of one tenant.
	About   seamark.TenantID
	Actor   string // the actor's id or login
	Action  string // the action, or its noun
	Object  string // the object, or its noun
	Result  string // `done`, `refused` for everything else, or an error's id
	Since   time.Time
	Until   time.Time
	Limit   int    // 100 unless told, 1000 at most
	Backlog uint64 // the cursor of the page before; 0 begins at the newest
}

// ChangePage is a page of records, newest first.
type ChangePage struct {
	Records []ChangeRecord
	Next    uint64 // the cursor of the next page; 0 when there is none
}

const (
	// maxChangePage bounds a page.
	maxChangePage = 1000
	// maxChangesRead bounds what one page looks at: each record is a read of its own. A page that finds less than it may
	// has a cursor to go on with.
	maxChangesRead = 5000
)

func (q *ChangeQuery) selects(r *ChangeRecord) bool {
	within := func(got, want string, mark byte) bool {
		return want == "" || got == want || len(got) > len(want) && got[len(want)] == mark && strings.HasPrefix(got, want)
	}
	switch {
	case q.About != "" && r.Tenant != q.About:
		return false
	case q.Actor != "" && q.Actor != r.Actor.ID && q.Actor != r.Actor.Login:
		return false
	case q.Result == "refused" && r.Result == ChangeDone, q.Result != "" && q.Result != "refused" && q.Result != r.Result:
		return false
	case !q.Until.IsZero() && !r.Time.Before(q.Until):
		return false
	}
	return within(r.Action, q.Action, '.') && within(r.Object, q.Object, '/')
}

// List returns the records that a query selects, newest first.
func (l *ChangeLog) List(ctx context.Context, q ChangeQuery) (ChangePage, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	q.Limit = min(q.Limit, maxChangePage)
	page := ChangePage{Records: []ChangeRecord{}}
	read := 0
	err := l.walk(ctx, q.Tenant, q.Backlog, func(r ChangeRecord) bool {
		if !q.Since.IsZero() && r.Time.Before(q.Since) {
			page.Next = 0
			return false
		}
		if read++; q.selects(&r) {
			page.Records = append(page.Records, r)
		}
		page.Next = r.PreviousSequence
		return len(page.Records) < q.Limit && read < maxChangesRead
	})
	if err != nil {
		return ChangePage{}, fmt.Errorf("list changes: %w", err)
	}
	return page, nil
}

// walk calls fn with the records of a chain from the one with the given sequence on, newest first, until fn says false. It
// ends quietly where the chain's older records have expired.
func (l *ChangeLog) walk(ctx context.Context, id seamark.TenantID, from uint64, fn func(ChangeRecord) bool) error {
	subject := changeSubjects + chainOf(id)
	msg, err := (*jetstream.RawStreamMsg)(nil), error(nil)
	if from == 0 {
		msg, err = l.stream.GetLastMsgForSubject(ctx, subject)
	} else {
		msg, err = l.stream.GetMsg(ctx, from)
	}
	for ; ; msg, err = l.stream.GetMsg(ctx, from) {
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return unreachable(err)
		}
		if msg.Subject != subject { // a cursor that was not ours leads nowhere, least of all into another chain
			return seamark.Errorf(seamark.Invalid, "seamark-change-cursor", "The cursor is not one of this list. Begin without one.")
		}
		record, err := decodeRecord(msg)
		if err != nil {
			return err
		}
		if !fn(record) || record.PreviousSequence == 0 {
			return nil
		}
		from = record.PreviousSequence
	}
}

// ChangeProof is what a check of a chain found.
type ChangeProof struct {
	Tenant  seamark.TenantID `json:"tenant,omitempty"`
	Records uint64           `json:"records"`
	First   uint64           `json:"first"` // number of the oldest record; above 1 where older ones have expired
	Last    uint64           `json:"last"`
	// Head is the digest of the newest record. Whoever notes it elsewhere can tell later that the chain up to there is what it
	// was: a chain by itself cannot show that its newest records were cut off, or that all of it was written anew.
	Head  string `json:"head,omitempty"`
	Fault string `json:"fault,omitempty"` // what is wrong with the chain; "" when nothing
}

// Verify reads a whole chain and checks that every record is what the one after it says, that no number is missing, and that
// the stream holds nothing under the chain's name that is not part of it.
func (l *ChangeLog) Verify(ctx context.Context, id seamark.TenantID) (ChangeProof, error) {
	proof := ChangeProof{Tenant: id}
	var after ChangeRecord // the record that was read before, which is the next in the chain
	err := l.walk(ctx, id, 0, func(r ChangeRecord) bool {
		switch {
		case proof.Records == 0:
			proof.Last, proof.Head = r.Number, r.Hash
		case r.Hash != after.Previous:
			proof.Fault = fmt.Sprintf("record %d is not what record %d was written after: it was changed, or another one put in its place", r.Number, after.Number)
		case r.Number != after.Number-1:
			proof.Fault = fmt.Sprintf("record %d follows record %d", after.Number, r.Number)
		}
		proof.Records++
		proof.First, after = r.Number, r
		return proof.Fault == ""
	})
	if err != nil {
		return proof, fmt.Errorf("verify changes: %w", err)
	}
	if proof.Fault != "" || proof.Records == 0 {
		return proof, nil
	}
	if proof.First == 1 && after.Previous != "" {
		proof.Fault = "record 1 names one before it"
	}
	held, err := l.count(ctx, id)
	if err != nil {
		return proof, err
	}
	// A record that was appended meanwhile is above the newest that was read, and no fault.
	if now, err := l.readHead(ctx, chainOf(id)); err == nil && held-min(held, now.number-proof.Last) > proof.Records {
		proof.Fault = fmt.Sprintf("the stream holds %d records under this chain's name, and the chain from its newest on has %d", held, proof.Records)
	}
	return proof, nil
}

// Chains lists the tenants that have a chain, and "" for the installation's when it has records.
func (l *ChangeLog) Chains(ctx context.Context) ([]seamark.TenantID, error) {
	info, err := l.stream.Info(ctx, jetstream.WithSubjectFilter(changeSubjects+">"))
	if err != nil {
		return nil, unreachable(err)
	}
	var list []seamark.TenantID
	for subject := range info.State.Subjects {
		chain := strings.TrimPrefix(subject, changeSubjects)
		if chain == platformChain {
			chain = ""
		}
		list = append(list, seamark.TenantID(chain))
	}
	return list, nil
}
