package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The kinds of owners.
const (
	ownerMember = "member"
	ownerKey    = "key"
	ownerToken  = "token"
)

// ownerOf tells as whom a principal owns saved queries. A person's sessions and personal keys are one owner; a machine's key
// stays itself when it is rotated.
func (s *SavedQueries) ownerOf(p seamark.Principal) (QueryOwner, error) {
	switch {
	case p.Operator || p.Tenant == "":
	case p.Login != "":
		if u, _ := s.directory.users.find(loginKey(p.Login)); u != nil {
			return QueryOwner{Kind: ownerMember, ID: string(u.ID), Login: u.Login}, nil
		}
	case p.Kind == seamark.APIKey && p.CredentialID != "":
		return QueryOwner{Kind: ownerKey, ID: p.CredentialID}, nil
	case p.Kind == seamark.AdminToken && p.CredentialID != "":
		return QueryOwner{Kind: ownerToken, ID: p.CredentialID}, nil
	}
	return QueryOwner{}, seamark.Errorf(seamark.Forbidden, "seamark-saved-query-owner",
		"This credential can own no saved queries. Use a session, an API key or an admin token of the tenant.")
}

func (o QueryOwner) is(other QueryOwner) bool { return o.Kind == other.Kind && o.ID == other.ID }

// visible reports whether the actor, who is the owner me, may know of a query. Who is restricted to a part of the tenant sees
// nobody else's: their texts name clusters and namespaces.
func visible(q *savedQueryDoc, actor seamark.Principal, me QueryOwner) bool {
	return q.Owner.is(me) || q.Visibility == TenantQuery && !actor.Restricted()
}

func (s *SavedQueries) saved(q *savedQueryDoc) SavedQuery {
	out := SavedQuery{ID: q.ID, SavedQueryFields: q.fields(), Owner: q.Owner, Created: q.Created, Updated: q.Updated}
	if q.Owner.Kind == ownerMember {
		if u := s.directory.users.findAlias(q.Owner.ID); u != nil && u.Memberships[q.Tenant] != "" {
			out.Owner.Login = u.Login
		}
	}
	return out
}

