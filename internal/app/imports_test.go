package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/seamarkhq/seamark/"

// layer is a folder, what it may import of ours, and the sentence that a broken edge is answered with.
type layer struct {
	folder string
	may    []string // folders; a trailing slash takes everything below
	why    string
}

// layers is the direction of imports: cmd, app, roles, adapters, domain. docs/architecture.md draws it.
var layers = []layer{
	{"internal/seamark", nil, "The domain depends on the standard library alone."},
	{"internal/child", nil, "A child is any process; what it does is its own."},
	{"internal/engine", []string{"internal/child", "internal/seamark"}, "The engines hand out addresses and know nothing of what runs on them."},
	{"internal/bus", []string{"internal/seamark"}, "The bus does not look into messages, so it needs no store and no edge."},
	{"internal/store", []string{"internal/store/gram", "internal/store/lz4", "internal/seamark"}, "The store is below the roles and knows neither the bus nor HTTP."},
	{"internal/store/gram", nil, "Sets of grams know bytes alone."},
	{"internal/store/lz4", nil, "A compressor knows bytes alone."},
	{"internal/logpattern", []string{"internal/seamark"}, "Templates know lines alone; ingest and the queriers share them."},
	{"internal/seal", []string{"internal/seamark"}, "Sealing knows places and keys, not what is sealed."},
	{"internal/backup", []string{"internal/seal", "internal/seamark"}, "A backup copies documents and reads none of them but the data keys."},
	{"internal/transfer", []string{"internal/bus", "internal/seamark"}, "An export is handed what it reads."},
	{"internal/guard", nil, "The guard knows addresses alone."},
	{"internal/lambda", nil, "It turns events into requests and knows nothing of what answers them."},
	{"internal/replay", []string{"internal/httpx", "internal/seal", "internal/seamark"}, "What was answered is kept for the edge, sealed."},
	{"internal/httpx", []string{"internal/seamark"}, "The edge is handed its handlers and its verifier."},

	{"ingest", []string{"ingest/", "internal/bus", "internal/httpx", "internal/store", "internal/seamark"}, "Roles never import each other; app hands over what one needs of another."},
	{"ingest/level", []string{"internal/seamark"}, "A decoder turns bytes into a batch and nothing else."},
	{"ingest/inflate/deflate", nil, "A decoder of a format knows nothing of ours."},
	{"ingest/inflate", []string{"ingest/inflate/deflate", "internal/seamark"}, "A decoder turns bytes into a batch and nothing else."},
	{"ingest/lokipush", []string{"ingest/level", "internal/seamark"}, "A decoder turns bytes into a batch and nothing else."},
	{"ingest/otlp", []string{"ingest/level", "ingest/events", "internal/seamark"}, "A decoder turns bytes into a batch and nothing else."},
	{"ingest/events", []string{"internal/seamark"}, "A decoder turns bytes into a batch and nothing else."},
	{"ingest/remotewrite", []string{"ingest/level", "internal/seamark"}, "A decoder turns bytes into a batch and nothing else."},
	{"ingest/record", []string{"ingest/level", "internal/seamark"}, "A decoder turns bytes into a batch and nothing else."},
	{"ingest/jsonlog", []string{"ingest/record", "internal/seamark"}, "A decoder turns bytes into a batch and nothing else."},
	{"ingest/esbulk", []string{"ingest/record", "internal/seamark"}, "A decoder turns bytes into a batch and nothing else."},
	{"ingest/hec", []string{"ingest/record", "internal/seamark"}, "A decoder turns bytes into a batch and nothing else."},
	{"ingest/datadog", []string{"ingest/record", "internal/seamark"}, "A decoder turns bytes into a batch and nothing else."},
	{"ingest/influx", []string{"internal/seamark"}, "A decoder turns bytes into a batch and nothing else."},
	{"ingest/audit", []string{"ingest/record", "internal/seamark"}, "A decoder turns bytes into a batch and nothing else."},
	{"ingest/otlpgrpc", []string{"ingest/otlp", "ingest/inflate", "internal/seamark"}, "A protocol with its own connections is handed its credentials and its way to the bus."},
	{"ingest/syslog", []string{"ingest/syslog/listen", "ingest/record", "internal/seamark"}, "A protocol with its own connections is handed its credentials and its way to the bus."},
	{"ingest/syslog/listen", []string{"internal/seamark"}, "What listeners share knows no protocol."},
	{"ingest/forward", []string{"ingest/syslog/listen", "ingest/inflate", "ingest/record", "internal/seamark"}, "A protocol with its own connections is handed its credentials and its way to the bus."},
	{"ingest/pushgateway", []string{"internal/bus", "internal/seamark"}, "Pushed groups live in documents of the bus; their rows leave through a function."},
	{"ingest/quota", []string{"internal/bus", "internal/seamark"}, "Limits are counted per node and shared through documents of the bus."},
	{"ingest/ledger", []string{"internal/seamark"}, "The ledger is handed its way to the bus."},
	{"ingest/hadedup", []string{"internal/bus", "internal/seamark"}, "An election is a document of the bus."},
	{"ingest/patterns", []string{"internal/logpattern", "internal/seamark"}, "A miner changes no rows; it hands them templates."},
	{"ingest/pipeline", []string{"ingest/level", "internal/seamark"}, "A pipeline changes batches; app hands it definitions."},
	{"ingest/catalogtest", []string{"internal/seamark"}, "A decoder's test needs no more than the domain."},

	{"querier/logfilter", []string{"internal/store", "internal/store/gram", "internal/seamark"}, "A query language reads the store and knows no HTTP and no other role."},
	{"querier/samplecache", []string{"querier/admit", "querier/samplecache/column", "internal/store", "internal/seamark"}, "A query language reads the store and knows no HTTP and no other role."},
	{"querier/samplecache/column", nil, "A format knows nothing but numbers."},
	{"querier/seriesindex", []string{"internal/store", "internal/seamark"}, "A query language reads the store and knows no HTTP and no other role."},
	{"querier/scoped", []string{"querier/audit", "querier/events", "querier/logcontext", "querier/logexplore", "querier/logql", "querier/logql/engine", "querier/promql", "internal/store", "internal/seamark"}, "It stands between the engines and the store, and knows no HTTP."},
	{"querier/promql/grid", nil, "Arithmetic knows columns alone."},
	{"querier/admit", []string{"internal/seamark"}, "What bounds queries knows no language and no store."},
	{"querier/admit/admittest", []string{"querier/admit", "internal/seamark"}, "Tests of the querier use it; the product does not."},
	{"querier/jobs", []string{"internal/bus", "internal/seamark"}, "A job is a request that is sent again by app; it knows no language and no HTTP."},
	{"querier/quarantine", []string{"internal/bus", "internal/seamark"}, "What bounds queries knows no language and no store."},
	{"querier/bound", []string{"internal/seamark"}, "What bounds requests knows no language and no store."},
	{"querier/promql", []string{"querier/admit", "querier/bound", "querier/promql/grid", "internal/store", "internal/seamark"}, "A query language reads the store and knows no HTTP and no other role."},
	{"querier/events", []string{"querier/bound", "internal/store", "internal/seamark"}, "A query language reads the store and knows no HTTP and no other role."},
	{"querier/audit", []string{"querier/bound", "internal/store", "internal/seamark"}, "A query language reads the store and knows no HTTP and no other role."},
	{"querier/logql", []string{"querier/logql/lineformat", "querier/logql/linematch", "querier/logql/quantity", "internal/seamark"}, "The language is text and tree; only its engine reads the store."},
	{"querier/logql/lineformat", []string{"querier/logql/quantity", "internal/seamark"}, "Templates know text alone."},
	{"querier/logql/linematch", []string{"internal/seamark"}, "Matching knows lines alone."},
	{"querier/logql/quantity", []string{"internal/seamark"}, "Units know text alone."},
	{"querier/logql/engine", []string{"querier/admit", "querier/logql", "querier/logql/lineformat", "querier/logql/linematch", "querier/logql/quantity", "internal/store", "internal/seamark"}, "A query language reads the store and knows no HTTP and no other role."},
	{"querier/logmem", []string{"internal/store", "internal/seamark"}, "Rows in memory answer as the store does."},
	{"querier/logexplore", []string{"querier/admit", "querier/logmem", "querier/logql", "querier/logql/", "querier/patterns", "internal/logpattern", "internal/store", "internal/seamark"}, "A query language reads the store and knows no HTTP and no other role."},
	{"querier/logtail", []string{"querier/logmem", "querier/logql", "querier/logql/engine", "internal/store", "internal/seamark"}, "Tails are handed their way to the bus."},
	{"querier/logcontext", []string{"querier/logql", "internal/store", "internal/seamark"}, "A query language reads the store and knows no HTTP and no other role."},
	{"querier/sql", []string{"querier/sql/guard", "internal/store", "internal/seamark"}, "A query language reads the store and knows no HTTP and no other role."},
	{"querier/sql/guard", []string{"internal/seamark"}, "What reads a statement knows text alone."},
	{"querier/logexport", []string{"querier/logmem", "querier/logql", "querier/logql/engine", "querier/logexport/parquet", "internal/store", "internal/seamark"}, "A query language reads the store and knows no HTTP and no other role."},
	{"querier/logpatterns", []string{"internal/logpattern", "querier/logql", "querier/logql/", "internal/store", "internal/seamark"}, "A query language reads the store and knows no HTTP and no other role."},
	{"querier/suspects", []string{"internal/seamark"}, "What ranks suspects is handed what it asks."},
	{"querier/logexport/parquet", nil, "A format knows columns alone."},
	{"querier/patterns", nil, "A miner knows lines alone."},
	{"querier/logql/loki", []string{"querier/logql/engine", "internal/seamark"}, "Loki's JSON is written from the engine's results alone."},

	{"tenant", []string{"internal/seal", "internal/seamark"}, "The directory touches no telemetry; roles see it through interfaces of their own."},
	{"tenant/oidc", []string{"internal/seamark"}, "A client of sign-in providers proves who somebody is there; whom that makes them here is the directory's."},
	{"forward", []string{"internal/bus", "internal/guard", "internal/seal", "internal/store", "internal/seamark"}, "Forwarders get their filter as functions, and read the bus beside the writer."},
	{"alerting/insight", nil, "Arithmetic knows grids of numbers alone."},
	{"alerting/detect", []string{"alerting/insight", "internal/bus", "internal/seamark"}, "Detectors get what they read, and their way to raise alerts, as functions."},
	{"alerting/overlay", nil, "Series in memory lie over any storage."},
	{"alerting/backtest", []string{"alerting/overlay", "internal/seamark"}, "A backtest reads through what it is handed."},
	{"alerting/packs", []string{"internal/seamark"}, "Packs are texts, which know neither tenants nor storage."},
	{"alerting/ruletest", []string{"alerting/packs", "internal/seamark"}, "Unit tests of rules evaluate what they are handed."},
	{"alerting/receivers", []string{"internal/guard"}, "A receiver knows the guard and its service, no tenant and no store."},
	{"alerting", []string{"alerting/receivers", "alerting/overlay", "alerting/packs", "internal/bus", "internal/guard", "internal/seal", "internal/seamark"}, "Alerting gets its queries and its way to store samples as functions."},
	{"metering", []string{"internal/store", "internal/seamark"}, "The meter reads the store and is handed its way to the bus, to people and to alerts."},
	{"api", []string{"internal/httpx", "internal/seamark"}, "The API states what it needs as interfaces; app fills them."},
	{"api/reference", nil, "The reference is files, and openapi.yaml."},
	{"internal/ctl", []string{"api/client"}, "The command line of the API is one more client of it."},
	{"api/client", nil, "The client knows the server by its HTTP API alone."},
	{"console", nil, "The console is files; the API lives beside it."},

	{"internal/doctor", []string{"internal/child", "internal/engine", "internal/store", "internal/seamark"}, "The doctor looks at engines from outside; what it is to look for comes as options."},
	{"internal/canary", nil, "The canary knows a server by its HTTP API alone."},
	{"internal/demo", []string{"internal/democluster", "internal/seamark", "tenant"}, "The demo pushes through the front, as agents do."},
	{"internal/democluster", []string{"internal/seamark"}, "The demo cluster is an agent: it knows a URL and a token."},
	{"internal/app", []string{"ingest/", "querier/", "alerting", "alerting/backtest", "alerting/detect", "alerting/insight", "alerting/receivers", "metering", "forward", "api", "api/reference", "tenant", "tenant/", "console", "internal/bus", "internal/child", "internal/doctor", "internal/engine", "internal/guard", "internal/httpx", "internal/replay", "internal/seal", "internal/store", "internal/transfer", "internal/seamark"}, "App puts roles together and serves no one below it."},
	{"cmd/seamark", []string{"alerting/detect", "querier/suspects", "forward", "ingest/quota", "internal/app", "internal/ctl", "internal/backup", "internal/bus", "internal/canary", "internal/child", "internal/demo", "internal/democluster", "internal/doctor", "internal/engine", "internal/lambda", "internal/seal", "internal/seamark", "querier/logexport", "tenant"}, "The command line speaks to app; it uses the directory and the dead letters for administration alone."},

	{"scripts/release-sbom", nil, "A bill of materials is read from a binary and lock files alone."},
	{"scripts/release-zip", nil, "A package is made of files alone."},
	{"internal/testkit", []string{"internal/engine", "internal/seamark"}, "The test kit stands below every package that is tested with it."},
	{"internal/docgen", nil, "The documents are made from source text and from what tests hand over."},
	{"internal/testkit/oidc", nil, "A provider for tests knows the protocol alone."},
	{"internal/bench", []string{"ingest/", "internal/store", "internal/seamark", "tenant"}, "Benchmarks measure the product and its parts from outside; nothing depends on them."},
	{"internal/e2e", []string{"api/client", "internal/e2e/", "internal/app", "internal/democluster", "internal/engine", "internal/httpx", "internal/seamark", "tenant"}, "End-to-end tests start the product and talk to it from outside."},
	{"internal/bench/logs", []string{"querier/logfilter", "querier/seriesindex", "api", "ingest/level", "querier/logql/engine", "querier/logql/loki", "internal/e2e/harness", "internal/httpx", "internal/engine", "internal/store", "internal/seamark"}, "Benchmarks measure the product and its parts from outside; nothing depends on them."},
	{"internal/bench/query", []string{"api", "querier/promql", "querier/samplecache", "querier/seriesindex", "internal/e2e/harness", "internal/httpx", "internal/engine", "internal/store", "internal/seamark"}, "Benchmarks measure the product and its parts from outside; nothing depends on them."},
	{"internal/bench/isolation", []string{"internal/bench", "internal/child", "internal/e2e/harness"}, "Benchmarks measure the product and its parts from outside; nothing depends on them."},
	{"internal/bench/alerting", []string{"internal/e2e/harness", "tenant", "internal/seamark"}, "Benchmarks measure the product and its parts from outside; nothing depends on them."},
	{"internal/bench/incidents", []string{"alerting/detect", "alerting/insight", "querier/logpatterns", "querier/suspects", "internal/store", "internal/seamark"}, "Benchmarks measure the product and its parts from outside; nothing depends on them."},
	{"internal/bench/directory", []string{"tenant", "internal/seamark"}, "Benchmarks measure the product and its parts from outside; nothing depends on them."},
	{"internal/bench/audit", []string{"internal/engine", "internal/store", "internal/seamark"}, "Benchmarks measure the product and its parts from outside; nothing depends on them."},
	{"internal/e2e/promcompat", []string{"internal/e2e/", "internal/seamark", "querier/promql"}, "It asks with the product's own dialect, and compares with Prometheus."},
	{"internal/e2e/packs", []string{"alerting/packs", "alerting/ruletest", "querier/logmem", "querier/logql", "querier/logql/engine", "internal/store", "internal/seamark"}, "Unit tests of rule packs need both query engines."},
	{"internal/e2e/deploy", []string{"alerting/ruletest", "internal/e2e/contract", "internal/e2e/harness"}, "What is deployed is held against the built product, from outside."},
	{"deploy/test", nil, "What is deployed is checked without the product's code, in a module of its own."},
	{"internal/e2e/harness", []string{"internal/engine"}, "The harness starts processes and talks to them from outside."},
}

