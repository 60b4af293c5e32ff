package signin_test

import (
	"os"
	"os/exec"
	"testing"
)

// testConsole drives the console in a browser: the provider's button, a session that is refreshed unnoticed, and signing out.
func testConsole(t *testing.T, w *world) {
	w.Issuer.SignIn(map[string]any{"sub": "console", "email": "console@example.org", "email_verified": true, "groups": []string{"sre"}})
	c := exec.CommandContext(t.Context(), "npx", "vitest", "run", "--project", "signin")
	c.Dir = "../../../console"
	c.Env = append(os.Environ(), "SEAMARK_URL="+w.origin, "SEAMARK_ISSUER="+w.URL)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("the browser's test: %v\n%s", err, out)
	}
}
