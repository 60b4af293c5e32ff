package acceptance_test

import (
	"errors"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

func clusterQuotaCase() resourceCase {
	block := func(rows string) string {
		return "resource \"seamark_quota\" \"it\" {\n  cluster_id      = seamark_cluster.it.id\n  rows_per_second = " + rows + "\n  max_labels      = 40\n}\n"
	}
	return resourceCase{
		address: "seamark_quota.it", create: block("1000"), update: block("2000"), action: "replace", // with its cluster
		drift:    func(*testing.T, *world, map[string]any) {}, // it ended with its cluster
		importID: func(state map[string]any) string { return "cluster/" + text(state, "cluster_id") },
		data:     "data \"seamark_quota\" \"it\" {\n  cluster_id = seamark_quota.it.cluster_id\n}\n",
		gone: func(t *testing.T, w *world, state map[string]any) error {
			return nothing(w.admin.FindClusterQuotas(t.Context(), text(state, "cluster_id")))
		},
	}
}

func apiKeyCase() resourceCase {
	block := func(rotation string) string {
		return "resource \"seamark_api_key\" \"it\" {\n  name        = \"grafana\"\n  role        = \"viewer\"\n  restriction = { namespaces = [\"shop\"] }\n" +
			"  expires_at  = \"2099-01-01T01:00:00+01:00\"\n  seal_to     = local.public_key\n  secret_file = \"${path.module}/grafana.secret\"\n  rotation    = \"" + rotation + "\"\n}\n"
	}
	return resourceCase{
		address: "seamark_api_key.it", create: block("a"), update: block("b"), action: "update",
		drift: func(t *testing.T, w *world, state map[string]any) {
			if err := w.admin.DeleteKey(t.Context(), text(state, "id")); err != nil {
				t.Fatal(err)
			}
		},
		data:    "data \"seamark_api_key\" \"it\" {\n  id = seamark_api_key.it.id\n}\n",
		written: []string{"seal_to", "secret_file", "rotation", "sealed_secret"},
		loose:   []string{"expires_at"}, // another time zone
		gone: func(t *testing.T, w *world, state map[string]any) error {
			key, err := w.admin.FindKey(t.Context(), text(state, "id"))
			if err == nil && key.RevokedAt != nil {
				return nil
			}
			return nothing(key, err)
		},
	}
}

func roleCase() resourceCase {
	block := func(more string) string {
		return "resource \"seamark_role\" \"it\" {\n  name        = \"night-shift\"\n  permissions = [\"silences:write\", \"data:read\"" + more + "]\n}\n"
	}
	return resourceCase{
		address: "seamark_role.it", create: block(""), update: block(", \"rules:read\""), action: "update",
		drift: func(t *testing.T, w *world, _ map[string]any) {
			change := client.RoleChange{Permissions: []string{"data:read"}, Description: new("not ours")}
			if _, err := w.admin.UpdateRole(t.Context(), "night-shift", change); err != nil {
				t.Fatal(err)
			}
		},
		importID: keyed("name"),
		data:     "data \"seamark_role\" \"it\" {\n  name = seamark_role.it.name\n}\n",
		gone: func(t *testing.T, w *world, _ map[string]any) error {
			return nothing(w.admin.FindRole(t.Context(), "night-shift"))
		},
	}
}

const (
	memberLogin  = "ann@example.com"
	invitedLogin = "bob@example.com"
)

// memberCase takes over who is a member already.
func memberCase() resourceCase {
	block := func(role string) string {
		return "resource \"seamark_member\" \"it\" {\n  login = \"" + memberLogin + "\"\n  role  = \"" + role + "\"\n}\n"
	}
	return resourceCase{
		address: "seamark_member.it", create: block("viewer"), update: block("editor"), action: "update",
		prepare: func(t *testing.T, w *world) {
			harness.MustRun(t, password+"\n", "admin", "--data-dir", w.DataDir, "user", "create", "--password-stdin", memberLogin, "--tenant", w.slug, "--role", "admin")
		},
		drift: func(t *testing.T, w *world, state map[string]any) {
			if _, err := w.admin.UpdateMember(t.Context(), text(state, "member_id"), client.MemberChange{Role: "admin"}); err != nil {
				t.Fatal(err)
			}
		},
		importID: keyed("login"),
		data:     "data \"seamark_member\" \"it\" {\n  login = seamark_member.it.login\n}\n",
		gone: func(t *testing.T, w *world, state map[string]any) error {
			return nothing(w.admin.FindMember(t.Context(), text(state, "member_id")))
		},
	}
}

// invitedCase invites who is none.
func invitedCase() resourceCase {
	block := func(role string) string {
		return "resource \"seamark_member\" \"invited\" {\n  login       = \"" + invitedLogin + "\"\n  role        = \"" + role + "\"\n  restriction = { namespaces = [\"shop\"] }\n" +
			"  secret_file = \"${path.module}/invitation.secret\"\n}\n"
	}
	return resourceCase{
		address: "seamark_member.invited", create: block("viewer"), update: block("editor"), action: "update",
		drift: func(t *testing.T, w *world, state map[string]any) {
			if err := w.admin.DeleteInvitation(t.Context(), text(state, "invitation_id")); err != nil {
				t.Fatal(err)
			}
		},
		importID: keyed("login"),
		written:  []string{"secret_file", "invitation_id", "member_id", "status", "sealed_secret"},
		gone: func(t *testing.T, w *world, _ map[string]any) error {
			list, err := w.admin.ListInvitations(t.Context(), nil)
			if err != nil {
				return err
			}
			for _, i := range list.Items {
				if i.Email == invitedLogin && i.RevokedAt == nil {
					return errors.New("an invitation is open")
				}
			}
			return nil
		},
	}
}
