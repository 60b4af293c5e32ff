// Package test checks what is deployed: it renders the charts with Helm's own code, decodes what comes out strictly into
// Kubernetes' types, and has the OpenTelemetry Collector's code load the agents' configurations. It is a module of its own, so that
// none of that is a dependency of the product.
package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/yaml"
)

// root is the product's source tree, seen from this package.
const root = "../.."

const (
	serverChart = root + "/deploy/helm/seamark"
	agentChart  = root + "/deploy/helm/seamark-agent"
)

// set is one way to install a chart.
type set struct {
	name, chart string
	values      string
}

const serverRequired = `
secretName: seamark
nats: {url: "nats://nats.nats.svc:4222"}
clickhouse: {httpAddrs: ["clickhouse:8123"]}
`

const agentRequired = `
url: https://seamark.example.com/
cluster: eu-1
tokenSecret: {name: seamark-token}
`

func sets() []set {
	return []set{
		{"server with what is required alone", serverChart, serverRequired},
		{"server with the address of NATS in its Secret", serverChart, `
secretName: seamark
nats: {urlKey: nats-url}
clickhouse: {httpAddrs: ["clickhouse:8123"]}
`},
		{"server with everything", serverChart, `
secretName: seamark
fullnameOverride: observe
image: {repository: registry.example.com/seamark, digest: "sha256:` + strings.Repeat("ab", 32) + `"}
imagePullSecrets: [{name: pull}]
nats: {url: "tls://nats-0.nats:4222,tls://nats-1.nats:4222", replicas: 3, credentials: true}
clickhouse:
  httpAddrs: ["ch-0:8123,ch-1:8123", "ch-2:8123"]
  tenantUsers: provisioned
  installation: {enabled: true, shards: 2, storageClassName: fast}
externalURL: https://seamark.example.com
flags: {quota.rows-per-second: 20000, bus.max-stream-bytes: 10737418240, patterns.enabled: false}
env: [{name: SEAMARK_LOG_LEVEL, value: debug}]
roles:
  ingest:
    replicas: 5
    autoscaling: {enabled: false}
    extraPorts: {otlp-grpc: 4317, otlp-http: 4318}
    flags: {otlp.grpc-listen: ":4317", otlp.http-listen: ":4318", http.max-connections: 32768}
  writer: {replicas: 4, flags: {writer.inserts-per-second: 250.5}}
  querier: {replicas: 3, autoscaling: {enabled: true}, persistence: {storageClassName: fast}}
  forwarder: {replicas: 0}
gateway: {service: {type: LoadBalancer, port: 8443, annotations: {example.com/lb: internal}}}
ingress: {enabled: true, className: nginx, host: seamark.example.com, tlsSecretName: seamark-tls, annotations: {a: b}}
podAnnotations: {example.com/a: b}
podLabels: {team: platform}
nodeSelector: {kubernetes.io/arch: amd64}
tolerations: [{key: dedicated, operator: Exists}]
affinity: {nodeAffinity: {}}
priorityClassName: high
serviceAccount: {annotations: {example.com/role: seamark}}
networkPolicy: {gatewayFrom: [{namespaceSelector: {matchLabels: {name: ingress}}}]}
serviceMonitor: {enabled: true, labels: {release: prometheus}}
`},
		{"server with as little as there can be", serverChart, serverRequired + `
roles: {querier: {persistence: {enabled: false}}, ingest: {autoscaling: {enabled: false}, replicas: 1}}
topologySpread: false
networkPolicy: {enabled: false}
serviceAccount: {create: false, name: mine}
trustedProxies: []
`},
		{"agent with what is required alone", agentChart, agentRequired},
		{"agent with everything", agentChart, agentRequired + `
fullnameOverride: agent
caConfigMap: {name: authority}
imagePullSecrets: [{name: pull}]
podAnnotations: {example.com/a: b}
podLabels: {team: platform}
priorityClassName: system-node-critical
collector: {image: {repository: registry.example.com/collector, digest: "sha256:` + strings.Repeat("cd", 32) + `"}}
node: {nodeSelector: {kubernetes.io/os: linux}, resources: {requests: {cpu: 50m}, limits: {memory: 1Gi}}}
logs: {include: [/var/log/pods/shop_*/*/*.log], exclude: ["/var/log/pods/*/istio-proxy/*.log"], startAt: beginning}
central: {persistence: {storageClassName: fast}, tolerations: [{operator: Exists}], nodeSelector: {a: b}}
metrics: {interval: 15s}
`},
		{"agent with metrics alone whose sources are there", agentChart, agentRequired + `
logs: {enabled: false}
events: {enabled: false}
apiserver: {enabled: false}
coredns: {enabled: false}
kubeStateMetrics: {enabled: false}
nodeExporter: {enabled: false}
nodeProblemDetector: {enabled: false}
central: {persistence: {enabled: false}}
`},
	}
}

