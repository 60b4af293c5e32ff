package isolation_test

// depth is a set of flags: which depths of isolation the server has.
type depth struct {
	name  string
	flags []string
}

const (
	noClickHouseDepth = "--no-clickhouse.workloads"
	ownProcess        = "--query.process" // which the harness leaves out unless it is asked for
)

// noQuerierDepth are the flags of a server whose queries all wait in one queue, and run where ingest does.
var noQuerierDepth = []string{"--no-query.admission", "--no-query.process"}

func depths() []depth {
	return []depth{
		{"nothing", append([]string{noClickHouseDepth}, noQuerierDepth...)},
		{"ClickHouse depth", noQuerierDepth},
		{"querier depth", []string{noClickHouseDepth, ownProcess}},
		{"all", []string{ownProcess}},
	}
}

// noQuotas are the flags of a server that takes all rows that it is sent: the lab is about queries.
var noQuotas = []string{
	"--quota.rows-per-second", "0", "--quota.bytes-per-second", "0", "--quota.active-series", "0", "--quota.active-streams", "0", "--patterns.enabled=false",
}
