package tenant

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestLimitsAreDocumented holds the table of docs/operations.md against the limits that are constants here.
func TestLimitsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{
		fmt.Sprintf("| live ingest tokens of a cluster | %d:", maxIngestTokens),
		fmt.Sprintf("| clusters of a tenant | %d,", maxClusters),
		fmt.Sprintf("| live API keys of a tenant | %d |", maxKeys),
		fmt.Sprintf("| roles of a tenant | %d, of %d bytes of description |", maxRoles, maxDescription),
		fmt.Sprintf("| open invitations of a tenant | %d |", maxInvitations),
		fmt.Sprintf("| sessions of a person | %d;", maxSessions),
		fmt.Sprintf("| sign-in providers' identities of a person | %d |", maxIdentities),
		fmt.Sprintf("| saved queries of a tenant; of a person or machine | %d; %d |", maxSavedQueries, maxOwnSavedQueries),
		fmt.Sprintf("| text of a tenant's saved queries; of one | %d MiB; %d KiB |", maxSavedQueriesBytes>>20, maxSavedQueryBytes>>10),
		fmt.Sprintf("| dashboards of a tenant; all of them; one | %d; %d MiB; %d KiB |", maxDashboards, maxDashboardsBytes>>20, maxDashboardBytes>>10),
		fmt.Sprintf("| pipelines of a tenant; their definitions | %d; %d KiB |", maxPipelines, maxPipelineBytes>>10),
		fmt.Sprintf("| retention rules for streams of a tenant | %d |", maxStreamRetentions),
		fmt.Sprintf("| records of a tenant's log of changes | %d,%03d,", maxChangesPerChain/1000, maxChangesPerChain%1000),
	} {
		if !strings.Contains(string(text), "\n"+row) {
			t.Errorf("docs/operations.md lacks a row that begins with %q", row)
		}
	}
}
