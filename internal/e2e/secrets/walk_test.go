package secrets_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/seamarkhq/seamark/internal/e2e/contract"
)

// noSecrets are properties that are called like secrets and are none, each with the reason.
var noSecrets = map[string]string{
	"DropSample.token": "the key id of a token",
}

// secretProperties lists the properties of openapi.yaml whose values are secrets, as `schema.property`: those with writeOnly,
// `format: password` or x-secret. Where a whole schema is for a secret, each place that it is used at is one.
func secretProperties(t *testing.T, c *contract.Contract) []string {
	t.Helper()
	found := map[string]bool{}
	for name, ref := range c.Doc.Components.Schemas {
		if name == "ForwarderSecret" {
			continue
		}
		properties(name, ref, func(at, property string, p *openapi3.SchemaRef) {
			s := p.Value
			marked := s.WriteOnly || s.Format == "password" || s.Extensions["x-secret"] == true || strings.HasSuffix(p.Ref, "/ForwarderSecret")
			looks := s.Type.Is("string") && slices.ContainsFunc([]string{"secret", "password", "token", "credential"}, func(word string) bool {
				return strings.Contains(property, word)
			})
			switch _, known := noSecrets[at]; {
			case marked:
				found[at] = true
			case looks && !known:
				t.Errorf("openapi.yaml: %s looks like a secret and is not marked as one: add x-secret, or name the reason in noSecrets", at)
			}
		})
	}
	return slices.Sorted(maps.Keys(found))
}

// properties visits the properties of a schema and of what stands in it, but not of other named schemas.
func properties(at string, ref *openapi3.SchemaRef, visit func(at, property string, p *openapi3.SchemaRef)) {
	s := ref.Value
	if s.AdditionalProperties.Schema != nil {
		visit(at+".*", "", s.AdditionalProperties.Schema)
	}
	for name, p := range s.Properties {
		visit(at+"."+name, name, p)
		if p.Ref == "" {
			properties(at+"."+name, p, visit)
		}
	}
	for _, part := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf, openapi3.SchemaRefs{}) {
		if part.Ref == "" {
			properties(at, part, visit)
		}
	}
	if s.Items != nil && s.Items.Ref == "" {
		properties(at, s.Items, visit)
	}
}

// notAsked are GET operations that the walk leaves out, each with the reason.
var notAsked = map[string]string{
	"lokiTail":           "a WebSocket, which sends what is pushed",
	"finishProvider":     "asked in the sign-in at the provider",
	"pushKubeEventerGet": "takes data",
	"findCertificate":    "of tenants that are deleted; it names what was erased by number",
}

// unanswered are those that need not answer 200 to anybody.
var unanswered = map[string]string{
	"startProvider":             "redirects to the provider",
	"findQuery":                 "shows queries while they run, which none here does for long",
	"lokiListRuleGroups":        "there are no rules over logs",
	"lokiListRuleNamespace":     "there are no rules over logs",
	"lokiFindRuleGroup":         "there are no rules over logs",
	"lokiPromListRuleGroups":    "there are no rules over logs",
	"lokiPromListRuleNamespace": "there are no rules over logs",
	"lokiPromFindRuleGroup":     "there are no rules over logs",
}

// walk asks every GET operation of openapi.yaml, and hands the answers on.
func (s *scene) walk(c *contract.Contract, look func(where string, answer []byte)) {
	s.t.Helper()
	for _, op := range c.Operations() {
		if _, out := notAsked[op.OperationID]; out || op.Method != http.MethodGet {
			continue
		}
		answered, last := false, ""
		for _, who := range []string{"owner", "root"} { // who sees most of a tenant, and of the installation
			token := s.people[who]
			status, body := s.ask(token, op.Path, s.query(c, &op))
			last = fmt.Sprintf("%s got %d %.200s", who, status, body)
			look("GET "+op.Path+" as "+who, body)
			answered = answered || status == http.StatusOK
		}
		if _, known := unanswered[op.OperationID]; !answered && !known {
			s.t.Errorf("GET %s (%s): nobody got 200, and the walk has to look at an answer; %s", op.Path, op.OperationID, last)
		}
	}
}

// query fills an operation's parameters; those that it can do without are left out unless they have a value here.
func (s *scene) query(c *contract.Contract, op *contract.Operation) url.Values {
	values := map[string]string{
		"query": `{app="probe"}`, "stream": `{app="probe"}`, "match[]": `{app="probe"}`, "cluster": s.marker, "kind": "Pod", "object": "web-1",
		"resource": "pods", "name": "web-1", "start": s.seconds(-3600), "end": s.seconds(60), "time": s.lineTime, "tenant": s.ids["tenant"], "targetBytesPerShard": "1000000",
	}
	switch {
	case strings.HasPrefix(op.Path, "/prometheus/"):
		values["query"], values["match[]"], values["time"], values["step"] = "up", "up", s.seconds(0), "15"
	case op.Path == "/loki/api/v1/query":
		values["query"], values["time"] = `count_over_time({app="probe"}[1h])`, s.seconds(0)
	case op.Path == "/loki/api/v1/index/shards":
		values["query"] = `{app="probe"}`
	}
	q := url.Values{}
	// The query languages' routes describe as optional what POST has in its form.
	languages := strings.HasPrefix(op.Path, "/prometheus/") || strings.HasPrefix(op.Path, "/loki/") || strings.HasPrefix(op.Path, "/api/v1/logs/")
	for _, p := range slices.Concat(c.Doc.Paths.Value(op.Path).Parameters, op.Parameters) {
		if value, ok := values[p.Value.Name]; ok && p.Value.In == "query" && (p.Value.Required || languages) {
			q.Set(p.Value.Name, value)
		}
	}
	return q
}

// path puts the ids of what the scene has made into a described path.
func (s *scene) path(described string) string {
	parts := strings.Split(described, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			name := strings.Trim(part, "{}")
			id, ok := s.ids[parts[i-1]+"/"+name]
			if !ok {
				s.t.Errorf("%s: the walk has nothing for {%s} after %s", described, name, parts[i-1])
			}
			parts[i] = url.PathEscape(id)
		}
	}
	return strings.Join(parts, "/")
}
