// Command seamark is the whole product in one binary: `seamark serve` runs every role with both engines embedded, the
// other subcommands run one role each, administer a server, or feed it demo data.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/seamarkhq/seamark/internal/engine"
)

// version is set by the linker: -X main.version=v1.2.3.
var version = "dev"

func main() {
	// The main thread is for this goroutine alone: the engine's library wants it for itself, and it does not end, as others do, with a
	// goroutine that has lowered its priority, but stays as it is for ever.
	runtime.LockOSThread()
	if len(os.Args) > 1 && os.Args[1] == engine.ChildCommand {
		os.Exit(engine.RunChild(os.Args[2:]))
	}
	err := run(os.Args[1:])
	if _, told := errors.AsType[exitCode](err); err != nil && !told {
		fmt.Fprintln(os.Stderr, "seamark:", err)
	}
	os.Exit(codeOf(err))
}

// usageCode is the exit code for a wrong command line or configuration file. It is not 1, which commands such as doctor have a
// meaning of their own for.
const usageCode = 2

// usageError is a fault of the command line, the environment or the configuration file.
type usageError struct{ error }

// codeOf returns the exit code that an error stands for.
func codeOf(err error) int {
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return usageCode
	}
	if err != nil {
		return 1
	}
	return 0
}

// cli is the command line.
type cli struct {
	Serve       serveCmd       `cmd:"" help:"Run every role, with both engines embedded unless told otherwise."`
	Ingest      roleCmd        `cmd:"" help:"Run the ingest role alone, against real NATS and ClickHouse."`
	Writer      roleCmd        `cmd:"" help:"Run the writer role alone."`
	Querier     roleCmd        `cmd:"" help:"Run the querier role alone."`
	Alerting    roleCmd        `cmd:"" help:"Run the alerting role alone."`
	Forwarder   roleCmd        `cmd:"" help:"Run the forwarders of all tenants alone."`
	API         roleCmd        `cmd:"" name:"api" help:"Run the control plane and console alone."`
	Lambda      lambdaCmd      `cmd:"" help:"Run the ingest role as an AWS Lambda function behind an HTTP API, a function URL or a load balancer."`
	Admin       adminCmd       `cmd:"" help:"Administer tenants, clusters, tokens and users of a running server."`
	Ctl         ctlCmd         `cmd:"" passthrough:"" help:"Call the API of a server, with a token or a person's session."`
	Keys        keysCmd        `cmd:"" help:"The keys that secrets in the store are sealed with."`
	Backup      backupCmd      `cmd:"" help:"Write the control plane of a running server to a file: tenants, tokens, people, rules, receivers, silences. Data is not in it."`
	Restore     restoreCmd     `cmd:"" help:"Bring the control plane of a running server to the state of a backup."`
	DemoCluster demoClusterCmd `cmd:"" help:"Push a believable Kubernetes cluster's data to a server, for demos and tests."`
	Doctor      doctorCmd      `cmd:"" help:"Check an installation with the settings of its server: engines, disk, clocks, certificates, addresses. It changes nothing. Exit code 0: all is well, 1: warnings, 2: failures."`
	Canary      canaryCmd      `cmd:"" help:"Write a marked log line, sample and event through a server's front, and find them with queries."`
	Healthcheck healthcheckCmd `cmd:"" help:"Exit 0 when the server on this machine is ready."`
	Version     versionCmd     `cmd:"" help:"Print the version."`

	Config kong.ConfigFlag `help:"YAML file with the same names as the flags: 'http: {listen: ...}'. Flags and environment win." placeholder:"FILE"`
}

func run(args []string) error {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("seamark"),
		kong.Description("A multi-tenant observability backend for Kubernetes clusters. Every flag can also be set in the environment: --http.listen is SEAMARK_HTTP_LISTEN."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.DefaultEnvars("SEAMARK"), kong.Configuration(loadYAML), kong.Vars(flagDefaults()),
	)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed, err := parser.Parse(args)
	if err != nil {
		if parse, ok := errors.AsType[*kong.ParseError](err); ok {
			_ = parse.Context.PrintUsage(true)
		}
		return usageError{err}
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return c.Admin.remember(ctx, parsed, parsed.Run())
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run() error {
	_, err := fmt.Printf("seamark %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
