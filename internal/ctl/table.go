package ctl

import (
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/api/client"
)

// resource is a noun with its commands.
type resource struct {
	noun     string
	commands []command
}

// command is one verb of a noun: the operation that it calls, and how its answer is shown. Its arguments are the path's
// parameters, its flags those of the query and the fields of the body.
type command struct {
	noun, verb string
	operation  string // operationId
	// columns of the table, as names of fields with dots; without any all that are no objects are shown.
	columns []string
	// entries is the field that holds the list when it is not items.
	entries string
	// drop are fields that a read answers and a change does not take, left out of documents that are sent back.
	drop []string
	// long says that the list is longer than anybody wants at once: only one page is shown.
	long bool
	// media is the body's media type when it is no JSON.
	media string
}

// resources is the table of commands. A new operation is one line here.
func resources() []resource {
	all := slices.Concat(controlResources(), operationResources(), accessResources(), dataResources(), recordResources(), alertResources())
	for _, res := range all {
		for i := range res.commands {
			res.commands[i].noun = res.noun
		}
	}
	return all
}

func controlResources() []resource {
	tenant := []string{"slug", "name", "state", "clusters", "shard", "created_at", "id"}
	return []resource{
		{"tenant", []command{
			{verb: "list", operation: "listTenants", columns: tenant},
			{verb: "get", operation: "findTenant"},
			{verb: "create", operation: "createTenant"},
			{verb: "suspend", operation: "suspendTenant"},
			{verb: "resume", operation: "resumeTenant"},
			{verb: "delete", operation: "deleteTenant"},
			{verb: "restore", operation: "restoreTenant"},
			{verb: "certificate", operation: "findCertificate"},
			{verb: "invite", operation: "createTenantInvitation"},
			{verb: "quota", operation: "findTenantQuotas"},
			{verb: "set-quota", operation: "setTenantQuota"},
			{verb: "set-plan", operation: "setTenantPlan"},
		}},
		{"health", []command{{verb: "get", operation: "findHealth"}}},
		{"cluster", []command{
			{verb: "list", operation: "listClusters", columns: []string{"name", "arrivals.logs", "arrivals.metrics", "arrivals.events", "created_at", "id"}},
			{verb: "get", operation: "findCluster"},
			{verb: "create", operation: "createCluster"},
			{verb: "delete", operation: "deleteCluster"},
			{verb: "quota", operation: "findClusterQuotas"},
			{verb: "set-quota", operation: "setClusterQuota"},
		}},
		{"quota", []command{{verb: "get", operation: "findQuotas"}}},
		{"retention", []command{
			{verb: "get", operation: "findRetention"},
			{verb: "update", operation: "updateRetention"},
		}},
		{"pipeline", []command{
			{verb: "get", operation: "findPipelines", entries: "pipelines", columns: []string{"name", "enabled"}},
			{verb: "replace", operation: "replacePipelines", entries: "pipelines", columns: []string{"name", "enabled"}, drop: []string{"updated_at"}},
			{verb: "try", operation: "tryPipeline", entries: "records"},
			{verb: "stats", operation: "findPipelineStats", entries: "steps", columns: []string{"pipeline", "step", "kind", "in", "changed", "dropped", "errors"}},
		}},
	}
}

func operationResources() []resource {
	return []resource{
		{"export", []command{
			{verb: "list", operation: "listTenantExports"},
			{verb: "get", operation: "findTenantExport"},
			{verb: "create", operation: "createTenantExport"},
			{verb: "download", operation: "downloadTenantExport"},
			{verb: "delete", operation: "deleteTenantExport"},
		}},
		{"forwarder", []command{
			{verb: "list", operation: "listForwarders"},
			{verb: "get", operation: "findForwarder"},
			{verb: "apply", operation: "saveForwarder"},
			{verb: "delete", operation: "deleteForwarder"},
			{verb: "status", operation: "findForwarderStatus"},
			{verb: "test", operation: "testForwarder"},
		}},
		{"delivery", []command{
			{verb: "list", operation: "listDeliveries", columns: []string{"time", "receiver", "integration", "status", "attempt", "alerts", "error"}},
		}},
		{"plan", []command{
			{verb: "list", operation: "listPlans"},
			{verb: "get", operation: "findPlan"},
			{verb: "apply", operation: "updatePlan"},
			{verb: "delete", operation: "deletePlan"},
		}},
		{"usage", []command{
			{verb: "list", operation: "listUsage"},
			{verb: "queries", operation: "listQueryUsage", columns: []string{"name", "queries", "bytes", "rows", "cpu_seconds"}},
			{verb: "summary", operation: "findUsageSummary"},
			{verb: "reconcile", operation: "reconcileUsage"},
			{verb: "budgets", operation: "findBudgets"},
			{verb: "set-budgets", operation: "updateBudgets"},
			{verb: "tenants", operation: "listTenantsUsage"},
			{verb: "tenants-summary", operation: "findTenantsUsageSummary"},
			{verb: "tenants-reconcile", operation: "reconcileTenantsUsage"},
		}},
		{"change", []command{
			{verb: "list", operation: "listChanges"},
			{verb: "verify", operation: "verifyChanges"},
		}},
	}
}

