package test

import (
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/config"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiserver/pkg/audit/policy"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// The console's page for a new cluster shows these texts; its own test writes them, for this cluster, address and token.
const (
	snippetToken = "smk_ingest_abc_def"
	snippetURL   = "https://seamark.example.com"
)

// snippet returns a text that the console shows.
func snippet(t *testing.T, name string) string {
	t.Helper()
	return read(t, filepath.Join("console", "src", "components", "clusters", "testdata", name+".txt"))
}

// TestPrometheusSnippet has Prometheus' own code load the text.
func TestPrometheusSnippet(t *testing.T) {
	c, err := config.Load(snippet(t, "prometheus-1"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.RemoteWriteConfigs) != 1 || c.GlobalConfig.ExternalLabels.Get("cluster") != "eu-1" {
		t.Fatalf("it has %d remote writes for the cluster %q", len(c.RemoteWriteConfigs), c.GlobalConfig.ExternalLabels.Get("cluster"))
	}
	w := c.RemoteWriteConfigs[0]
	auth := w.HTTPClientConfig.Authorization
	if w.URL.String() != snippetURL+"/api/v1/push" || auth == nil || string(auth.Credentials) != snippetToken || !w.SendExemplars || !w.QueueConfig.RetryOnRateLimit {
		t.Errorf("it writes to %s with %+v", w.URL, auth)
	}
	if _, err := config.Load(strings.Replace(snippet(t, "prometheus-1"), "send_exemplars", "send_examplars", 1), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a misspelt field passes")
	}
}

// TestAuditSnippets has the API server's own code load what its webhook is set up with.
func TestAuditSnippets(t *testing.T) {
	kubeconfig, err := clientcmd.Load([]byte(snippet(t, "audit-1")))
	if err != nil {
		t.Fatal(err)
	}
	client, err := clientcmd.NewDefaultClientConfig(*kubeconfig, nil).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	if client.Host != snippetURL+"/api/v1/push/audit" || client.BearerToken != snippetToken {
		t.Errorf("the webhook sends to %s with %d bytes of token", client.Host, len(client.BearerToken))
	}
	rules, err := policy.LoadPolicyFromBytes([]byte(snippet(t, "audit-2")))
	if err != nil {
		t.Fatal(err)
	}
	if len(rules.Rules) != 5 || len(rules.OmitStages) != 1 {
		t.Errorf("the policy has %d rules", len(rules.Rules))
	}
	if _, err := policy.LoadPolicyFromBytes([]byte(strings.Replace(snippet(t, "audit-2"), "level: None", "level: Nothing", 1))); err == nil {
		t.Error("a level that there is not passes")
	}
}

// kubeletStats and clusterStates are what the documentation of two receivers lists, whose modules cannot be had: the collector refuses
// what is not here.
type (
	kubeletStats struct {
		AuthType           string `mapstructure:"auth_type"`
		Endpoint           string `mapstructure:"endpoint"`
		InsecureSkipVerify bool   `mapstructure:"insecure_skip_verify"`
		CollectionInterval string `mapstructure:"collection_interval"`
	}
	clusterStates struct {
		CollectionInterval string `mapstructure:"collection_interval"`
	}
)

// documented adds the two receivers to the factories.
func documented(f otelcol.Factories) otelcol.Factories {
	f.Receivers = maps.Clone(f.Receivers)
	for name, made := range map[string]func() component.Config{
		"kubeletstats": func() component.Config { return &kubeletStats{} }, "k8s_cluster": func() component.Config { return &clusterStates{} },
	} {
		kind := component.MustNewType(name)
		f.Receivers[kind] = receiver.NewFactory(kind, made)
	}
	return f
}

// TestCollectorSnippet decodes the manifests as Kubernetes does, and has the collector load the configurations in them.
func TestCollectorSnippet(t *testing.T) {
	t.Setenv("SEAMARK_TOKEN", snippetToken)
	t.Setenv("NODE_NAME", "node-1")
	text := snippet(t, "otel-1")
	const begin, end = "kubectl apply -f - <<'EOF'\n", "\nEOF\n"
	if !strings.HasPrefix(text, begin) || !strings.HasSuffix(text, end) {
		t.Fatalf("it is no command with manifests: %.60q", text)
	}
	var list []object
	for part := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(text, begin), end), "\n---\n") {
		var head struct {
			APIVersion string                `json:"apiVersion"`
			Kind       string                `json:"kind"`
			Metadata   struct{ Name string } `json:"metadata"`
		}
		if err := yaml.Unmarshal([]byte(part), &head); err != nil {
			t.Fatal(err)
		}
		list = append(list, object{text: part, kind: head.Kind, apiVersion: head.APIVersion, name: head.Metadata.Name})
	}
	for _, w := range decodeAll(t, list) {
		if !within(w.selector, w.template.Labels) {
			t.Errorf("%s does not select its own pods", w.name)
		}
	}
	configs := 0
	for i := range list {
		if list[i].kind != "ConfigMap" {
			continue
		}
		for name, one := range decode[corev1.ConfigMap](t, &list[i]).Data {
			configs++
			one = strings.ReplaceAll(one, "/var/lib/otelcol", t.TempDir())
			c, err := loadCollectorWith(t, one, documented)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for id, p := range c.Service.Pipelines {
				if len(p.Processors) == 0 || p.Processors[0].Type().String() != "memory_limiter" || slices.Contains(p.Processors, component.MustNewID("batch")) {
					t.Errorf("%s: pipeline %s has %v: memory is to be bounded first, and nothing to be held before the queue on disk", name, id, p.Processors)
				}
			}
			if !strings.Contains(one, snippetURL) {
				t.Errorf("%s does not send to %s", name, snippetURL)
			}
			if _, err := loadCollectorWith(t, strings.Replace(one, "collection_interval", "collection_intervall", 1), documented); err == nil {
				t.Errorf("%s passes with a misspelt field", name)
			}
		}
	}
	if configs != 2 {
		t.Errorf("there are %d configurations, want that of nodes and that of the cluster", configs)
	}
}

