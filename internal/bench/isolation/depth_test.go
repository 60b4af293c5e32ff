package isolation_test

// depth is a set of flags: which depths of isolation the server has.
type depth struct {
	name  string
	flags []string
}

const (
	noClickHouseDepth = "--no-clickhouse.workloads"
	noQuerierDepth    = "--no-query.admission"
)

func depths() []depth {
	return []depth{
		{"nothing", []string{noClickHouseDepth, noQuerierDepth}},
		{"ClickHouse depth", []string{noQuerierDepth}},
		{"querier depth", []string{noClickHouseDepth}},
		{"all", nil},
	}
}

// noQuotas are the flags of a server that takes all rows that it is sent: the lab is about queries.
var noQuotas = []string{
	"--quota.rows-per-second", "0", "--quota.bytes-per-second", "0", "--quota.active-series", "0", "--quota.active-streams", "0", "--patterns.enabled=false",
}