func accessResources() []resource {
	return []resource{
		{"token", []command{
			{verb: "list", operation: "listTokens"},
			{verb: "get", operation: "findToken"},
			{verb: "create", operation: "createToken"},
			{verb: "rotate", operation: "rotateToken"},
			{verb: "delete", operation: "deleteToken"},
		}},
		{"key", []command{
			{verb: "list", operation: "listKeys"},
			{verb: "get", operation: "findKey"},
			{verb: "create", operation: "createKey"},
			{verb: "rotate", operation: "rotateKey"},
			{verb: "delete", operation: "deleteKey"},
		}},
		{"member", []command{
			{verb: "list", operation: "listMembers"},
			{verb: "get", operation: "findMember"},
			{verb: "update", operation: "updateMember"},
			{verb: "delete", operation: "deleteMember"},
			{verb: "sign-out", operation: "deleteMemberSessions"},
			{verb: "reset-password", operation: "createPasswordReset"},
		}},
		{"invitation", []command{
			{verb: "list", operation: "listInvitations"},
			{verb: "create", operation: "createInvitation"},
			{verb: "resend", operation: "resendInvitation"},
			{verb: "delete", operation: "deleteInvitation"},
			{verb: "show", operation: "findInvitationOffer"},
			{verb: "accept", operation: "acceptInvitation"},
			{verb: "join", operation: "joinInvitation"},
		}},
		{"role", []command{
			{verb: "list", operation: "listRoles"},
			{verb: "get", operation: "findRole"},
			{verb: "create", operation: "createRole"},
			{verb: "update", operation: "updateRole"},
			{verb: "delete", operation: "deleteRole"},
			{verb: "permissions", operation: "listPermissions"},
		}},
		{"session", []command{
			{verb: "get", operation: "findSession"},
			{verb: "list", operation: "listSessions"},
			{verb: "switch", operation: "switchTenant"},
			{verb: "delete", operation: "deleteSessionByID"},
			{verb: "delete-all", operation: "deleteSessions"},
			{verb: "providers", operation: "listProviders"},
			{verb: "identities", operation: "listIdentities"},
			{verb: "unlink", operation: "deleteIdentity"},
			{verb: "set-password", operation: "updatePassword"},
			{verb: "reset-password", operation: "resetPassword"},
		}},
	}
}