// keys is what an agent's documentation lists: by name, nil takes any value and an entry * takes any name. Lists are looked into.
type keys map[string]keys

// documentedKeys are those of agents whose own code cannot be had as a Go module, as far as the texts use them.
var documentedKeys = map[string]keys{
	"promtail-1": {"clients": {"url": nil, "bearer_token": nil, "external_labels": {"*": nil}}},
	"vector-1": {
		"data_dir": nil, "sources": {"*": {"type": nil}},
		"sinks": {"*": {
			"type": nil, "inputs": nil, "endpoint": nil, "auth": {"strategy": nil, "token": nil}, "encoding": {"codec": nil}, "labels": {"*": nil}, "buffer": {"type": nil, "max_size": nil},
		}},
	},
	"fluent-bit-1": {
		"service": {"flush": nil, "storage.path": nil},
		"pipeline": {
			"inputs":  {"name": nil, "path": nil, "multiline.parser": nil, "tag": nil, "db": nil, "storage.type": nil},
			"filters": {"name": nil, "match": nil, "merge_log": nil},
			"outputs": {
				"name": nil, "match": nil, "host": nil, "port": nil, "tls": nil, "uri": nil, "bearer_token": nil, "labels": nil, "label_keys": nil, "compress": nil, "format": nil, "header": nil,
			},
		},
	},
	"filebeat-1": {
		"filebeat.inputs": {
			"type": nil, "id": nil, "paths": nil, "prospector.scanner.symlinks": nil, "parsers": {"container": nil},
			"processors": {"add_kubernetes_metadata": {"host": nil, "matchers": {"logs_path": {"logs_path": nil}}}},
		},
		"fields_under_root": nil, "fields": {"*": nil},
		"output.elasticsearch": {"hosts": nil, "api_key": nil, "allow_older_versions": nil, "compression_level": nil},
		"setup.ilm.enabled":    nil, "setup.template.enabled": nil,
	},
}

