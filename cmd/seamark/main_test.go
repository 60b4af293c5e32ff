package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestUsageCode: whoever asks a command for what it does not know is not told the code by which it says something else.
func TestUsageCode(t *testing.T) {
	silence(t)
	for _, line := range []string{"doctor --bogus", "doctor --role no-role", "canary --interval soon", "bogus", "", "doctor --log.level loud"} {
		require.Equal(t, usageCode, codeOf(run(strings.Fields(line))), line)
	}
	require.Equal(t, 0, codeOf(run([]string{"version"})))
	require.Equal(t, 1, codeOf(run([]string{"admin", "--data-dir", t.TempDir(), "tenant", "list"})))
}

// silence drops what the command line prints.
func silence(t *testing.T) {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	out, errOut := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = null, null
	t.Cleanup(func() {
		os.Stdout, os.Stderr = out, errOut
		_ = null.Close()
	})
}

// TestEmptySetting: a name without a value in the configuration file leaves the default, and must be a setting's.
func TestEmptySetting(t *testing.T) {
	silence(t)
	var c cli
	parser, err := kong.New(&c, kong.Name("seamark"), kong.DefaultEnvars("SEAMARK"), kong.Configuration(loadYAML), kong.Vars(flagDefaults()))
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "seamark.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }

	write("node-id:\nhttp:\n  listen: null\n  external-url: https://seamark.example.com\n")
	_, err = parser.Parse([]string{"--config", file, "serve"})
	require.NoError(t, err)
	require.Equal(t, flagDefaults()["http_listen"], c.Serve.HTTPListen)
	require.Empty(t, c.Serve.NodeID)
	require.Equal(t, "https://seamark.example.com", c.Serve.HTTPExternalURL)

	write("http:\n  lissten:\n")
	require.Equal(t, usageCode, codeOf(run([]string{"--config", file, "doctor"})))
	write("http: [")
	require.Equal(t, usageCode, codeOf(run([]string{"--config", file, "doctor"})))
}

// TestTokenAsAsked: a token that would be another than was asked for is refused before anything is made.
func TestTokenAsAsked(t *testing.T) {
	for text, c := range map[string]struct {
		kind seamark.CredentialKind
		tokenCreateCmd
	}{
		"longer than zero":             {seamark.QueryToken, tokenCreateCmd{TTL: -time.Hour}},
		"needs --cluster":              {seamark.IngestToken, tokenCreateCmd{}},
		"--cluster is for ingest":      {seamark.QueryToken, tokenCreateCmd{Cluster: "prod"}},
		"kind admin is for the whole ": {seamark.AdminToken, tokenCreateCmd{Cluster: "prod"}},
	} {
		require.ErrorContains(t, c.check(c.kind), text)
	}
	require.NoError(t, (&tokenCreateCmd{Cluster: "prod", TTL: time.Hour}).check(seamark.IngestToken))
	require.NoError(t, (&tokenCreateCmd{}).check(seamark.QueryToken))
}

// TestUserSomewhere: a person is made in a tenant or as an operator, and whoever says neither is told so.
func TestUserSomewhere(t *testing.T) {
	require.ErrorContains(t, (&userCreateCmd{Login: "ada"}).check(), "--tenant, or --operator")
	require.NoError(t, (&userCreateCmd{Login: "ada", Tenant: "acme"}).check())
	require.NoError(t, (&userCreateCmd{Login: "ada", Operator: true}).check())
}
