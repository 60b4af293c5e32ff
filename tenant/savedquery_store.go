package tenant

import (
	"context"
	"errors"
	"fmt"
)

const (
	savedQueriesBucket = "savedqueries"
	savedQueryNoun     = "savedquery"
	// savedQueryPercent is the bucket's share of Options.MaxBytes.
	savedQueryPercent = 25
)

// SavedQueries keeps all tenants' saved queries in memory. A node that has not seen KV yet answers Unavailable. It is safe for
// concurrent use.
type SavedQueries struct {
	*documents[savedQueryDoc]
	check func(QueryLanguage, string) error
}

// OpenSavedQueries opens the bucket with the directory's options and returns when this node knows its state, or SyncTimeout is
// over: it then goes on trying. check tells what is wrong with a query's text; its error is shown to the customer. It lives
// until Close, which comes before the directory's; ctx bounds only the opening.
func OpenSavedQueries(ctx context.Context, d *Directory, check func(QueryLanguage, string) error) (*SavedQueries, error) {
	if d == nil || check == nil {
		return nil, errors.New("tenant: OpenSavedQueries needs a directory and a check")
	}
	docs, err := openDocuments(ctx, d, documentsOptions[savedQueryDoc]{
		bucket: savedQueriesBucket, noun: savedQueryNoun, percent: savedQueryPercent, groupOf: func(q *savedQueryDoc) string { return string(q.Tenant) },
	})
	if err != nil {
		return nil, err
	}
	s := &SavedQueries{documents: docs, check: check}
	s.sweepWith(ctx, s.Sweep)
	return s, nil
}

// Sweep removes the queries of tenants that are gone, and the private ones of members and machines that are gone: nobody could
// see or delete those. It does nothing on a node that does not know all of both yet.
func (s *SavedQueries) Sweep(ctx context.Context) error {
	if !s.Synced() || !s.directory.Synced() {
		return nil
	}
	for _, q := range s.table.all() {
		t, _ := s.directory.tenants.find(string(q.Tenant))
		gone := t == nil || t.State == Deleted
		if !gone && (q.Visibility == TenantQuery || s.present(q)) {
			continue
		}
		if err := s.table.remove(ctx, savedQueryKey(q.Tenant, q.ID)); err != nil {
			return fmt.Errorf("remove old saved query: %w", err)
		}
	}
	return nil
}

// present reports whether a query's owner is still in its tenant.
func (s *SavedQueries) present(q *savedQueryDoc) bool {
	if q.Owner.Kind == ownerMember {
		u := s.directory.users.findAlias(q.Owner.ID)
		return u != nil && u.Memberships[q.Tenant] != ""
	}
	t, _ := s.directory.tokens.find(q.Owner.ID)
	return t != nil && t.Tenant == q.Tenant && t.live(s.directory.now())
}
