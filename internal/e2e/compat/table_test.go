package compat

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tableFile is what the test run makes.
const tableFile = root + "/docs/compatibility.md"

// client is one module whose code sends to Seamark or asks it, and what of it is checked.
type client struct {
	protocol string
	name     string   // how its users call it
	modules  []string // paths in go.mod; none for the standard library
	streams  bool     // whether it speaks to a listener that has a token, instead of sending its own
	checks   []check
	// prepare does what the checks need and what takes longer than one of them may. It may be nil.
	prepare func(t *testing.T, x *account)
}

// check is one thing that a client does. An error says that it does not work, and how.
type check struct {
	what string
	run  func(ctx context.Context, x *account) error
}

// checkTimeout bounds one check, so that a client that retries for ever fails alone.
const checkTimeout = 90 * time.Second

// knownTimeout bounds a check that the table calls failed: what does not work is not waited for as long.
const knownTimeout = 5 * time.Second

// clients lists all clients in the order of the table. Those whose dependencies take minutes to compile are in the build
// with the tag nightly alone.
func clients() []client {
	var list []client
	for _, part := range [][]client{
		otelSDK(), otelCollector(), prometheusRemote(), pushgateways(), promtools(), prometheusAPIs(), lokis(), elasticsearches(), splunks(), fluents(),
		syslogs(), datadogs(), influxes(), kubernetes(),
	} {
		list = append(list, part...)
	}
	return list
}

// row is one line of the table.
type row struct{ protocol, client, what string }

const (
	resultOK     = "ok"
	resultFailed = "**failed**"
)

var update = new(bool)

func TestMain(m *testing.M) {
	flag.BoolVar(update, "update", false, "rewrite docs/compatibility.md")
	flag.Parse()
	os.Exit(runTests(m))
}

// runTests has every client in this process trust the server, as a certificate in the machine's store would.
func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "seamark-compat-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		err = newAuthority(dir)
	}
	if err == nil {
		err = os.Setenv("SSL_CERT_FILE", authority.certificate) // read once, at the first connection
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// TestClients runs every client against the product and compares the results with docs/compatibility.md, which it rewrites
// with -update. A check that the table calls failed may fail; every other difference fails the test.
func TestClients(t *testing.T) {
	old, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{server: startServer(t), versions: readVersions(t, "go.mod"), results: parseRows(string(old))}
	daily := b.run(t, clients())
	nightly := b.run(t, nightlyClients())
	text := renderTable(string(old), daily, nightly)
	switch {
	case text == string(old):
	case *update:
		if err := os.WriteFile(tableFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("docs/compatibility.md is not what this run found; look at the difference of `make compat-update`:\n%s", cmp.Diff(string(old), text))
	}
}

// bench runs checks against one server.
type bench struct {
	server   *server
	versions map[string]string
	results  map[row]string // as the table has them; overwritten by what is run, so that -run may choose among the clients
	accounts int
}

// run runs the clients' checks and returns their lines of the table.
func (b *bench) run(t *testing.T, list []client) []string {
	t.Helper()
	var lines []string
	for _, c := range list {
		named := c.title(t, b.versions)
		t.Run(c.protocol+"/"+c.name, func(t *testing.T) {
			x := b.accountOf(t, &c)
			if c.prepare != nil {
				c.prepare(t, x)
			}
			for _, k := range c.checks {
				t.Run(k.what, func(t *testing.T) { b.check(t, x, row{c.protocol, named, k.what}, k.run) })
			}
		})
		for _, k := range c.checks {
			r := row{c.protocol, named, k.what}
			lines = append(lines, r.line(b.results[r]))
		}
	}
	return lines
}

// accountOf returns a new account for a client, or the listeners'.
func (b *bench) accountOf(t *testing.T, c *client) *account {
	t.Helper()
	if c.streams {
		return b.server.streams
	}
	b.accounts++
	x, err := b.server.newAccount(t.Context(), fmt.Sprintf("client-%d", b.accounts))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (b *bench) check(t *testing.T, x *account, r row, run func(context.Context, *account) error) {
	t.Helper()
	timeout := checkTimeout
	if b.results[r] == resultFailed {
		timeout = knownTimeout
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	err, result := run(ctx, x), resultOK
	if err != nil {
		result = resultFailed
	}
	switch want := b.results[r]; {
	case *update || result == want:
		if err != nil {
			t.Logf("it fails: %v", err)
		}
	case err != nil:
		t.Errorf("it fails, and the table says %q: %v", want, err)
	default:
		t.Errorf("it works, and the table says %q", want)
	}
	b.results[r] = result
}

// title names the client and the versions of its modules.
func (c *client) title(t *testing.T, versions map[string]string) string {
	t.Helper()
	if len(c.modules) == 0 {
		return c.name + ", Go's standard library"
	}
	named := make([]string, len(c.modules))
	for i, path := range c.modules {
		version, ok := versions[path]
		if !ok {
			t.Fatalf("go.mod does not require %s", path)
		}
		named[i] = "`" + path + "@" + version + "`"
	}
	return c.name + ", " + strings.Join(named, " and ")
}

// readVersions reads from a go.mod which version of each module it has.
func readVersions(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for text := range strings.Lines(string(text)) {
		if f := strings.Fields(strings.TrimPrefix(text, "require")); len(f) >= 2 && strings.HasPrefix(f[1], "v") {
			versions[f[0]] = f[1]
		}
	}
	return versions
}

func (r row) line(result string) string {
	return fmt.Sprintf("| %s | %s | %s | %s |\n", r.protocol, r.client, r.what, result)
}

// parseRows reads the results of a table back.
func parseRows(text string) map[row]string {
	results := map[row]string{}
	for text := range strings.Lines(text) {
		if cells := strings.Split(strings.Trim(text, "|\n"), "|"); len(cells) == 4 {
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			results[row{cells[0], cells[1], cells[2]}] = cells[3]
		}
	}
	return results
}

const (
	tableHead = "\n| protocol | client | what is checked | result |\n| --- | --- | --- | --- |\n"
	// nightlyHead begins the section that is left as it is by a run without the nightly clients.
	nightlyHead = "\n## Every night\n"
)

func renderTable(old string, daily, nightly []string) string {
	text := introduction + "\n## On every push\n" + tableHead + strings.Join(daily, "")
	if nightly != nil {
		return text + nightlyHead + nightlyNote + tableHead + strings.Join(nightly, "")
	}
	if _, kept, ok := strings.Cut(old, nightlyHead); ok {
		text += nightlyHead + kept
	}
	return text
}

const introduction = `<!-- Generated by ` + "`make compat-update`" + `. Do not edit. -->

# Compatibility

Each line is a program or library of other makers whose own code sends to the built product or asks it, at the version that is
named; what was sent is read back through the query APIs and compared value by value. Everything but the address and the token
is as its users have it. The tests are in ` + "`internal/e2e/compat`" + `.
`

const nightlyNote = `
Clients that take minutes to compile.
`