// testOnly are packages that product code never imports; every test file may.
var testOnly = []string{"internal/testkit", "internal/testkit/", "internal/docgen", "internal/e2e/", "ingest/catalogtest", "querier/admit/admittest"}

// testsMay says what test files may import beside testOnly, their own package and what that may.
var testsMay = []string{"internal/engine", "internal/guard", "internal/seal", "internal/seamark", "internal/store", "ingest/otlp"} // ingest/otlp is what other decoders must agree with

// fence keeps a module, or a package of the standard library, in the folders or files that own it.
type fence struct {
	path string
	in   []string
	why  string
}

var fences = []fence{
	{"github.com/labstack/echo", []string{"internal/httpx"}, "The HTTP framework's end of life must be a change of one package."},
	{"github.com/casbin/casbin", []string{"tenant"}, "Only the directory decides who may do what."},
	{"github.com/ClickHouse/", []string{"internal/store", "internal/app/engines.go"}, "SQL and the driver stay in the store; app only reads the DSN."},
	{"github.com/alecthomas/kong", []string{"cmd", "internal/docgen"}, "Flags stay in cmd."},
	{"flag", []string{"cmd"}, "Flags stay in cmd."},
	{"github.com/nats-io/nats-server", []string{"internal/engine", "internal/e2e/harness"}, "The embedded server is an engine; everything else is its client."},
	{"github.com/ebitengine/purego", []string{"internal/engine"}, "Only the engine's child process loads a C library."},
	{"github.com/prometheus/alertmanager", []string{"alerting", "internal/e2e/alerts"}, "Alertmanager's internals move; one package follows them."},
	{"github.com/golang-jwt/jwt", []string{"tenant"}, "Sessions are made and checked in one place."},
}