// object is one rendered manifest.
type object struct {
	file, text             string
	kind, apiVersion, name string
}

func load(t *testing.T, path string) *chart.Chart {
	t.Helper()
	c, err := loader.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render renders a chart as `helm template` does, values checked by the chart's schema.
func render(t *testing.T, path, values string) ([]object, error) {
	t.Helper()
	c := load(t, path)
	given, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = chartutil.KubeVersion{Version: "v1.34.0", Major: "1", Minor: "34"}
	all, err := chartutil.ToRenderValues(c, given, chartutil.ReleaseOptions{Name: "prod", Namespace: "observability", Revision: 1, IsInstall: true}, capabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	var list []object
	for name, text := range files {
		if filepath.Ext(name) == ".txt" {
			continue
		}
		for part := range strings.SplitSeq("\n"+text, "\n---") {
			var head struct {
				Kind, APIVersion string
				Metadata         struct{ Name string }
			}
			if err := yaml.Unmarshal([]byte(part), &head); err != nil {
				return nil, fmt.Errorf("%s: %w in\n%s", name, err, part)
			}
			if head.Kind != "" {
				list = append(list, object{filepath.Base(name), part, head.Kind, head.APIVersion, head.Metadata.Name})
			}
		}
	}
	slices.SortFunc(list, func(a, b object) int { return strings.Compare(a.kind+a.name, b.kind+b.name) })
	return list, nil
}

func mustRender(t *testing.T, s *set) []object {
	t.Helper()
	list, err := render(t, s.chart, s.values)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatalf("%s renders nothing", s.chart)
	}
	return list
}

// TestLint runs `helm lint --strict` with each set of values.
func TestLint(t *testing.T) {
	for _, s := range sets() {
		t.Run(s.name, func(t *testing.T) {
			values, err := chartutil.ReadValues([]byte(s.values))
			if err != nil {
				t.Fatal(err)
			}
			lint := action.NewLint()
			lint.Strict, lint.Namespace = true, "observability"
			result := lint.Run([]string{s.chart}, values)
			for _, err := range result.Errors {
				t.Error(err)
			}
			for _, m := range result.Messages {
				if !strings.Contains(m.Error(), "icon is recommended") {
					t.Error(m)
				}
			}
		})
	}
}

// TestRequired wants what cannot be guessed to be asked for, and what is misspelt to be refused.
func TestRequired(t *testing.T) {
	for _, c := range []struct{ name, chart, values, want string }{
		{"server without values", serverChart, ``, "secretName"},
		{"no NATS", serverChart, "secretName: s\nclickhouse: {httpAddrs: [\"a:1\"]}", "nats"},
		{"no ClickHouse", serverChart, "secretName: s\nnats: {url: \"nats://a:1\"}", "httpAddrs"},
		{"HTTP address that is none", serverChart, "secretName: s\nnats: {url: \"nats://a:1\"}\nclickhouse: {httpAddrs: [\"a:1 b:1\"]}", "httpAddrs"},
		{"no shards", serverChart, "secretName: s\nnats: {url: \"nats://a:1\"}\nclickhouse: {httpAddrs: [\"a:1\"], installation: {enabled: true, shards: 0}}", "shards"},
		{"misspelt value", serverChart, serverRequired + "ingres: {enabled: true}", "ingres"},
		{"misspelt value of a role", serverChart, serverRequired + "roles: {ingest: {replica: 2}}", "replica"},
		{"two replicas of streams", serverChart, "secretName: s\nclickhouse: {httpAddrs: [\"a:1\"]}\nnats: {url: \"nats://a:1\", replicas: 2}", "replicas"},
		{"ingress without TLS", serverChart, serverRequired + "ingress: {enabled: true, host: a.example.com}", "tlsSecretName is required"},
		{"ingress without a host", serverChart, serverRequired + "ingress: {enabled: true, tlsSecretName: x}", "host is required"},
		{"agent without values", agentChart, ``, "url"},
		{"agent without a cluster", agentChart, "url: https://a\ntokenSecret: {name: x}", "cluster"},
		{"agent without a token", agentChart, "url: https://a\ncluster: x", "tokenSecret"},
		{"agent without a limit of memory", agentChart, agentRequired + "node: {resources: {limits: null}}", "limits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := render(t, c.chart, c.values); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("rendered with %v; want an error with %q", err, c.want)
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