func dataResources() []resource {
	return []resource{
		{"queries", []command{
			{verb: "list", operation: "listQueries", columns: []string{"state", "language", "actor", "running_seconds", "bytes", "rows", "query", "id"}},
			{verb: "get", operation: "findQuery"},
			{verb: "cancel", operation: "cancelQuery"},
			{verb: "tenants", operation: "listTenantsQueries", columns: []string{"tenant", "state", "language", "running_seconds", "bytes", "rows", "query", "id"}},
			{verb: "cancel-any", operation: "cancelTenantsQuery"},
			{verb: "quarantine", operation: "listQuarantinedQueries", columns: []string{"language", "until", "shape", "id"}},
			{verb: "lift", operation: "liftQuarantine"},
			{verb: "tenants-quarantine", operation: "listTenantsQuarantinedQueries", columns: []string{"tenant", "language", "until", "shape", "id"}},
			{verb: "tenants-lift", operation: "liftTenantQuarantine"},
		}},
		{"query-job", []command{
			{verb: "list", operation: "listQueryJobs", columns: []string{"state", "progress", "language", "actor", "created_at", "query", "id"}},
			{verb: "get", operation: "findQueryJob"},
			{verb: "result", operation: "downloadQueryJobResult"},
			{verb: "delete", operation: "deleteQueryJob"},
		}},
		{"saved-query", []command{
			{verb: "list", operation: "listSavedQueries", columns: []string{"name", "language", "visibility", "owner.login", "tags", "query", "id"}},
			{verb: "get", operation: "findSavedQuery"},
			{verb: "create", operation: "createSavedQuery"},
			{verb: "update", operation: "updateSavedQuery", drop: []string{"id", "owner", "created_at", "updated_at"}},
			{verb: "delete", operation: "deleteSavedQuery"},
		}},
		{"dashboard", []command{
			{verb: "list", operation: "listDashboards", columns: []string{"title", "tags", "panels", "updated_at", "id"}},
			{verb: "get", operation: "findDashboard"},
			{verb: "create", operation: "createDashboard"},
			{verb: "update", operation: "updateDashboard", drop: []string{"id", "created_at", "updated_at"}},
			{verb: "delete", operation: "deleteDashboard"},
		}},
		{"event", []command{
			{verb: "list", operation: "listEvents", long: true, columns: []string{"last", "type", "cluster", "namespace", "kind", "object", "reason", "count", "message"}},
			{verb: "facets", operation: "countEventFacets", entries: "fields"},
			{verb: "series", operation: "countEventSeries"},
			{verb: "trend", operation: "compareEvents"},
			{verb: "timeline", operation: "showEventTimeline", entries: "events"},
		}},
	}
}

func recordResources() []resource {
	return []resource{
		{"audit", []command{
			{verb: "list", operation: "listAudit", columns: []string{"time", "cluster", "user", "verb", "resource", "namespace", "name", "code"}},
			{verb: "clients", operation: "countAuditClients"},
			{verb: "lists", operation: "showAuditLists"},
			{verb: "writes", operation: "showAuditWrites"},
		}},
		{"drop", []command{{verb: "list", operation: "listDrops", columns: []string{"reason", "rows", "requests", "last", "detail"}}}},
		{"log", []command{
			{verb: "context", operation: "readLogContext", entries: "lines", columns: []string{"time", "level", "line"}},
			{verb: "export", operation: "exportLogs"},
			{verb: "patterns", operation: "listLogPatterns"},
		}},
		{"sql", []command{
			{verb: "query", operation: "querySql"},
			{verb: "explain", operation: "explainSql"},
			{verb: "schema", operation: "listSqlViews", entries: "views", columns: []string{"name", "comment"}},
		}},
		{"metric", []command{
			{verb: "query", operation: "promQuery", entries: "data.result"},
			{verb: "query-range", operation: "promQueryRange", entries: "data.result"},
			{verb: "series", operation: "promListSeries", entries: "data"},
			{verb: "cardinality", operation: "exploreCardinality"},
			{verb: "pushed", operation: "listPushedGroups", entries: "data"},
		}},
	}
}

