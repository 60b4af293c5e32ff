package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// flags are the flags that servers take, as docs/flags.md has them, which a test of the command line keeps true.
type flags struct {
	names        map[string]bool
	environments map[string]bool
}

var flagRow = regexp.MustCompile("(?m)^\\| `--([a-z0-9.-]+)` \\| `(SEAMARK_[A-Z0-9_]+)` \\|")

func serverFlags(t *testing.T) *flags {
	t.Helper()
	_, rest, _ := strings.Cut(read(t, "docs/flags.md"), "\n## Servers\n")
	servers, _, found := strings.Cut(rest, "\n## ")
	f := &flags{map[string]bool{"config": true}, map[string]bool{}}
	for _, row := range flagRow.FindAllStringSubmatch(servers, -1) {
		f.names[row[1]], f.environments[row[2]] = true, true
	}
	if !found || len(f.names) < 100 {
		t.Fatalf("docs/flags.md has %d flags of servers", len(f.names))
	}
	return f
}

// roles are the subcommands that serve.
var roles = []string{"serve", "ingest", "writer", "querier", "alerting", "forwarder", "api"}

// checkCommand checks a command line of seamark, without its executable.
func (f *flags) checkCommand(t *testing.T, where string, args []string) {
	t.Helper()
	if len(args) == 0 || !slices.Contains(roles, args[0]) {
		t.Errorf("%s runs seamark %v, which is none of %v", where, args, roles)
		return
	}
	for i := 1; i < len(args); i++ {
		name, _, inline := strings.Cut(strings.TrimPrefix(args[i], "--"), "=")
		if !strings.HasPrefix(args[i], "--") || !f.names[name] {
			t.Errorf("%s: seamark %s has no flag %s", where, args[0], args[i])
		}
		if strings.Contains(name, "secret") || strings.Contains(name, "dsn") || name == "keys.root" {
			t.Errorf("%s: %s is a secret, and a command line stands in the process list", where, name)
		}
		if !inline {
			i++
		}
	}
}

func (f *flags) checkEnvironment(t *testing.T, where, name string) {
	t.Helper()
	if strings.HasPrefix(name, "SEAMARK_") && !f.environments[name] {
		t.Errorf("%s: no flag reads %s", where, name)
	}
}

// TestChartFlags checks every flag and variable that the server's chart sets, and that its ports are those of its flags.
func TestChartFlags(t *testing.T) {
	known := serverFlags(t)
	for _, s := range sets() {
		if s.chart != serverChart {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			seen := map[string]bool{}
			for _, w := range decodeAll(t, mustRender(t, &s)) {
				c := w.template.Spec.Containers[0]
				if c.Name != "seamark" {
					continue
				}
				seen[c.Args[0]] = true
				known.checkCommand(t, w.name, c.Args)
				for _, e := range c.Env {
					known.checkEnvironment(t, w.name, e.Name)
				}
				for _, p := range c.Ports {
					listens := map[string]string{"http": "--http.listen=:4480", "admin": "--admin.listen=:4481", "otlp-grpc": "--otlp.grpc-listen=:4317", "otlp-http": "--otlp.http-listen=:4318"}[p.Name]
					if !slices.Contains(c.Args, listens) {
						t.Errorf("%s has the port %s, %d; its flags are %v", w.name, p.Name, p.ContainerPort, c.Args)
					}
				}
				if needs := slices.Contains([]string{"api", "alerting", "forwarder"}, c.Args[0]); needs != slices.Contains(c.Args, "--keys.root-file=/etc/seamark/secret/root-key") {
					t.Errorf("%s: root key needed: %t; its flags are %v", w.name, needs, c.Args)
				}
			}
			for _, role := range roles[1:] {
				if !seen[role] {
					t.Errorf("nothing runs the role %s", role)
				}
			}
		})
	}
}

// TestChartNATSAddress: every role has the address from the Secret, where the values name its key, and none on its command line.
func TestChartNATSAddress(t *testing.T) {
	list, err := render(t, serverChart, "secretName: hidden\nnats: {urlKey: nats-url}\nclickhouse: {httpAddrs: [\"clickhouse:8123\"]}\n")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, w := range decodeAll(t, list) {
		c := w.template.Spec.Containers[0]
		if c.Name != "seamark" {
			continue
		}
		seen++
		if slices.ContainsFunc(c.Args, func(a string) bool { return strings.HasPrefix(a, "--nats.url") }) {
			t.Errorf("%s has an address of NATS on its command line: %v", w.name, c.Args)
		}
		if !slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool {
			from := e.ValueFrom
			return e.Name == "SEAMARK_NATS_URL" && from != nil && from.SecretKeyRef != nil && from.SecretKeyRef.Name == "hidden" && from.SecretKeyRef.Key == "nats-url"
		}) {
			t.Errorf("%s does not have the address of NATS from the Secret: %v", w.name, c.Env)
		}
	}
	if seen == 0 {
		t.Error("nothing runs Seamark")
	}
}

