package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
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
	NATSSecret string        `name:"lambda.nats-secret" placeholder:"ARN" help:"Secret of AWS Secrets Manager that holds --nats.url, with its password. It is read with the function's own role when a sandbox starts."`
}

// Run serves invocations until Lambda ends the sandbox.
func (c *lambdaCmd) Run(ctx context.Context) error {
	switch {
	case c.RuntimeAPI == "":
		return errors.New("--lambda.runtime-api is not set: this subcommand runs inside AWS Lambda, which sets AWS_LAMBDA_RUNTIME_API")
	case c.MaxAge <= 0:
		return errors.New("--lambda.max-age must be positive")
	case c.Shards < 1 || c.Shards > seamark.MaxStoreShards:
		return fmt.Errorf("--lambda.clickhouse-shards is %d; it must be 1 to %d", c.Shards, seamark.MaxStoreShards)
	case c.NATSSecret != "" && c.NATSURL != "":
		return errors.New("--lambda.nats-secret and --nats.url are both set, and either says where NATS is")
	}
	var started *app.App
	r, err := lambda.New(lambda.Options{API: c.RuntimeAPI, Logger: c.logger(), Start: func(ctx context.Context) (http.Handler, error) {
		var err error
		if started, err = c.start(ctx); err != nil {
			return nil, err
		}
		return started.Front(), nil
	}})
	if err != nil {
		return err
	}
	err = r.Run(ctx)
	if started == nil {
		return err
	}
	last, cancel := context.WithTimeout(context.Background(), c.DrainTimeout)
	defer cancel()
	return errors.Join(err, started.Stop(last))
}

// start starts the ingest role.
func (c *lambdaCmd) start(ctx context.Context) (*app.App, error) {
	if c.NATSSecret != "" {
		var err error
		c.NATSURL, err = lambda.FindSecret(ctx, &lambda.SecretOptions{
			ARN: c.NATSSecret, AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken: os.Getenv("AWS_SESSION_TOKEN"), Now: time.Now,
		})
		if err != nil {
			return nil, fmt.Errorf("--lambda.nats-secret: %w", err)
		}
	}
	o, err := c.options([]app.Role{app.RoleIngest})
	if err != nil {
		return nil, err
	}
	o.Sandbox = &app.SandboxOptions{MaxAge: c.MaxAge, Stores: c.Shards}
	a, err := app.New(o)
	if err != nil {
		return nil, err
	}
	if err := a.Start(ctx); err != nil {
		return nil, err
	}
	return a, nil
}
