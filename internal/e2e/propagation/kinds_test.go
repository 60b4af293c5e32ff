package propagation_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// shortLine is what quotas are lowered to; a line of longLine bytes passes only before.
	shortLine, longLine = 200, 300
)

// kinds lists every sort of change that the promise is about.
func kinds() []kind {
	return slices.Concat(credentialKinds(), memberKinds(), quotaKinds(), tenantKinds())
}

// statusIs makes a probe of a request that is answered with one status before the change and another after it.
func statusIs(before, after int, ask func(node int) (int, error)) func(int) (bool, error) {
	return func(node int) (bool, error) {
		status, err := ask(node)
		if err == nil && status != before && status != after {
			err = fmt.Errorf("status %d; want %d before the change and %d after it", status, before, after)
		}
		return status == after, err
	}
}

// pushes probes with pushes of one line.
func (f *fleet) pushes(before, after int, token string) func(int) (bool, error) {
	return statusIs(before, after, func(node int) (int, error) { return f.push(f.nodes[node], token, lineBody("probe", 1, longLine)) })
}

// asks probes with a GET.
func (f *fleet) asks(before, after int, token, path string) func(int) (bool, error) {
	return statusIs(before, after, func(node int) (int, error) { return f.ask(f.nodes[node], token, path) })
}

// calls makes a change by one request of the API.
func (f *fleet) calls(t *testing.T, node int, token, method, path, body string) func() {
	return func() { f.must(t, nil, node, token, method, path, body) }
}

func credentialKinds() []kind {
	return []kind{
		{"a cluster's token is revoked", func(t *testing.T, f *fleet, round, node int) change {
			_, token := f.cluster(t, fmt.Sprintf("revoked-%d", round))
			return change{f.calls(t, node, f.owner, http.MethodDelete, "/api/v1/tokens/"+token.ID, ""), f.pushes(http.StatusNoContent, http.StatusUnauthorized, token.Secret)}
		}},
		{"a token is rotated away", func(t *testing.T, f *fleet, round, node int) change {
			_, token := f.cluster(t, fmt.Sprintf("rotated-%d", round))
			var next credential
			rotate := func() { f.must(t, &next, node, f.owner, http.MethodPost, "/api/v1/tokens/"+token.ID+"/rotate", "{}") }
			old := f.pushes(http.StatusNoContent, http.StatusUnauthorized, token.Secret)
			return change{rotate, func(node int) (bool, error) {
				byNew, err := old(node)
				if err == nil && byNew {
					_, err = f.pushes(http.StatusUnauthorized, http.StatusNoContent, next.Secret)(node)
				}
				return byNew, err
			}}
		}},
		{"an API key is revoked", func(t *testing.T, f *fleet, round, node int) change {
			var key credential
			f.must(t, &key, node, f.owner, http.MethodPost, "/api/v1/keys", fmt.Sprintf(`{"name":"key %d","role":"viewer"}`, round))
			return change{f.calls(t, node, f.owner, http.MethodDelete, "/api/v1/keys/"+key.ID, ""), f.asks(http.StatusOK, http.StatusUnauthorized, key.Secret, "/prometheus/api/v1/query?query=1")}
		}},
		{"a session is signed out everywhere", func(t *testing.T, f *fleet, round, node int) change {
			if round == 0 {
				f.member(t, "leaver", seamark.RoleViewer)
			}
			session := f.signIn(t, node, "leaver")
			return change{f.calls(t, node, session, http.MethodDelete, "/api/v1/sessions", ""), f.asks(http.StatusOK, http.StatusUnauthorized, session, "/api/v1/session")}
		}},
	}
}

func memberKinds() []kind {
	var lowered, restricted string // ids of members
	var session, custom, key string
	return []kind{
		{"a member's role is lowered", func(t *testing.T, f *fleet, round, node int) change {
			if round == 0 {
				lowered = string(f.member(t, "lowered", seamark.RoleAdmin))
				session = f.signIn(t, node, "lowered")
			}
			path := "/api/v1/members/" + lowered
			f.must(t, nil, node, f.owner, http.MethodPut, path, `{"role":"admin"}`)
			return change{f.calls(t, node, f.owner, http.MethodPut, path, `{"role":"viewer"}`), f.asks(http.StatusOK, http.StatusForbidden, session, "/api/v1/tokens")}
		}},
		{"a member is removed", func(t *testing.T, f *fleet, round, node int) change {
			login := fmt.Sprintf("removed-%d", round)
			id := f.member(t, login, seamark.RoleViewer)
			session := f.signIn(t, node, login)
			return change{f.calls(t, node, f.owner, http.MethodDelete, "/api/v1/members/"+string(id), ""), func(node int) (bool, error) {
				status, err := f.ask(f.nodes[node], session, "/api/v1/session")
				return err == nil && (status == http.StatusForbidden || status == http.StatusUnauthorized), err
			}}
		}},
		{"a permission is taken from a role", func(t *testing.T, f *fleet, round, node int) change {
			const path = "/api/v1/roles/support"
			if round == 0 {
				f.must(t, nil, node, f.owner, http.MethodPost, "/api/v1/roles", `{"name":"support","permissions":["members:read"]}`)
				f.member(t, "support", "support")
				custom = f.signIn(t, node, "support")
			}
			f.must(t, nil, node, f.owner, http.MethodPut, path, `{"permissions":["members:read","roles:read"]}`)
			return change{f.calls(t, node, f.owner, http.MethodPut, path, `{"permissions":["members:read"]}`), f.asks(http.StatusOK, http.StatusForbidden, custom, "/api/v1/roles")}
		}},
		{"an API key is restricted with its owner", func(t *testing.T, f *fleet, round, node int) change {
			if round == 0 {
				restricted = string(f.member(t, "restricted", seamark.RoleViewer))
				var made credential
				f.must(t, &made, node, f.signIn(t, node, "restricted"), http.MethodPost, "/api/v1/keys", `{"name":"own","personal":true,"role":"viewer"}`)
				key = made.Secret
			}
			path := "/api/v1/members/" + restricted
			f.must(t, nil, node, f.owner, http.MethodPut, path, `{"role":"viewer"}`)
			return change{
				f.calls(t, node, f.owner, http.MethodPut, path, `{"role":"viewer","restriction":{"namespaces":["shop"]}}`),
				f.asks(http.StatusOK, http.StatusForbidden, key, "/api/v1/quotas"),
			}
		}},
	}
}

