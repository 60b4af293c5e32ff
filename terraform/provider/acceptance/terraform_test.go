// Package acceptance_test runs the real Terraform with the built provider against a running server: every resource is made, changed,
// found changed by others, imported and destroyed, and no file that Terraform leaves behind holds a secret.
package acceptance_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// buildProvider returns the folder of the provider's executable.
func buildProvider(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(folder, "terraform-provider-seamark"), "..").CombinedOutput(); err != nil {
		t.Fatalf("build the provider: %v: %s", err, out)
	}
	return folder
}

// workspace is a folder with a configuration that Terraform runs in.
type workspace struct {
	folder string
	env    []string
}

// workspace returns an empty one whose provider talks to the server with a token.
func (w *world) workspace(t *testing.T, token string) *workspace {
	t.Helper()
	return w.workspaceAt(t, w.URL, token)
}

// workspaceAt is workspace with another server.
func (w *world) workspaceAt(t *testing.T, url, token string) *workspace {
	t.Helper()
	ws := &workspace{folder: t.TempDir()}
	cli := filepath.Join(t.TempDir(), "terraform.rc")
	overrides := fmt.Sprintf("provider_installation {\n  dev_overrides { \"seamarkhq/seamark\" = %q }\n  direct {}\n}\n", w.provider)
	if err := os.WriteFile(cli, []byte(overrides), 0o600); err != nil {
		t.Fatal(err)
	}
	ws.env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+cli, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1", "SEAMARK_URL="+url, "SEAMARK_TOKEN="+token)
	ws.write(t, "provider.tf", "terraform {\n  required_providers {\n    seamark = {\n      source = \"seamarkhq/seamark\"\n    }\n  }\n}\n")
	return ws
}

// write replaces one file of the configuration.
func (w *workspace) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs Terraform and returns what it wrote and how it ended.
func (w *workspace) run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "terraform", args...)
	cmd.Dir, cmd.Env = w.folder, w.env
	var out, bad bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &bad
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatalf("terraform %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), bad.String(), code
}

// must runs Terraform, which has to succeed.
func (w *workspace) must(t *testing.T, args ...string) string {
	t.Helper()
	out, bad, code := w.run(t, args...)
	if code != 0 {
		t.Fatalf("terraform %s ended with %d:\n%s\n%s", strings.Join(args, " "), code, out, bad)
	}
	return out
}

// planFile is the file of plans. It stays in the folder, so that it is searched for secrets as all others.
const planFile = "saved.tfplan"

// change is what a plan would do with one resource.
type change struct {
	Address string `json:"address"`
	Change  struct {
		Actions   []string       `json:"actions"`
		Before    map[string]any `json:"before"`
		After     map[string]any `json:"after"`
		Importing *struct{}      `json:"importing"`
	} `json:"change"`
}

// plan makes a plan and returns what it would do, by the resources' addresses. What stays is not in it.
func (w *workspace) plan(t *testing.T, args ...string) map[string]change {
	t.Helper()
	w.must(t, append([]string{"plan", "-input=false", "-no-color", "-out", planFile}, args...)...)
	var plan struct {
		Changes []change `json:"resource_changes"`
	}
	if err := json.Unmarshal([]byte(w.must(t, "show", "-json", planFile)), &plan); err != nil {
		t.Fatal(err)
	}
	changes := map[string]change{}
	for _, c := range plan.Changes {
		if strings.Join(c.Change.Actions, "") != "no-op" && strings.Join(c.Change.Actions, "") != "read" {
			changes[c.Address] = c
		}
	}
	return changes
}

// apply does what the last plan says.
func (w *workspace) apply(t *testing.T) {
	t.Helper()
	w.must(t, "apply", "-input=false", "-no-color", planFile)
}

// wantNoChange fails the test when a plan would change something.
func (w *workspace) wantNoChange(t *testing.T, after string) {
	t.Helper()
	for address, c := range w.plan(t) {
		t.Errorf("after %s, %s is to be changed (%v):\nis   %s\nwill %s", after, address, c.Change.Actions, jsonText(c.Change.Before), jsonText(c.Change.After))
	}
	if t.Failed() {
		t.FailNow()
	}
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// attributes returns the state's attributes of all resources and data sources, by address.
func (w *workspace) attributes(t *testing.T) map[string]map[string]any {
	t.Helper()
	var state struct {
		Values struct {
			Root struct {
				Resources []struct {
					Address string         `json:"address"`
					Values  map[string]any `json:"values"`
				} `json:"resources"`
			} `json:"root_module"`
		} `json:"values"`
	}
	if err := json.Unmarshal([]byte(w.must(t, "show", "-json")), &state); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]any{}
	for _, r := range state.Values.Root.Resources {
		all[r.Address] = r.Values
	}
	return all
}

// wantNoSecret fails the test when a file that Terraform wrote holds one of the secrets. Plans are archives, whose parts are read.
func (w *workspace) wantNoSecret(t *testing.T, secrets ...string) {
	t.Helper()
	err := filepath.WalkDir(w.folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".secret") {
			return err // what the user and the resources for secrets write
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		parts := map[string][]byte{"": text}
		if archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text))); err == nil {
			for _, f := range archive.File {
				if !strings.HasPrefix(f.Name, "tfconfig/") { // a copy of the configuration
					parts[f.Name] = unpacked(t, f)
				}
			}
		}
		for part, content := range parts {
			for _, secret := range secrets {
				if bytes.Contains(content, []byte(secret)) {
					t.Errorf("%s %s holds the secret %.16s...", filepath.Base(name), part, secret)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func unpacked(t *testing.T, f *zip.File) []byte {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
