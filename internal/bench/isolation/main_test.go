// Package isolation_test is the noise lab: one tenant with small dashboards and steady ingest, beside another whose queries are
// heavy without end, with each depth of query isolation on and off. `make isolation` prints what the first notices of the second.
package isolation_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == crowdRole {
		if err := serveCrowd(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	harness.Main(m)
}

// formVariable names the environment variable that is "full" for the long form; the short one is for tuning.
const formVariable = "SEAMARK_ISOLATION"

// form is how much is measured.
type form struct {
	lines   int           // of the noisy tenant
	pods    int           // of the noisy tenant, eighty series each
	scrapes int           // of each of its series
	rounds  int           // each visits every cell once, so that a machine that gets slower does so for all
	stay    time.Duration // in a cell, per round
	depths  []string      // by name; all when empty
}

func chosenForm() form {
	if os.Getenv(formVariable) == "full" {
		return form{lines: 2_000_000, pods: 40, scrapes: 480, rounds: 2, stay: 14 * time.Second}
	}
	return form{lines: 600_000, pods: 20, scrapes: 240, rounds: 1, stay: 24 * time.Second, depths: []string{"nothing", "all"}}
}