func quotaKinds() []kind {
	var cluster string
	var token credential
	narrow := fmt.Sprintf(`{"max_line_bytes":%d}`, shortLine)
	ready := func(t *testing.T, f *fleet) {
		t.Helper()
		if cluster == "" {
			cluster, token = f.cluster(t, "quotas")
			f.awaitEverywhere(t, token)
		}
	}
	return []kind{
		{"a cluster's quota is lowered", func(t *testing.T, f *fleet, _, node int) change {
			ready(t, f)
			path := "/api/v1/clusters/" + cluster + "/quotas"
			f.must(t, nil, node, f.owner, http.MethodPut, path, "{}")
			return change{func() {
				f.must(t, nil, node, f.owner, http.MethodPut, path, narrow)
				t.Cleanup(func() { f.must(t, nil, node, f.owner, http.MethodPut, path, "{}") })
			}, f.pushes(http.StatusNoContent, http.StatusBadRequest, token.Secret)}
		}},
		{"a tenant's day is made smaller", func(t *testing.T, f *fleet, _, node int) change {
			ready(t, f)
			path := "/api/v1/tenants/" + string(f.tenant) + "/quotas"
			f.must(t, nil, node, f.operator, http.MethodPut, path, "{}")
			return change{func() {
				f.must(t, nil, node, f.operator, http.MethodPut, path, `{"daily_bytes":1}`)
				t.Cleanup(func() { f.must(t, nil, node, f.operator, http.MethodPut, path, "{}") })
			}, f.pushes(http.StatusNoContent, http.StatusTooManyRequests, token.Secret)} // a rate would let one push more run into debt
		}},
		{"a tenant gets a smaller plan", func(t *testing.T, f *fleet, round, node int) change {
			ready(t, f)
			path := "/api/v1/tenants/" + string(f.tenant) + "/plan"
			if round == 0 {
				f.must(t, nil, node, f.operator, http.MethodPut, "/api/v1/plans/tiny", `{"title":"Tiny","quota":`+narrow+`}`)
			}
			f.must(t, nil, node, f.operator, http.MethodPut, path, `{"plan":""}`)
			return change{f.calls(t, node, f.operator, http.MethodPut, path, `{"plan":"tiny"}`), f.pushes(http.StatusNoContent, http.StatusBadRequest, token.Secret)}
		}},
		{"a plan is made smaller", func(t *testing.T, f *fleet, _, node int) change {
			ready(t, f)
			const path = "/api/v1/plans/tiny"
			f.must(t, nil, node, f.operator, http.MethodPut, path, `{"title":"Tiny","quota":{}}`)
			t.Cleanup(func() {
				f.must(t, nil, node, f.operator, http.MethodPut, "/api/v1/tenants/"+string(f.tenant)+"/plan", `{"plan":""}`)
			})
			return change{f.calls(t, node, f.operator, http.MethodPut, path, `{"title":"Tiny","quota":`+narrow+`}`), f.pushes(http.StatusNoContent, http.StatusBadRequest, token.Secret)}
		}},
	}
}

func tenantKinds() []kind {
	var id string
	var ingest, query credential
	// both is answered by the new rule when pushes and queries are.
	both := func(f *fleet, push, ask func(int) (bool, error)) func(int) (bool, error) {
		return func(node int) (bool, error) {
			pushed, err := push(node)
			asked, also := ask(node)
			return pushed && asked, errors.Join(err, also)
		}
	}
	turn := func(to string, push, ask [2]int) func(*testing.T, *fleet, int, int) change {
		from := map[string]string{"suspend": "resume", "resume": "suspend"}[to]
		return func(t *testing.T, f *fleet, _, node int) change {
			if id == "" {
				id = string(f.tenant)
				_, ingest = f.cluster(t, "suspended")
				query = f.token(t, seamark.QueryToken)
			}
			if _, err := f.send(f.nodes[node], f.operator, http.MethodPost, "/api/v1/tenants/"+id+"/"+from, ""); err != nil {
				t.Fatal(err)
			}
			return change{f.calls(t, node, f.operator, http.MethodPost, "/api/v1/tenants/"+id+"/"+to, ""), both(f,
				f.pushes(push[0], push[1], ingest.Secret), f.asks(ask[0], ask[1], query.Secret, "/prometheus/api/v1/query?query=1"))}
		}
	}
	return []kind{
		{"a tenant is suspended", turn("suspend", [2]int{http.StatusNoContent, http.StatusForbidden}, [2]int{http.StatusOK, http.StatusForbidden})},
		{"a tenant is resumed", turn("resume", [2]int{http.StatusForbidden, http.StatusNoContent}, [2]int{http.StatusForbidden, http.StatusOK})},
	}
}
