package tenant

import (
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Permission is one entry of the closed list of what may be allowed.
type Permission struct {
	Name        string // `<noun>:<verb>`
	Description string // a sentence for people who put a role together
	// Assignable says whether a custom role or an API key may hold it. The others belong to operators and to cluster tokens.
	Assignable bool
	// Least is the least built-in role that holds it, "" where none does.
	Least seamark.Role
}

// permissionRow is one line of the table below.
type permissionRow struct {
	name        string
	least       seamark.Role // every role above it holds the permission, too
	query       bool         // query tokens hold it
	operator    bool         // operators hold it on the platform
	description string
}

// permissionTable is the whole list and all that is built in about it. A new permission is a line here.
func permissionTable() []permissionRow {
	const viewer, editor, admin, owner = seamark.RoleViewer, seamark.RoleEditor, seamark.RoleAdmin, seamark.RoleOwner
	return []permissionRow{
		{"changes:read", admin, false, true, "See the log of changes: who changed what, when and from where."},
		{"clusters:read", viewer, true, true, "See clusters, when they last sent what, and their quotas."},
		{"clusters:write", admin, false, true, "Create, change and delete clusters, and set their quotas."},
		{"dashboards:read", viewer, false, false, "See the tenant's dashboards."},
		{"dashboards:write", editor, false, false, "Create, change and delete dashboards."},
		{"data:read", viewer, true, false, "Read and export logs, metrics, events and Kubernetes audit records."},
		{"forwarders:read", admin, false, false, "See forwarders and how they do, without their secrets."},
		{"forwarders:write", admin, false, false, "Change forwarders, which send the tenant's data elsewhere, and test them."},
		{"keys:own", viewer, false, false, "Have API keys of one's own, which can never do more than their owner."},
		{"keys:read", admin, false, false, "See all API keys of the tenant, without their secrets."},
		{"keys:write", admin, false, false, "Create API keys for machines; rotate and revoke any API key."},
		{"members:read", viewer, false, true, "See who is a member, with which role."},
		{"members:write", admin, false, true, "Invite people, change the roles of members and remove them."},
		{"owners:write", owner, false, true, "Make members owners and take that from them."},
		{"pipelines:read", viewer, false, false, "See pipelines and try them."},
		{"pipelines:write", admin, false, false, "Change pipelines."},
		{"queries:cancel", admin, false, false, "Cancel the queries and background jobs of others, and lift quarantines of queries."},
		{"queries:own", viewer, true, false, "See one's own queries that run, have run or run in the background, and cancel them."},
		{"queries:read", viewer, false, false, "See the saved queries of the tenant, keep private ones of one's own, and see the queries of others that run or have run."},
		{"queries:write", editor, false, false, "Save queries for the whole tenant, and change and delete those."},
		{"receivers:read", viewer, false, false, "See receivers and the routing of alerts, without secrets."},
		{"receivers:write", admin, false, false, "Change receivers and the routing of alerts."},
		{"retention:read", viewer, false, false, "See how long data stays."},
		{"retention:write", admin, false, false, "Change how long data stays, which may delete what is older."},
		{"roles:read", viewer, false, false, "See roles and what they allow."},
		{"roles:write", admin, false, false, "Create, change and delete custom roles."},
		{"rules:read", viewer, true, false, "See rules and alerts."},
		{"rules:write", editor, false, false, "Change rules."},
		{"session:read", viewer, false, true, "See and end one's own session. Every role has it."},
		{"silences:read", viewer, false, false, "See silences."},
		{"silences:write", editor, false, false, "Silence alerts."},
		{"tenant:read", viewer, false, false, "See the tenant's settings, quotas and use."},
		{"tenant:write", owner, false, false, "Change the tenant's settings."},
		{"transfers:write", owner, false, false, "Export all of the tenant's data and configuration."},
		{"tenants:read", "", false, true, "See all tenants of the installation."},
		{"tenants:write", "", false, true, "Create, suspend and delete tenants, and set their quotas."},
		{"tokens:read", admin, false, true, "See the tokens of clusters, without their secrets."},
		{"tokens:write", admin, false, true, "Create, rotate and revoke the tokens of clusters."},
	}
}

// everyRole is the permission without which nobody could even sign out.
const everyRole = "session:read"

// ListPermissions lists every permission there is, by name.
func ListPermissions() []Permission {
	var list []Permission
	for _, row := range permissionTable() {
		list = append(list, Permission{
			Name: row.name, Description: row.description, Assignable: row.least != "", Least: row.least,
		})
	}
	for _, name := range ingestPermissions() {
		what := strings.TrimPrefix(name, "ingest:")
		if name == anyIngest {
			what = "data whose signal only its body tells"
		}
		list = append(list, Permission{Name: name, Description: "Push " + what + ". Only the tokens of clusters have it."})
	}
	slices.SortFunc(list, func(a, b Permission) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Permissions lists the name of every permission, sorted. A route that names another one is a mistake.
func Permissions() []string {
	var names []string
	for _, p := range ListPermissions() {
		names = append(names, p.Name)
	}
	return names
}

func ingestPermissions() []string {
	names := []string{anyIngest}
	for _, signal := range []seamark.Signal{seamark.Logs, seamark.Metrics, seamark.Events, seamark.Traces} {
		names = append(names, IngestPermission(signal))
	}
	return names
}
