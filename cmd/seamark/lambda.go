package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/lambda"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// lambdaCmd runs the ingest role as an AWS Lambda function.
type lambdaCmd struct {
	serverFlags
	RuntimeAPI string        `name:"lambda.runtime-api" env:"SEAMARK_LAMBDA_RUNTIME_API,AWS_LAMBDA_RUNTIME_API" help:"host:port of Lambda's Runtime API. Lambda itself tells it in AWS_LAMBDA_RUNTIME_API."`
	MaxAge     time.Duration `name:"lambda.max-age" default:"2s" help:"How old a sandbox's knowledge of credentials and pipelines may be when a request comes. What is older is refreshed first, and the request is refused where that fails. Without it a token that was revoked while the sandbox was frozen would work once more."`
	Shards     int           `name:"lambda.clickhouse-shards" default:"1" help:"How many shards --clickhouse.dsn of the other roles names. A function publishes for them and knows none of their addresses."`
}

// Run serves invocations until Lambda ends the sandbox.
func (c *lambdaCmd) Run(ctx context.Context) error {
	if c.RuntimeAPI == "" {
		return errors.New("--lambda.runtime-api is not set: this subcommand runs inside AWS Lambda, which sets AWS_LAMBDA_RUNTIME_API")
	}
	if c.MaxAge <= 0 {
		return errors.New("--lambda.max-age must be positive")
	}
	if c.Shards < 1 || c.Shards > seamark.MaxStoreShards {
		return fmt.Errorf("--lambda.clickhouse-shards is %d; it must be 1 to %d", c.Shards, seamark.MaxStoreShards)
	}
	o, err := c.options([]app.Role{app.RoleIngest})
	if err != nil {
		return err
	}
	o.Sandbox = &app.SandboxOptions{MaxAge: c.MaxAge, Stores: c.Shards}
	a, err := app.New(o)
	if err != nil {
		return err
	}
	r, err := lambda.New(lambda.Options{API: c.RuntimeAPI, Logger: o.Logger, Start: func(ctx context.Context) (http.Handler, error) {
		if err := a.Start(ctx); err != nil {
			return nil, err
		}
		return a.Front(), nil
	}})
	if err != nil {
		return err
	}
	err = r.Run(ctx)
	last, cancel := context.WithTimeout(context.Background(), o.DrainTimeout)
	defer cancel()
	return errors.Join(err, a.Stop(last))
}