// List returns the queries that the actor may see, in the order in which they were made.
func (s *SavedQueries) List(_ context.Context, actor seamark.Principal) ([]SavedQuery, error) {
	me, err := s.ownerOf(actor)
	if err != nil {
		return nil, err
	}
	if err := s.ready(); err != nil {
		return nil, err
	}
	list := []SavedQuery{}
	for _, q := range s.table.list(string(actor.Tenant)) {
		if visible(q, actor, me) {
			list = append(list, s.saved(q))
		}
	}
	slices.SortFunc(list, func(a, b SavedQuery) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}

// OfTenant returns the queries that the whole tenant sees, in the order in which they were made: what belongs into an export.
func (s *SavedQueries) OfTenant(_ context.Context, tenant seamark.TenantID) ([]SavedQuery, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	list := []SavedQuery{}
	for _, q := range s.table.list(string(tenant)) {
		if q.Visibility == TenantQuery {
			list = append(list, s.saved(q))
		}
	}
	slices.SortFunc(list, func(a, b SavedQuery) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}

// Find returns one query. The error is of kind NotFound, also for private ones of others, whoever asks.
func (s *SavedQueries) Find(_ context.Context, actor seamark.Principal, id string) (SavedQuery, error) {
	me, err := s.ownerOf(actor)
	if err != nil {
		return SavedQuery{}, err
	}
	if err := s.ready(); err != nil {
		return SavedQuery{}, err
	}
	q, _ := s.table.find(savedQueryKey(actor.Tenant, id))
	if q == nil || !visible(q, actor, me) {
		return SavedQuery{}, savedQueryUnknown()
	}
	return s.saved(q), nil
}

// validSpec returns the fields as they are stored. The error is of kind Invalid and names every fault.
func (s *SavedQueries) validSpec(spec *SavedQuerySpec) (SavedQueryFields, error) {
	f := spec.SavedQueryFields
	faults := f.faults()
	wrong := func(pointer string) bool {
		return slices.ContainsFunc(faults, func(x seamark.FieldFault) bool { return x.Pointer == pointer })
	}
	if !wrong("/language") && !wrong("/query") {
		if err := s.check(f.Language, f.Query); err != nil {
			known, ok := errors.AsType[*seamark.Error](err)
			if !ok || known.Kind != seamark.Invalid {
				return f, fmt.Errorf("check saved query: %w", err)
			}
			faults = append(faults, seamark.FieldFault{Pointer: "/query", Detail: known.Message})
		}
	}
	f.normalise()
	return f, savedQueryInvalid(faults)
}

// Create saves a query for the actor. The error is of kind Invalid for a bad spec, Forbidden for one that the whole tenant sees
// when the actor lacks queries:write, Conflict at a limit.
func (s *SavedQueries) Create(ctx context.Context, actor seamark.Principal, spec SavedQuerySpec) (SavedQuery, error) {
	me, err := s.ownerOf(actor)
	if err != nil {
		return SavedQuery{}, err
	}
	fields, err := s.validSpec(&spec)
	if err != nil {
		return SavedQuery{}, err
	}
	if err := s.mayWrite(actor, fields.Visibility); err != nil {
		return SavedQuery{}, err
	}
	if _, err := s.directory.FindTenant(ctx, actor.Tenant); err != nil {
		return SavedQuery{}, err
	}
	if err := s.ready(); err != nil {
		return SavedQuery{}, err
	}
	id, err := s.directory.newID()
	if err != nil {
		return SavedQuery{}, err
	}
	now := s.directory.now().UTC()
	q := &savedQueryDoc{Version: docVersion, Tenant: actor.Tenant, ID: id, Owner: me, Created: now, Updated: now}
	q.set(&fields)
	s.saving.Lock()
	defer s.saving.Unlock()
	if err := s.fits(q, nil); err != nil {
		return SavedQuery{}, err
	}
	if err := s.table.create(ctx, savedQueryKey(actor.Tenant, id), q); err != nil {
		return SavedQuery{}, fmt.Errorf("create saved query: %w", err)
	}
	return s.saved(q), nil
}

// mayWrite refuses who lacks queries:write what the whole tenant sees. Private queries need no more than to be let in.
func (s *SavedQueries) mayWrite(actor seamark.Principal, v Visibility) error {
	if v != TenantQuery {
		return nil
	}
	return s.directory.Permit(actor, "queries:write")
}

// fits holds a query that is new, or replaces old, against the limits. The caller holds saving.
func (s *SavedQueries) fits(q, old *savedQueryDoc) error {
	count, own, size := 0, 0, q.bytes()
	for _, other := range s.table.list(string(q.Tenant)) {
		if other.ID == q.ID {
			continue
		}
		count++
		size += other.bytes()
		if other.Owner.is(q.Owner) {
			own++
		}
	}
	switch {
	case old == nil && count >= maxSavedQueries:
		return seamark.Errorf(seamark.Conflict, "seamark-saved-query-limit",
			"The tenant has %d saved queries, private ones included; the limit is %d. Delete one.", count, maxSavedQueries)
	case old == nil && own >= maxOwnSavedQueries:
		return seamark.Errorf(seamark.Conflict, "seamark-saved-query-limit", "You have %d saved queries; the limit is %d. Delete one.", own, maxOwnSavedQueries)
	case size > maxSavedQueriesBytes && (old == nil || q.bytes() > old.bytes()):
		return seamark.Errorf(seamark.Conflict, "seamark-saved-query-limit",
			"The tenant's saved queries would have %d bytes of text together; the limit is %d. Delete or shorten some.", size, maxSavedQueriesBytes)
	}
	return nil
}

// Update replaces what a query is; its owner stays. The error is as of Create, or NotFound. Only the owner makes a query private:
// it would vanish before the eyes of whoever else did.
func (s *SavedQueries) Update(ctx context.Context, actor seamark.Principal, id string, spec SavedQuerySpec) (SavedQuery, error) {
	me, err := s.ownerOf(actor)
	if err != nil {
		return SavedQuery{}, err
	}
	if _, err := s.Find(ctx, actor, id); err != nil {
		return SavedQuery{}, err
	}
	fields, err := s.validSpec(&spec)
	if err != nil {
		return SavedQuery{}, err
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	changed, err := s.table.mutate(ctx, savedQueryKey(actor.Tenant, id), func(q *savedQueryDoc) error {
		if err := s.mayChange(q, actor, me, spec.Check); err != nil {
			return err
		}
		if err := s.mayWrite(actor, fields.Visibility); err != nil {
			return err
		}
		if fields.Visibility == PrivateQuery && !q.Owner.is(me) {
			return seamark.Errorf(seamark.Forbidden, "seamark-saved-query-owner", "Only its owner can make a saved query private. Save one of your own.")
		}
		old := *q
		q.set(&fields)
		q.Updated = s.directory.now().UTC()
		return s.fits(q, &old)
	})
	if errors.Is(err, errAbsent) {
		return SavedQuery{}, savedQueryUnknown()
	}
	if err != nil {
		return SavedQuery{}, fmt.Errorf("update saved query: %w", err)
	}
	return s.saved(changed), nil
}

// mayChange refuses who may not change or delete a query as it is.
func (s *SavedQueries) mayChange(q *savedQueryDoc, actor seamark.Principal, me QueryOwner, check func(SavedQuery) error) error {
	if !visible(q, actor, me) {
		return savedQueryUnknown()
	}
	if err := s.mayWrite(actor, q.Visibility); err != nil {
		return err
	}
	if check == nil {
		return nil
	}
	return check(s.saved(q))
}

// Delete removes a query for good. check, when not nil, sees it first; its error ends the deletion. The error is of kind NotFound, or
// Forbidden for one that the whole tenant sees when the actor lacks queries:write.
func (s *SavedQueries) Delete(ctx context.Context, actor seamark.Principal, id string, check func(SavedQuery) error) error {
	me, err := s.ownerOf(actor)
	if err != nil {
		return err
	}
	if _, err := s.Find(ctx, actor, id); err != nil {
		return err
	}
	err = s.table.removeChecked(ctx, savedQueryKey(actor.Tenant, id), func(q *savedQueryDoc) error { return s.mayChange(q, actor, me, check) })
	if errors.Is(err, errAbsent) {
		return savedQueryUnknown()
	}
	if err != nil {
		return fmt.Errorf("delete saved query: %w", err)
	}
	return nil
}