// source is one parsed Go file of the repository.
type source struct {
	file, folder string
	test         bool
	imports      []string
	syntax       *ast.File
}

// TestImports walks every Go file and answers each edge that leads up, across or out of a fence with its rule.
func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t, filepath.Join("..", "..")) {
		seen[s.folder] = true
		at := slices.IndexFunc(layers, func(l layer) bool { return l.folder == s.folder })
		if at < 0 && strings.HasPrefix(s.folder, "internal/e2e/") {
			at = slices.IndexFunc(layers, func(l layer) bool { return l.folder == "internal/e2e" })
		}
		if at < 0 {
			t.Errorf("%s: the folder %s has no row in the table of layers; add one that says what it may import.", s.file, s.folder)
			continue
		}
		for _, imported := range s.imports {
			if ours, ok := strings.CutPrefix(imported, module); ok {
				checkOurs(t, &s, layers[at], ours)
			} else if !s.test {
				checkFences(t, &s, imported)
			}
		}
		checkEnvironment(t, &s)
	}
	for _, want := range []string{"internal/seamark", "ingest", "cmd/seamark"} {
		if !seen[want] {
			t.Errorf("no file of %s was read: the test looked in the wrong place", want)
		}
	}
}

func checkOurs(t *testing.T, s *source, l layer, ours string) {
	t.Helper()
	switch {
	case allows(l.may, ours):
	case s.test && (ours == s.folder || allows(testOnly, ours) || allows(testsMay, ours)):
	case allows(testOnly, ours):
		t.Errorf("%s imports %s, which is for tests alone.", s.file, ours)
	default:
		t.Errorf("%s imports %s. %s", s.file, ours, l.why)
	}
}

