package client_test

import (
	"net/http"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/internal/e2e/contract"
)

// unversioned are the DELETEs of what has no version that somebody could have read, and why.
func unversioned() map[string]string {
	const (
		foreign = "it is another product's route, and that one has no ETags"
		signIn  = "a sign-in is made and ended, never changed"
		running = "it changes by itself until it is over"
		ban     = "it is there or it is not"
	)
	return map[string]string{
		"deleteRuleNamespace": foreign, "deleteRuleGroup": foreign, "legacyDeleteRuleNamespace": foreign, "legacyDeleteRuleGroup": foreign,
		"lokiDeleteRuleNamespace": foreign, "lokiDeleteRuleGroup": foreign, "lokiPromDeleteRuleNamespace": foreign, "lokiPromDeleteRuleGroup": foreign,
		"deleteAlertmanagerConfig": foreign, "alertmanagerExpireSilence": foreign,
		"deleteSession": signIn, "deleteSessions": signIn, "deleteSessionByID": signIn, "deleteMemberSessions": signIn, "deleteIdentity": signIn,
		"cancelQuery": running, "cancelTenantsQuery": running, "deleteQueryJob": running, "deleteTenantExport": running,
		"deleteInvitation": running, "liftQuarantine": ban, "liftTenantQuarantine": ban,
	}
}

// TestDeletionsOfDocumentsAreConditional holds openapi.yaml against what the conventions say of changes: what has an ETag, or takes
// If-Match when it is changed, takes it when it is deleted.
func TestDeletionsOfDocumentsAreConditional(t *testing.T) {
	c, excused, tried := contract.Load(t), unversioned(), deletions()
	for _, op := range c.Operations() {
		if op.Method != http.MethodDelete {
			continue
		}
		conditional := takesIfMatch(&op)
		switch {
		case conditional && op.Responses.Status(http.StatusPreconditionFailed) == nil:
			t.Errorf("%s takes If-Match and describes no 412", op.OperationID)
		case conditional && tried[op.OperationID].made == nil:
			t.Errorf("%s takes If-Match, which nothing tries; add it to deletions", op.OperationID)
		case !conditional && versioned(c, op.Path):
			t.Errorf("DELETE %s takes no If-Match, and what it deletes has versions", op.Path)
		case !conditional && excused[op.OperationID] == "":
			t.Errorf("DELETE %s takes no If-Match; let it, or say in unversioned why not", op.Path)
		}
		if conditional {
			delete(tried, op.OperationID)
		} else {
			delete(excused, op.OperationID)
		}
	}
	for id := range excused {
		t.Errorf("%s is in unversioned, and is no DELETE without If-Match", id)
	}
	for id := range tried {
		t.Errorf("%s is in deletions, and is no DELETE with If-Match", id)
	}
}

func takesIfMatch(op *contract.Operation) bool {
	return op.Parameters.GetByInAndName("header", "If-Match") != nil
}

// versioned reports whether a path's document is read with an ETag, or changed on a condition.
func versioned(c *contract.Contract, path string) bool {
	if read, err := c.At(http.MethodGet, path); err == nil {
		if ok := read.Responses.Status(http.StatusOK); ok != nil && ok.Value.Headers["ETag"] != nil {
			return true
		}
	}
	for _, method := range []string{http.MethodPut, http.MethodPatch} {
		if change, err := c.At(method, path); err == nil && takesIfMatch(change) {
			return true
		}
	}
	return false
}

// deletion is a document that can be deleted on a condition.
type deletion struct {
	operators bool // only they may
	made      func(t *testing.T, w *world) (params map[string][]string, err error)
}

// path is a path's only parameter.
func path(name, value string) map[string][]string { return map[string][]string{name: {value}} }

// deletions makes a document for each DELETE that takes If-Match, by its operationId.
func deletions() map[string]deletion {
	all := accessDeletions()
	for id, d := range documentDeletions() {
		all[id] = d
	}
	return all
}

func accessDeletions() map[string]deletion {
	return map[string]deletion{
		"deleteTenant": {operators: true, made: func(t *testing.T, w *world) (map[string][]string, error) {
			made, err := w.operator.CreateTenant(t.Context(), client.TenantSpec{Slug: "ends"})
			if err != nil {
				return nil, err
			}
			return path("id", made.ID), nil
		}},
		"deletePlan": {operators: true, made: func(t *testing.T, w *world) (map[string][]string, error) {
			return path("name", "ends"), one(w.operator.UpdatePlan(t.Context(), "ends", client.PlanSpec{Title: "Ends"}))
		}},
		"deleteCluster": {made: func(t *testing.T, w *world) (map[string][]string, error) {
			made, err := w.owner.CreateCluster(t.Context(), client.ClusterCreation{Name: "ends"})
			if err != nil {
				return nil, err
			}
			return path("id", made.ID), nil
		}},
		"deleteToken": {made: func(t *testing.T, w *world) (map[string][]string, error) {
			made, err := w.owner.CreateToken(t.Context(), client.TokenCreation{Kind: client.TokenCreationKindQuery})
			if err != nil {
				return nil, err
			}
			return path("id", made.ID), nil
		}},
		"deleteKey": {made: func(t *testing.T, w *world) (map[string][]string, error) {
			made, err := w.owner.CreateKey(t.Context(), client.KeyCreation{Name: "ends", Role: new("viewer")})
			if err != nil {
				return nil, err
			}
			return path("id", made.ID), nil
		}},
		"deleteMember": {made: func(t *testing.T, w *world) (map[string][]string, error) {
			w.person(t, "ends@example.com", "viewer")
			return path("id", w.memberID(t, "ends@example.com")), nil
		}},
		"deleteRole": {made: func(t *testing.T, w *world) (map[string][]string, error) {
			return path("name", "ends"), one(w.owner.CreateRole(t.Context(), client.RoleCreation{Name: "ends", Permissions: []string{"data:read"}}))
		}},
	}
}