// TestChartShards has an entry of HTTP addresses for each shard reach the roles as one, with a space between them.
func TestChartShards(t *testing.T) {
	list, err := render(t, serverChart, `
secretName: seamark
nats: {url: "nats://nats.nats.svc:4222"}
clickhouse: {httpAddrs: ["a:8123,b:8123", "c:8123"], installation: {enabled: true, shards: 2}}
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range decodeAll(t, list) {
		const want = "--clickhouse.http-addrs=a:8123,b:8123 c:8123"
		if args := w.template.Spec.Containers[0].Args; strings.HasSuffix(w.name, "-gateway") == slices.Contains(args, want) {
			t.Errorf("%s has the flags %v; want %s", w.name, args, want)
		}
	}
	if !slices.ContainsFunc(list, func(o object) bool {
		return o.kind == "ClickHouseInstallation" && strings.Contains(o.text, "shardsCount: 2")
	}) {
		t.Error("the installation has not two shards")
	}
}

// TestChartValues checks how values become flags: numbers are not rounded, and a role's own go before those of all.
func TestChartValues(t *testing.T) {
	list, err := render(t, serverChart, serverRequired+`
flags: {quota.rows-per-second: 1, bus.max-stream-bytes: 10737418240, patterns.enabled: false}
roles: {writer: {flags: {quota.rows-per-second: 2, writer.inserts-per-second: 250.5, log.format: text}}}
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range decodeAll(t, list) {
		args := w.template.Spec.Containers[0].Args
		want := []string{"--quota.rows-per-second=1", "--bus.max-stream-bytes=10737418240", "--patterns.enabled=false", "--log.format=json", "--clickhouse.http-addrs=clickhouse:8123"}
		if strings.HasSuffix(w.name, "-writer") {
			want = []string{"--quota.rows-per-second=2", "--bus.max-stream-bytes=10737418240", "--writer.inserts-per-second=250.5", "--log.format=text"}
		}
		for _, one := range want {
			if strings.HasSuffix(w.name, "-gateway") == slices.Contains(args, one) {
				t.Errorf("%s has the flags %v; want %s", w.name, args, one)
			}
		}
	}
}

type composeFile struct {
	Services map[string]struct {
		Image       string
		User        string
		ReadOnly    bool `json:"read_only"`
		Command     []string
		Environment map[string]string
		Ports       []string
		Volumes     []string
		DependsOn   map[string]struct{ Condition string } `json:"depends_on"`
		Healthcheck *struct{ Test []string }
	}
	Volumes map[string]any
}

// TestCompose checks the compose file: its flags and variables, what its services wait for, and its volumes.
func TestCompose(t *testing.T) {
	known := serverFlags(t)
	var f composeFile
	text := read(t, "deploy/compose/compose.yaml")
	if err := yaml.Unmarshal([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	running := map[string]int{}
	upstreams := read(t, "deploy/compose/upstreams.conf")
	for name, s := range f.Services {
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if _, named := f.Volumes[from]; !named && !strings.HasPrefix(from, ".") {
				t.Errorf("%s mounts %s, which is no volume", name, from)
			} else if !named {
				if _, err := os.Stat(filepath.Join(root, "deploy/compose", from)); err != nil {
					t.Errorf("%s mounts a file that is not there: %v", name, err)
				}
			}
		}
		for on, d := range s.DependsOn {
			if other, ok := f.Services[on]; !ok || d.Condition == "service_healthy" && other.Healthcheck == nil {
				t.Errorf("%s waits for %s to be %s, which cannot tell", name, on, d.Condition)
			}
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s is open to the network without TLS: %s", name, p)
			}
		}
		if !strings.Contains(s.Image, "seamark:local") {
			running[strings.TrimRight(name, "-0123456789")]++
			continue
		}
		known.checkCommand(t, name, s.Command)
		running[s.Command[0]]++
		if s.User != "65532:65532" || !s.ReadOnly {
			t.Errorf("%s runs as %q, read only: %t", name, s.User, s.ReadOnly)
		}
		for variable := range s.Environment {
			known.checkEnvironment(t, name, variable)
		}
		needsKey := slices.Contains([]string{"api", "alerting", "forwarder"}, s.Command[0])
		if _, has := s.Environment["SEAMARK_KEYS_ROOT"]; has != needsKey {
			t.Errorf("%s has the root key: %t; it needs it: %t", name, has, needsKey)
		}
		answers := !slices.Contains([]string{"writer", "forwarder"}, s.Command[0])
		if strings.Contains(upstreams, "server "+name+":4480;") != answers {
			t.Errorf("%s is in upstreams.conf: %t; it answers requests: %t", name, !answers, answers)
		}
	}
	for what, least := range map[string]int{"nats": 3, "clickhouse": 2, "gateway": 1, "ingest": 2, "writer": 2, "querier": 1, "alerting": 2, "api": 2, "forwarder": 1} {
		if running[what] < least {
			t.Errorf("%d of %s run; want %d", running[what], what, least)
		}
	}
}

// TestNATSConfiguration wants of every place that configures NATS what an acknowledgement rests on.
func TestNATSConfiguration(t *testing.T) {
	for _, path := range []string{"deploy/compose/nats.conf", "deploy/helm/nats-values.yaml"} {
		text := read(t, path)
		for _, want := range []string{`sync_interval: always`, `max_payload: (8MB|<< 8MB >>)`} {
			if !regexp.MustCompile(want).MatchString(text) {
				t.Errorf("%s does not set %s", path, want)
			}
		}
	}
}

var unitLine = regexp.MustCompile(`^([A-Za-z]+)=(.*)$`)

// TestUnit checks the systemd unit: its form, its command line, and that it gives away what a server does not need.
func TestUnit(t *testing.T) {
	section, values := "", map[string]string{}
	for line := range strings.Lines(read(t, "deploy/systemd/seamark.service")) {
		line = strings.TrimSpace(line)
		switch m := unitLine.FindStringSubmatch(line); {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		case m == nil || section == "":
			t.Errorf("this is no setting of a section: %q", line)
		default:
			if _, twice := values[section+"."+m[1]]; twice {
				t.Errorf("%s.%s is set twice", section, m[1])
			}
			values[section+"."+m[1]] = m[2]
		}
	}
	command := strings.Fields(values["Service.ExecStart"])
	if len(command) == 0 || filepath.Base(command[0]) != "seamark" {
		t.Fatalf("ExecStart is %v", command)
	}
	serverFlags(t).checkCommand(t, "seamark.service", command[1:])
	for name, want := range map[string]string{
		"Service.User": "seamark", "Service.NoNewPrivileges": "yes", "Service.ProtectSystem": "strict", "Service.StateDirectory": "seamark",
		"Service.KillMode": "mixed", "Service.CapabilityBoundingSet": "CAP_SYS_NICE", "Install.WantedBy": "multi-user.target",
	} {
		if got, ok := values[name]; !ok || got != want {
			t.Errorf("%s is %q; want %q", name, got, want)
		}
	}
}

// TestDockerfile checks the image: its user, its command, and that what it copies is there.
func TestDockerfile(t *testing.T) {
	text := read(t, "Dockerfile")
	stages := map[string]bool{}
	var last string
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "FROM":
			last = words[1]
			if len(words) == 4 {
				stages[words[3]] = true
			}
		case "COPY":
			from := ""
			var paths []string
			for _, w := range words[1:] {
				if name, ok := strings.CutPrefix(w, "--from="); ok {
					from = name
				} else if !strings.HasPrefix(w, "--") {
					paths = append(paths, w)
				}
			}
			if from != "" && !stages[from] {
				t.Errorf("%q copies from no stage", strings.TrimSpace(line))
			}
			for _, p := range paths[:len(paths)-1] {
				if _, err := os.Stat(filepath.Join(root, p)); from == "" && err != nil {
					t.Errorf("%q: %v", strings.TrimSpace(line), err)
				}
			}
		case "ENTRYPOINT", "CMD":
			var command []string
			if err := json.Unmarshal([]byte(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), words[0]))), &command); err != nil {
				t.Errorf("%s is run by a shell, which the image does not have: %v", words[0], err)
			}
			if words[0] == "CMD" {
				serverFlags(t).checkCommand(t, "Dockerfile", command)
			}
		case "ENV":
			name, _, _ := strings.Cut(words[1], "=")
			serverFlags(t).checkEnvironment(t, "Dockerfile", name)
		}
	}
	if !strings.HasSuffix(last, ":nonroot") || !strings.Contains(text, "\nUSER 65532:65532\n") {
		t.Errorf("the image is of %s and runs as somebody else than 65532", last)
	}
}