func allows(may []string, folder string) bool {
	return slices.ContainsFunc(may, func(m string) bool {
		return folder == strings.TrimSuffix(m, "/") || strings.HasSuffix(m, "/") && strings.HasPrefix(folder, m)
	})
}

func checkFences(t *testing.T, s *source, imported string) {
	t.Helper()
	for _, f := range fences {
		inside := imported == f.path || strings.Contains(f.path, "/") && strings.HasPrefix(imported, f.path)
		owner := slices.ContainsFunc(f.in, func(in string) bool { return s.file == in || strings.HasPrefix(s.file, in+"/") })
		if inside && !owner {
			t.Errorf("%s imports %s. %s", s.file, imported, f.why)
		}
	}
}

// checkEnvironment keeps settings out of the environment: a value that a flag does not show cannot be found.
func checkEnvironment(t *testing.T, s *source) {
	t.Helper()
	if s.test || allows(testOnly, s.folder) || strings.HasPrefix(s.folder, "cmd") {
		return
	}
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			pkg, _ := sel.X.(*ast.Ident)
			if pkg != nil && pkg.Name == "os" && slices.Contains([]string{"Getenv", "LookupEnv", "Environ"}, sel.Sel.Name) {
				t.Errorf("%s reads the environment with os.%s. Settings come as options; cmd alone reads flags and environment.", s.file, sel.Sel.Name)
			}
		}
		return true
	})
}

// sources parses every Go file below root, but not what npm installed.
func sources(t *testing.T, root string) []source {
	t.Helper()
	var list []source
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (slices.Contains([]string{"node_modules", "testdata", "bin", "data", "dist", "tools"}, d.Name()) || d.Name()[0] == '.' && len(d.Name()) > 2) {
			return filepath.SkipDir
		}
		if _, nested := os.Stat(filepath.Join(name, "go.mod")); d.IsDir() && nested == nil && name != root {
			return filepath.SkipDir // a module of its own, which imports what it likes
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		s := source{file: filepath.ToSlash(rel), test: strings.HasSuffix(name, "_test.go"), syntax: syntax}
		s.folder = path.Dir(s.file)
		for _, i := range syntax.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, imported)
		}
		list = append(list, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