// unknown lists what a document has and the documentation does not.
func unknown(at string, value any, known keys) (list []string) {
	switch v := value.(type) {
	case []any:
		for i, one := range v {
			list = append(list, unknown(fmt.Sprintf("%s[%d]", at, i), one, known)...)
		}
	case map[string]any:
		for name, one := range v {
			below, ok := known[name]
			if !ok {
				below, ok = known["*"]
			}
			switch {
			case !ok:
				list = append(list, at+"."+name)
			case below != nil:
				list = append(list, unknown(at+"."+name, one, below)...)
			}
		}
	}
	return list
}

func TestDocumentedSnippets(t *testing.T) {
	for name, known := range documentedKeys {
		t.Run(name, func(t *testing.T) {
			text := snippet(t, name)
			var doc map[string]any
			if err := yaml.UnmarshalStrict([]byte(text), &doc); err != nil {
				t.Fatal(err)
			}
			if list := unknown("", doc, known); len(list) > 0 {
				t.Errorf("it has %s, which the agent's documentation does not", strings.Join(list, ", "))
			}
			if !strings.Contains(text, snippetToken) || !strings.Contains(text, "seamark.example.com") || !strings.Contains(text, "eu-1") {
				t.Error("it does not name the token, the address and the cluster")
			}
			doc["misspelt"] = true
			if list := unknown("", doc, known); len(list) != 1 {
				t.Errorf("a field that is not documented gives %v", list)
			}
		})
	}
}

// alloyBlocks are the arguments of Alloy's components and blocks that its documentation lists, as far as the text uses them.
var alloyBlocks = map[string][]string{
	"discovery.kubernetes": {"role"}, "loki.source.kubernetes": {"targets", "forward_to"}, "loki.write": {"external_labels"},
	"prometheus.exporter.unix": {}, "prometheus.scrape": {"targets", "forward_to"}, "prometheus.remote_write": {"external_labels"}, "endpoint": {"url", "bearer_token"},
}

// TestAlloySnippet reads Alloy's syntax line by line: blocks that open and close, arguments that their block has, and references to
// what is exported by a component that is there.
func TestAlloySnippet(t *testing.T) {
	open := regexp.MustCompile(`^([a-z_.]+)(?: "([a-z_]+)")? \{( \})?$`)
	argument := regexp.MustCompile(`^([a-z_]+) += (.+)$`)
	reference := regexp.MustCompile(`\b((?:discovery|loki|prometheus)\.[a-z_.]+)\.([a-z]+)\.(targets|receiver)\b`)
	var blocks []string
	made, used := map[string]bool{}, []string{}
	for i, line := range strings.Split(snippet(t, "alloy-1"), "\n") {
		line = strings.TrimSpace(line)
		if m := open.FindStringSubmatch(line); m != nil {
			if _, known := alloyBlocks[m[1]]; !known {
				t.Errorf("line %d: the block %s is not documented", i+1, m[1])
			}
			made[m[1]+"."+m[2]] = true
			if m[3] == "" {
				blocks = append(blocks, m[1])
			}
			continue
		}
		switch m := argument.FindStringSubmatch(line); {
		case line == "":
		case line == "}" && len(blocks) > 0:
			blocks = blocks[:len(blocks)-1]
		case m != nil && len(blocks) > 0:
			if block := blocks[len(blocks)-1]; !slices.Contains(alloyBlocks[block], m[1]) {
				t.Errorf("line %d: %s has no argument %s", i+1, block, m[1])
			}
			for _, r := range reference.FindAllStringSubmatch(m[2], -1) {
				used = append(used, r[1]+"."+r[2])
			}
		default:
			t.Errorf("line %d is no syntax of Alloy: %q", i+1, line)
		}
	}
	if len(blocks) != 0 {
		t.Errorf("blocks are not closed: %v", blocks)
	}
	for _, name := range used {
		if !made[name] {
			t.Errorf("nothing makes %s", name)
		}
	}
	if len(used) != 4 {
		t.Errorf("components are wired %d times, want 4: %v", len(used), used)
	}
}