func documentDeletions() map[string]deletion {
	return map[string]deletion{
		"deleteForwarder": {made: func(t *testing.T, w *world) (map[string][]string, error) {
			return path("name", "ends"), one(w.owner.SaveForwarder(t.Context(), "ends", client.NewForwarder{
				Signal: new(client.NewForwarderSignalLogs), Filter: `{app="web"}`,
				Target: client.ForwarderTarget{Webhook: &client.ForwarderTarget_Webhook{URL: "http://127.0.0.1:9/"}},
			}))
		}},
		"deleteSavedQuery": {made: func(t *testing.T, w *world) (map[string][]string, error) {
			made, err := w.owner.CreateSavedQuery(t.Context(), client.SavedQuerySpec{Name: "ends", Language: client.QueryLanguagePromql, Query: "up"})
			if err != nil {
				return nil, err
			}
			return path("id", made.ID), nil
		}},
		"deleteDashboard": {made: func(t *testing.T, w *world) (map[string][]string, error) {
			made, err := w.owner.CreateDashboard(t.Context(), client.DashboardSpec{Version: 1, Title: "Ends", Panels: []client.DashboardPanel{}})
			if err != nil {
				return nil, err
			}
			return path("id", made.ID), nil
		}},
		"deleteDetector": {made: func(t *testing.T, w *world) (map[string][]string, error) {
			made, err := w.owner.CreateDetector(t.Context(), client.DetectorSpec{Name: "Ends", Kind: client.DetectorKindAnomaly, Expr: new("up")})
			if err != nil {
				return nil, err
			}
			return path("id", made.ID), nil
		}},
		"deleteAlertingGroup": {made: func(t *testing.T, w *world) (map[string][]string, error) {
			return map[string][]string{"namespace": {"ends"}, "group": {"g"}}, one(w.owner.SaveAlertingGroup(t.Context(), "ends", "g", draft(draftedGroup)))
		}},
		"deleteAlertingPack": {made: func(t *testing.T, w *world) (map[string][]string, error) {
			return path("pack", "nodes"), one(w.owner.SaveAlertingPack(t.Context(), "nodes", client.AlertingPackSettings{}))
		}},
	}
}

// TestDeleteOnCondition deletes a document of each kind: not for who has read another version, and for who has read this one.
func TestDeleteOnCondition(t *testing.T) {
	w := newWorld(t)
	for id, d := range deletions() {
		t.Run(id, func(t *testing.T) {
			who := w.owner
			if d.operators {
				who = w.operator
			}
			params, err := d.made(t, w)
			if err != nil {
				t.Fatal(err)
			}
			remove := operation(t, func(op *client.Operation) bool { return op.ID == id })
			find := operation(t, func(op *client.Operation) bool { return op.Method == http.MethodGet && op.Path == remove.Path })
			read := func() (tag string, err error) {
				var meta client.Meta
				err = drain(who.Call(t.Context(), find, params, client.Body{}, client.Into(&meta)))
				return meta.ETag, err
			}
			tag, err := read()
			if err != nil || tag == "" {
				t.Fatalf("read: got the ETag %q, %v", tag, err)
			}
			for _, stale := range []string{`"r999999"`, `"habcdefghij"`} {
				err := drain(who.Call(t.Context(), remove, params, client.Body{}, client.IfMatch(stale)))
				wantStatus(t, err, http.StatusPreconditionFailed, "seamark-document-changed")
				if still, err := read(); err != nil || still != tag {
					t.Fatalf("after a deletion that was refused: got the ETag %q, %v; want %q", still, err, tag)
				}
			}
			if err := drain(who.Call(t.Context(), remove, params, client.Body{}, client.IfMatch(tag))); err != nil {
				t.Fatalf("deletion of what was read: %v", err)
			}
			if now, err := read(); err == nil && now == tag || err != nil && !client.IsNotFound(err) {
				t.Errorf("after the deletion: got the ETag %q, %v; want another or none", now, err)
			}
		})
	}
}

// operation returns the one of the client's operations that fits.
func operation(t *testing.T, fits func(*client.Operation) bool) *client.Operation {
	t.Helper()
	for _, op := range client.Operations() {
		if fits(&op) {
			return &op
		}
	}
	t.Fatal("the client has no such operation")
	return nil
}