func alertResources() []resource {
	const asYAML = "application/yaml"
	return []resource{
		{"rule", []command{
			{verb: "list", operation: "listRuleGroups"},
			{verb: "list-namespace", operation: "listRuleNamespace"},
			{verb: "get", operation: "findRuleGroup"},
			{verb: "apply", operation: "saveRuleGroup", media: asYAML},
			{verb: "delete", operation: "deleteRuleGroup"},
			{verb: "delete-namespace", operation: "deleteRuleNamespace"},
			{verb: "list-logs", operation: "lokiListRuleGroups"},
			{verb: "apply-logs", operation: "lokiSaveRuleGroup", media: asYAML},
			{verb: "delete-logs", operation: "lokiDeleteRuleGroup"},
			{verb: "groups", operation: "listAlertingGroups", columns: []string{"namespace", "name", "language", "pack"}},
			{verb: "show", operation: "findAlertingGroup"},
			{verb: "save", operation: "saveAlertingGroup"},
			{verb: "remove", operation: "deleteAlertingGroup"},
			{verb: "check", operation: "checkAlertingGroup", entries: "faults", columns: []string{"line", "column", "rule", "name", "message"}},
			{verb: "dry-run", operation: "dryRunAlertingGroup", entries: "rules", columns: []string{"name", "type", "series_total", "failures"}},
			{verb: "backtest", operation: "backtestAlertingGroup", entries: "rules", columns: []string{"name", "type", "fired", "only_pending", "firing_seconds", "failures"}},
			{verb: "state", operation: "listRules", entries: "data.groups", columns: []string{"file", "name", "interval", "lastEvaluation"}},
		}},
		{"rule-pack", []command{
			{verb: "list", operation: "listAlertingPacks", columns: []string{"name", "enabled", "version", "title"}},
			{verb: "get", operation: "findAlertingPack"},
			{verb: "enable", operation: "saveAlertingPack"},
			{verb: "disable", operation: "deleteAlertingPack"},
			{verb: "runbook", operation: "findAlertingRunbook"},
			{verb: "file", operation: "findAlertingPackFile"},
		}},
		{"detector", []command{
			{verb: "list", operation: "listDetectors", columns: []string{"name", "kind", "disabled", "expr", "id"}},
			{verb: "get", operation: "findDetector"},
			{verb: "status", operation: "showDetectorStatus", entries: "alerts", columns: []string{"state", "since", "value", "explanation"}},
			{verb: "create", operation: "createDetector"},
			{verb: "update", operation: "updateDetector", drop: []string{"id", "created_at", "updated_at"}},
			{verb: "delete", operation: "deleteDetector"},
			{verb: "preview", operation: "previewDetector", entries: "alerts", columns: []string{"start", "end", "explanation"}},
			{verb: "suspects", operation: "findSuspects", columns: []string{"score", "kind", "time", "namespace", "object", "relation", "summary"}},
		}},
		{"alert", []command{
			{verb: "list", operation: "listAlerts", entries: "data.alerts", columns: []string{"state", "labels.alertname", "activeAt", "value"}},
			{verb: "status", operation: "alertmanagerStatus"},
			{verb: "notified", operation: "alertmanagerListAlerts"},
			{verb: "groups", operation: "alertmanagerListAlertGroups"},
		}},
		{"receiver", []command{
			{verb: "list", operation: "listReceivers", columns: []string{"name", "integrations"}},
			{verb: "names", operation: "alertmanagerListReceivers"},
			{verb: "test", operation: "testReceiver", columns: []string{"integration", "status", "code", "error"}},
			{verb: "config", operation: "findAlertmanagerConfig"},
			{verb: "apply", operation: "saveAlertmanagerConfig", media: asYAML},
			{verb: "reset", operation: "deleteAlertmanagerConfig"},
		}},
		{"silence", []command{
			{verb: "list", operation: "alertmanagerListSilences", columns: []string{"id", "status.state", "endsAt", "createdBy", "comment"}},
			{verb: "get", operation: "alertmanagerFindSilence"},
			{verb: "apply", operation: "alertmanagerSaveSilence"},
			{verb: "expire", operation: "alertmanagerExpireSilence"},
		}},
	}
}

// describe returns the description of a command's operation.
func (c *command) describe() (*client.Operation, error) { return findOperation(c.operation) }

func findOperation(id string) (*client.Operation, error) {
	for _, op := range client.Operations() {
		if op.ID == id {
			return &op, nil
		}
	}
	return nil, usagef("there is no operation %q; the reference at /docs lists them", id)
}

// findCommand returns the command that the first words name, and the words behind them. `call` takes any operation.
func findCommand(words []string) (*command, []string, error) {
	if words[0] == "call" {
		if len(words) < 2 {
			return nil, nil, usagef("call needs the OPERATION, an operationId; the reference at /docs of the server lists them")
		}
		return &command{noun: "call", verb: words[1], operation: words[1], long: true}, words[2:], nil
	}
	var nouns []string
	for _, res := range resources() {
		nouns = append(nouns, res.noun)
		if res.noun != words[0] && res.noun+"s" != words[0] {
			continue
		}
		var verbs []string
		for i := range res.commands {
			verbs = append(verbs, res.commands[i].verb)
			if len(words) > 1 && res.commands[i].verb == words[1] {
				return &res.commands[i], words[2:], nil
			}
		}
		if len(words) > 1 {
			return nil, nil, usagef("%s has no verb %q; it has %s", res.noun, words[1], strings.Join(verbs, ", "))
		}
		return nil, nil, usagef("say what to do with a %s: %s", res.noun, strings.Join(verbs, ", "))
	}
	return nil, nil, usagef("there is no %q here; there are %s", words[0], strings.Join(append(nouns, ownNames()...), ", "))
}
